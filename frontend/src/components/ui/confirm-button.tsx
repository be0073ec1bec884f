import { useState } from 'react';
import { useLanguage } from '@/i18n/locale';
import { Button } from './button';

interface ConfirmButtonProps {
  label: string;
  /** What will happen. */
  question: string;
  confirm: string;
  busy: boolean;
  onConfirm: () => void;
}

/** A button that asks in its place before it acts. */
export function ConfirmButton({ label, question, confirm, busy, onConfirm }: ConfirmButtonProps) {
  const { t } = useLanguage();
  const [asking, setAsking] = useState(false);
  if (!asking) {
    return (
      <Button
        look="quiet"
        disabled={busy}
        onClick={() => {
          setAsking(true);
        }}
      >
        {label}
      </Button>
    );
  }
  return (
    <div role="group" aria-label={label} className="flex flex-wrap items-center justify-end gap-2">
      <p className="text-sm text-muted">{question}</p>
      <Button
        look="danger"
        autoFocus
        onClick={() => {
          setAsking(false);
          onConfirm();
        }}
      >
        {confirm}
      </Button>
      <Button
        look="quiet"
        onClick={() => {
          setAsking(false);
        }}
      >
        {t('common.cancel')}
      </Button>
    </div>
  );
}
