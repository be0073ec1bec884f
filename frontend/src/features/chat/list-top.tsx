import { useLanguage } from '@/i18n/locale';
import type { Older } from './room-chat';

interface ListTopProps {
  empty: boolean;
  /** The room's first message is right below. */
  complete: boolean;
  older: Older;
  onRetry: () => void;
}

/** What stands above the oldest message. */
export function ListTop({ empty, complete, older, onRetry }: ListTopProps) {
  const { t } = useLanguage();
  if (empty) {
    return (
      <div className="m-auto flex flex-col items-center gap-1 p-6 text-center">
        <p className="font-medium">{t('chat.emptyTitle')}</p>
        <p className="text-sm text-muted">{t('chat.emptyText')}</p>
      </div>
    );
  }
  const className = 'px-3 py-2 text-center text-xs text-muted';
  if (older === 'loading') return <p className={className}>{t('chat.loadingOlder')}</p>;
  if (older === 'failed') {
    return (
      <p className={className}>
        {t('chat.olderFailed')}{' '}
        <button type="button" onClick={onRetry} className="rounded text-accent hover:underline">
          {t('common.retry')}
        </button>
      </p>
    );
  }
  return complete ? <p className={className}>{t('chat.beginning')}</p> : null;
}
