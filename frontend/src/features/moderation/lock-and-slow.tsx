import { Button } from '@/components/ui/button';
import { SelectField } from '@/components/ui/field';
import { Icon } from '@/components/ui/icon';
import { useLanguage } from '@/i18n/locale';

interface LockAndSlowProps {
  locked: boolean;
  slowModeSeconds: number;
  busy?: boolean;
  onLock: (locked: boolean) => void;
  onSlow: (seconds: number) => void;
}

const paces = [0, 5, 10, 30, 60, 300];

/** The two things that calm a room at once. */
export function LockAndSlow({ locked, slowModeSeconds, busy = false, onLock, onSlow }: LockAndSlowProps) {
  const { t } = useLanguage();
  const offered = paces.includes(slowModeSeconds) ? paces : [...paces, slowModeSeconds].sort((a, b) => a - b);
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="min-w-0 flex-1 basis-52 text-sm text-muted">{t('room.lockHint')}</p>
        <Button aria-pressed={locked} disabled={busy} onClick={() => onLock(!locked)}>
          <Icon name="lock" className={`size-4 ${locked ? 'text-accent' : ''}`} />
          {t(locked ? 'room.unlock' : 'room.lock')}
        </Button>
      </div>
      <SelectField
        label={t('room.slowMode')}
        disabled={busy}
        value={String(slowModeSeconds)}
        onChange={(event) => onSlow(Number(event.target.value))}
        options={offered.map((seconds) => [
          String(seconds),
          seconds === 0 ? t('room.slowModeOff') : t('room.slowModeSeconds', { count: seconds }),
        ])}
      />
    </div>
  );
}
