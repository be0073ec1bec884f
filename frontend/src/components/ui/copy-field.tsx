import { useState } from 'react';
import { useLanguage } from '@/i18n/locale';
import { copyText } from '@/lib/clipboard';
import { Button } from './button';

interface CopyFieldProps {
  label: string;
  value: string;
  /** Hidden until asked for. */
  secret?: boolean;
}

const COPIED_MS = 2_000;

export function CopyField({ label, value, secret = false }: CopyFieldProps) {
  const { t } = useLanguage();
  const [shown, setShown] = useState(!secret);
  const [copied, setCopied] = useState(false);

  const copy = async () => {
    if (!(await copyText(value))) {
      // No way to copy here: at least show the text, so that it can be copied by hand.
      setShown(true);
      return;
    }
    setCopied(true);
    setTimeout(() => {
      setCopied(false);
    }, COPIED_MS);
  };

  return (
    <div>
      <div className="mb-1.5 text-sm text-muted">{label}</div>
      <div className="flex items-stretch gap-2">
        <code className="flex min-h-10 min-w-0 flex-1 items-center overflow-x-auto rounded-lg border border-line bg-ink px-3 font-mono text-sm whitespace-nowrap">
          {shown ? value : '••••••••••••••••'}
        </code>
        {secret && (
          <Button
            look="quiet"
            className="px-3"
            aria-pressed={shown}
            onClick={() => {
              setShown(!shown);
            }}
          >
            {shown ? t('common.hide') : t('common.show')}
          </Button>
        )}
        <Button
          className="min-w-20 px-3"
          aria-live="polite"
          aria-label={copied ? t('common.copied') : `${t('common.copy')}: ${label}`}
          onClick={() => void copy()}
        >
          {copied ? t('common.copied') : t('common.copy')}
        </Button>
      </div>
    </div>
  );
}
