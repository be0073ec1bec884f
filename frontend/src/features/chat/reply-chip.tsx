import { Icon } from '@/components/ui/icon';
import { IconButton } from '@/components/ui/icon-button';
import { useLanguage } from '@/i18n/locale';
import type { Line } from './lines';

/** Which message is being answered. */
export function ReplyChip({ line, onCancel }: { line: Line; onCancel: () => void }) {
  const { t } = useLanguage();
  return (
    <div className="mb-2 flex items-center gap-2 rounded-lg bg-raised py-1 pr-1 pl-3 text-xs">
      <Icon name="reply" className="size-4 shrink-0 text-accent" />
      <span className="min-w-0 flex-1 truncate">
        <span className="font-semibold">{t('chat.replyTo', { nickname: line.nickname })}</span>{' '}
        <span className="text-muted">{line.text}</span>
      </span>
      <IconButton icon="close" size="small" label={t('chat.cancelReply')} onClick={onCancel} />
    </div>
  );
}
