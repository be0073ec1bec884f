import { useCallback } from 'react';
import { PolledView } from '@/components/polled-view';
import { ProblemNote } from '@/components/problem-note';
import { ConfirmButton } from '@/components/ui/confirm-button';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { EmoteInfo } from '@/lib/api-types';
import { usePolled } from '@/lib/use-polled';
import { useSubmit } from '@/lib/use-submit';
import { EmoteForm } from './emote-form';

interface EmotesEditorProps {
  slug: string;
  /** Where the picture is for who looks: pages of relays and the dashboard have different addresses for it. */
  imageUrl: (emote: EmoteInfo) => string;
}

const REFRESH_MS = 15_000;

export function EmotesEditor({ slug, imageUrl }: EmotesEditorProps) {
  const { t } = useLanguage();
  const ask = useCallback(() => call<EmoteInfo[]>('GET', `/api/rooms/${slug}/emotes`), [slug]);
  const polled = usePolled(ask, REFRESH_MS);
  return (
    <div className="flex flex-col gap-5">
      <EmoteForm slug={slug} onAdded={polled.reload} />
      <PolledView polled={polled}>
        {(emotes) =>
          emotes.length === 0 ? (
            <p className="text-sm text-muted">{t('emotes.empty')}</p>
          ) : (
            <ul className="divide-y divide-line">
              {emotes.map((emote) => (
                <EmoteRow
                  key={emote.name}
                  slug={slug}
                  emote={emote}
                  url={imageUrl(emote)}
                  onChanged={polled.reload}
                />
              ))}
            </ul>
          )
        }
      </PolledView>
    </div>
  );
}

interface EmoteRowProps {
  slug: string;
  emote: EmoteInfo;
  url: string;
  onChanged: () => void;
}

function EmoteRow({ slug, emote, url, onChanged }: EmoteRowProps) {
  const { t } = useLanguage();
  const { busy, problem, run } = useSubmit<unknown>(onChanged);
  return (
    <li className="flex flex-wrap items-center gap-3 py-2">
      <span className="grid size-10 shrink-0 place-items-center">
        <img src={url} alt="" loading="lazy" className="max-h-10 max-w-10 object-contain" />
      </span>
      <code className="min-w-0 flex-1 truncate text-sm">:{emote.name}:</code>
      <ConfirmButton
        label={t('emotes.removeConfirm')}
        question={t('emotes.removeAsk')}
        confirm={t('emotes.remove', { name: emote.name })}
        busy={busy}
        onConfirm={() => void run(() => call('DELETE', `/api/rooms/${slug}/emotes/${emote.name}`))}
      />
      <ProblemNote problem={problem} />
    </li>
  );
}
