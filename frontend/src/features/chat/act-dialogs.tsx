import { useState } from 'react';
import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { TextField } from '@/components/ui/field';
import { useLanguage } from '@/i18n/locale';
import type { RosterEntry } from './wire';

interface ActDialogProps<T extends unknown[]> {
  person: RosterEntry;
  onClose: () => void;
  onAct: (...args: T) => void;
}

/** The longest that can be asked for: a week. */
const MOST_MINUTES = 10_080;

export function SilenceDialog({ person, onClose, onAct }: ActDialogProps<[seconds: number, reason: string]>) {
  const { t } = useLanguage();
  const [minutes, setMinutes] = useState('30');
  const [reason, setReason] = useState('');
  const wanted = Math.round(Number(minutes) * 60);
  const good = wanted >= 1 && wanted <= MOST_MINUTES * 60;
  return (
    <Dialog title={t('chat.timeoutTitle', { nickname: person.nickname })} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (good) onAct(wanted, reason.trim());
        }}
      >
        <TextField
          label={t('chat.timeoutMinutes')}
          type="number"
          inputMode="decimal"
          min={1}
          max={MOST_MINUTES}
          step="any"
          required
          autoFocus
          value={minutes}
          onChange={(event) => setMinutes(event.target.value)}
        />
        <ReasonField value={reason} onChange={setReason} />
        <Actions onClose={onClose}>
          <Button type="submit" look="primary" disabled={!good}>
            {t('chat.timeout')}
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}

export function BanDialog({ person, onClose, onAct }: ActDialogProps<[reason: string]>) {
  const { t } = useLanguage();
  const [reason, setReason] = useState('');
  return (
    <Dialog title={t('chat.banTitle', { nickname: person.nickname })} onClose={onClose}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          onAct(reason.trim());
        }}
      >
        <p className="text-sm leading-relaxed text-text/80">{t('chat.banText')}</p>
        <ReasonField value={reason} onChange={setReason} />
        <Actions onClose={onClose}>
          <Button type="submit" look="danger">
            {t('chat.ban')}
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}

function ReasonField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useLanguage();
  return (
    <TextField
      label={t('chat.reason')}
      hint={t('chat.reasonHint')}
      maxLength={200}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function Actions({ onClose, children }: { onClose: () => void; children: React.ReactNode }) {
  const { t } = useLanguage();
  return (
    <div className="flex justify-end gap-2">
      <Button look="quiet" onClick={onClose}>
        {t('common.cancel')}
      </Button>
      {children}
    </div>
  );
}
