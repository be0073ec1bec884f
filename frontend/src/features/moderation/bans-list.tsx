import { useCallback } from 'react';
import { PolledView } from '@/components/polled-view';
import { ProblemNote } from '@/components/problem-note';
import { Button } from '@/components/ui/button';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { Ban } from '@/lib/api-types';
import { formatDateTime } from '@/lib/format';
import { usePolled } from '@/lib/use-polled';
import { useSubmit } from '@/lib/use-submit';

const REFRESH_MS = 5_000;

export function BansList({ slug }: { slug: string }) {
  const { t } = useLanguage();
  const ask = useCallback(() => call<Ban[]>('GET', `/api/rooms/${slug}/bans`), [slug]);
  const polled = usePolled(ask, REFRESH_MS);
  return (
    <PolledView polled={polled}>
      {(bans) =>
        bans.length === 0 ? (
          <p className="text-sm text-muted">{t('bans.empty')}</p>
        ) : (
          <ul className="divide-y divide-line">
            {bans.map((ban) => (
              <BanRow key={ban.viewerId} slug={slug} ban={ban} onChanged={polled.reload} />
            ))}
          </ul>
        )
      }
    </PolledView>
  );
}

function BanRow({ slug, ban, onChanged }: { slug: string; ban: Ban; onChanged: () => void }) {
  const { t, locale } = useLanguage();
  const { busy, problem, run } = useSubmit<unknown>(onChanged);
  const path = `/api/rooms/${slug}/bans/${encodeURIComponent(ban.viewerId)}`;
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2.5">
      <div className="min-w-0 flex-1 basis-40">
        <bdi className="block truncate font-medium">{ban.nickname}</bdi>
        <div className="text-sm text-muted">
          {t('bans.by', { nickname: ban.bannedBy, time: formatDateTime(ban.bannedAt, locale) })}
          {ban.reason !== undefined && ` · ${ban.reason}`}
        </div>
      </div>
      <Button disabled={busy} onClick={() => void run(() => call('DELETE', path))}>
        {t('bans.unban')}
      </Button>
      <ProblemNote problem={problem} />
    </li>
  );
}
