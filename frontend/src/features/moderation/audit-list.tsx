import { useCallback, useState } from 'react';
import { PolledView } from '@/components/polled-view';
import { ProblemNote } from '@/components/problem-note';
import { Button } from '@/components/ui/button';
import type { Translate } from '@/i18n/translate';
import { isTextKey, useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { AuditEntry } from '@/lib/api-types';
import { formatDateTime } from '@/lib/format';
import { usePolled } from '@/lib/use-polled';
import { useSubmit } from '@/lib/use-submit';

const REFRESH_MS = 5_000;
const PAGE = 50;

/** Who did what to whom, newest first. */
export function AuditList({ slug }: { slug: string }) {
  const { t } = useLanguage();
  const path = `/api/rooms/${slug}/audit?limit=${PAGE}`;
  const ask = useCallback(() => call<AuditEntry[]>('GET', path), [path]);
  const polled = usePolled(ask, REFRESH_MS);
  const [earlier, setEarlier] = useState<readonly AuditEntry[]>([]);
  const [ended, setEnded] = useState(false);
  const { busy, problem, run } = useSubmit<AuditEntry[]>((entries) => {
    setEarlier((old) => [...old, ...entries]);
    setEnded(entries.length < PAGE);
  });
  return (
    <PolledView polled={polled}>
      {(newest) => {
        const entries = unique([...newest, ...earlier]);
        const last = entries.at(-1);
        if (last === undefined) return <p className="text-sm text-muted">{t('audit.empty')}</p>;
        const mayHaveMore = !ended && newest.length === PAGE;
        return (
          <div className="flex flex-col gap-3">
            <ul className="divide-y divide-line">
              {entries.map((entry) => (
                <EntryRow key={entry.id} entry={entry} />
              ))}
            </ul>
            <ProblemNote problem={problem} />
            {mayHaveMore && (
              <Button
                className="self-center"
                disabled={busy}
                onClick={() => void run(() => call<AuditEntry[]>('GET', `${path}&before=${last.id}`))}
              >
                {t('audit.more')}
              </Button>
            )}
          </div>
        );
      }}
    </PolledView>
  );
}

function EntryRow({ entry }: { entry: AuditEntry }) {
  const { t, locale } = useLanguage();
  const { by, target, detail, reason } = entry;
  return (
    <li className="py-2 text-sm leading-relaxed">
      <time dateTime={entry.at} className="mr-2 text-xs text-muted tabular-nums">
        {formatDateTime(entry.at, locale)}
      </time>
      <bdi className="font-medium">{by.viewerId === null ? t('audit.operator') : by.nickname}</bdi>{' '}
      {actionText(entry.action, t)}{' '}
      {target !== undefined && <bdi className="font-medium">→ {target.nickname}</bdi>}
      {detail !== undefined && <q className="ml-1 wrap-anywhere text-muted">{detail}</q>}
      {reason !== undefined && <span className="text-muted"> · {reason}</span>}
    </li>
  );
}

/** A newer server may know acts that this page does not. */
function actionText(action: string, t: Translate): string {
  const key = `audit.${action}`;
  return isTextKey(key) ? t(key) : action;
}

function unique(entries: readonly AuditEntry[]): readonly AuditEntry[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  return [...byId.values()].sort((a, b) => b.id - a.id);
}
