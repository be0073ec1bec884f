import { useLanguage } from '@/i18n/locale';
import type { OwnMessage } from './chat-state';

interface OwnRowProps {
  own: OwnMessage;
  onAgain: (clientId: string) => void;
  onEdit: (own: OwnMessage) => void;
  onDiscard: (clientId: string) => void;
}

const small = 'rounded px-1.5 py-1 text-xs underline-offset-2 hover:underline';

/** Said here and not yet among the room's messages, or refused. */
export function OwnRow({ own, onAgain, onEdit, onDiscard }: OwnRowProps) {
  const { t } = useLanguage();
  return (
    <div className="mt-1 border-l-2 border-transparent px-3 py-0.5 text-sm leading-relaxed">
      <span className="wrap-anywhere text-text/60">{own.text}</span>
      {own.failed === null ? (
        <span className="ml-2 animate-appear-late text-xs text-muted">{t('chat.sending')}</span>
      ) : (
        <div role="alert" className="flex flex-wrap items-center gap-x-1 text-xs text-danger">
          <span>{t(`chat.error.${own.failed}`)}</span>
          <button type="button" className={small} onClick={() => onAgain(own.clientId)}>
            {t('chat.sendAgain')}
          </button>
          <button type="button" className={small} onClick={() => onEdit(own)}>
            {t('chat.edit')}
          </button>
          <button type="button" className={small} onClick={() => onDiscard(own.clientId)}>
            {t('chat.discard')}
          </button>
        </div>
      )}
    </div>
  );
}
