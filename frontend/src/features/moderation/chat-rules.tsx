import { useId, useState } from 'react';
import { ProblemNote } from '@/components/problem-note';
import { Button } from '@/components/ui/button';
import { SelectField } from '@/components/ui/field';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { HostRoom } from '@/lib/api-types';
import { useSubmit } from '@/lib/use-submit';
import { wordsOf } from './words';

interface ChatRulesProps {
  room: HostRoom;
  onChanged: (room: HostRoom) => void;
}

const spans = [1, 7, 30, 90, 365];
const FOREVER = '';

/** Links, blocked words, and how long messages are kept. */
export function ChatRules({ room, onChanged }: ChatRulesProps) {
  const { t } = useLanguage();
  const id = useId();
  const { busy, problem, run } = useSubmit<HostRoom>(onChanged);
  const [words, setWords] = useState(() => room.blockedWords.join('\n'));
  const change = (patch: Partial<HostRoom>) =>
    void run(() => call<HostRoom>('PATCH', `/api/rooms/${room.slug}`, patch));
  const kept = room.retentionDays;
  const days = kept === null || spans.includes(kept) ? spans : [...spans, kept].sort((a, b) => a - b);
  const wanted = wordsOf(words);
  const changed = wanted.join('\n') !== room.blockedWords.join('\n');
  return (
    <div className="flex flex-col gap-4">
      <SelectField
        label={t('room.links')}
        disabled={busy}
        value={room.links}
        onChange={(event) => change({ links: event.target.value === 'everyone' ? 'everyone' : 'moderators' })}
        options={[
          ['everyone', t('room.linksEveryone')],
          ['moderators', t('room.linksModerators')],
        ]}
      />
      <SelectField
        label={t('room.retention')}
        disabled={busy}
        value={kept === null ? FOREVER : String(kept)}
        onChange={({ target: { value } }) =>
          change({ retentionDays: value === FOREVER ? null : Number(value) })
        }
        options={[
          [FOREVER, t('room.retentionForever')],
          ...days.map((count) => [String(count), t('room.retentionDays', { count })] as const),
        ]}
      />
      <div className="flex flex-col gap-1.5">
        <label htmlFor={id} className="text-sm text-muted">
          {t('room.blockedWords')}
        </label>
        <textarea
          id={id}
          rows={3}
          value={words}
          aria-describedby={`${id}-hint`}
          onChange={(event) => setWords(event.target.value)}
          className="w-full rounded-lg border border-line bg-ink px-3 py-2 text-base sm:text-sm"
        />
        <div className="flex flex-wrap items-center justify-between gap-2">
          <p id={`${id}-hint`} className="text-xs text-muted">
            {t('room.blockedWordsHint')}
          </p>
          <Button disabled={busy || !changed} onClick={() => change({ blockedWords: wanted })}>
            {t('common.save')}
          </Button>
        </div>
      </div>
      <ProblemNote problem={problem} />
    </div>
  );
}
