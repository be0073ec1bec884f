import { ProblemNote } from '@/components/problem-note';
import { CheckField } from '@/components/ui/field';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { HostRoom } from '@/lib/api-types';
import { useSubmit } from '@/lib/use-submit';
import { rungChoices, SOUND_ONLY, withRung } from './stream-settings';

/** Which smaller qualities viewers may choose. */
export function LadderForm({ room, onChanged }: { room: HostRoom; onChanged: () => void }) {
  const { t } = useLanguage();
  const { busy, problem, run } = useSubmit<HostRoom>(onChanged);
  const change = (ladder: string[]) =>
    void run(() => call<HostRoom>('PATCH', `/api/rooms/${room.slug}`, { ladder }));
  return (
    <fieldset className="flex flex-col gap-2" disabled={busy}>
      <legend className="mb-1 font-medium">{t('stream.ladder')}</legend>
      <p className="text-sm text-pretty text-muted">{t('stream.ladderText')}</p>
      <div className="flex flex-wrap gap-x-6">
        <CheckField label={t('quality.source')} checked disabled readOnly />
        {rungChoices(room.ladder).map((rung) => (
          <CheckField
            key={rung}
            label={rung === SOUND_ONLY ? t('quality.audio') : rung}
            checked={room.ladder.includes(rung)}
            onChange={(event) => change(withRung(room.ladder, rung, event.target.checked))}
          />
        ))}
      </div>
      <ProblemNote problem={problem} />
    </fieldset>
  );
}
