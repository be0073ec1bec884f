import { ProblemNote } from '@/components/problem-note';
import { Card } from '@/components/ui/card';
import { ConfirmButton } from '@/components/ui/confirm-button';
import { CopyField } from '@/components/ui/copy-field';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { AdminRoom } from '@/lib/api-types';
import { useSubmit } from '@/lib/use-submit';

/** What the streamer types into OBS, and the address viewers open. */
export function ObsCard({ room, onChanged }: { room: AdminRoom; onChanged: () => void }) {
  const { t } = useLanguage();
  const { busy, problem, run } = useSubmit<AdminRoom>(onChanged);
  return (
    <Card title={t('obs.title')}>
      <div className="flex flex-col gap-4">
        <p className="text-sm text-muted">{t('obs.text')}</p>
        <CopyField label={t('obs.server')} value={room.ingestUrl} />
        <CopyField label={t('obs.key')} value={room.streamKey} secret />
        <CopyField label={t('obs.watchUrl')} value={room.watchUrl} />
        <ProblemNote problem={problem} />
        <div className="flex justify-end">
          <ConfirmButton
            label={t('obs.rotate')}
            question={t('obs.rotateAsk')}
            confirm={t('obs.rotateConfirm')}
            busy={busy}
            onConfirm={() => void run(() => call<AdminRoom>('POST', `/api/rooms/${room.slug}/rotate`))}
          />
        </div>
      </div>
    </Card>
  );
}
