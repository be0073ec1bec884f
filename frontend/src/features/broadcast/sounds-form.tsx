import { useState } from 'react';
import { ProblemNote } from '@/components/problem-note';
import { Button } from '@/components/ui/button';
import { TextField } from '@/components/ui/field';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { HostRoom } from '@/lib/api-types';
import { languageName } from '@/lib/language-name';
import { useSubmit } from '@/lib/use-submit';
import { MOST_SOUNDS, sameLabels, soundLabels, soundRows, type SoundRow } from './stream-settings';

/** Names and languages of the sounds, for a film with several. */
export function SoundsForm({ room, onChanged }: { room: HostRoom; onChanged: () => void }) {
  const { t, locale } = useLanguage();
  const { busy, problem, run } = useSubmit<HostRoom>(onChanged);
  const [rows, setRows] = useState(() => soundRows(room.audioTracks));
  const labels = soundLabels(rows);
  const set = (index: number, change: Partial<SoundRow>) =>
    setRows(rows.map((row, at) => (at === index ? { ...row, ...change } : row)));
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        void run(() => call<HostRoom>('PATCH', `/api/rooms/${room.slug}`, { audioTracks: labels }));
      }}
    >
      <h3 className="font-medium">{t('stream.sounds')}</h3>
      <p className="text-sm text-pretty text-muted">{t('stream.soundsText')}</p>
      <ol className="flex flex-col gap-3">
        {rows.map((row, index) => {
          const spoken = languageName(row.language.trim(), locale);
          return (
            <li
              key={index}
              className="grid grid-cols-[minmax(0,1fr)_7rem] gap-3 sm:grid-cols-[minmax(0,1fr)_9rem]"
            >
              <TextField
                label={t('stream.soundName', { number: index + 1 })}
                error={problem?.fields[`audioTracks[${index}].name`]}
                maxLength={64}
                autoComplete="off"
                value={row.name}
                onChange={(event) => set(index, { name: event.target.value })}
              />
              <TextField
                label={t('stream.soundLanguage')}
                aria-label={t('stream.soundLanguageOf', { number: index + 1 })}
                hint={spoken === '' ? 'fr, en, pt-BR' : spoken}
                error={problem?.fields[`audioTracks[${index}].language`]}
                maxLength={35}
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                value={row.language}
                onChange={(event) => set(index, { language: event.target.value })}
              />
            </li>
          );
        })}
      </ol>
      <ProblemNote problem={problem} />
      <div className="flex flex-wrap gap-3">
        <Button type="submit" look="primary" disabled={busy || sameLabels(labels, room.audioTracks)}>
          {t('common.save')}
        </Button>
        {rows.length < MOST_SOUNDS && (
          <Button look="quiet" onClick={() => setRows([...rows, { name: '', language: '' }])}>
            {t('stream.addSound')}
          </Button>
        )}
      </div>
    </form>
  );
}
