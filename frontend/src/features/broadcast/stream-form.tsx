import { useLanguage } from '@/i18n/locale';
import type { HostRoom } from '@/lib/api-types';
import { LadderForm } from './ladder-form';
import { SlateForm } from './slate-form';
import { SoundsForm } from './sounds-form';

/** What hosts set of the stream that viewers get. */
export function StreamForm({ room, onChanged }: { room: HostRoom; onChanged: () => void }) {
  const { t } = useLanguage();
  return (
    <div className="flex flex-col gap-5 divide-y divide-line *:not-last:pb-5">
      <LadderForm room={room} onChanged={onChanged} />
      <SoundsForm room={room} onChanged={onChanged} />
      <SlateForm room={room} onChanged={onChanged} />
      <p className="text-xs text-muted">{t('stream.when')}</p>
    </div>
  );
}
