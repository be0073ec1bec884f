import { useEffect } from 'react';
import { Icon } from '@/components/ui/icon';
import type { RoomChat } from '@/features/chat/room-chat';
import { useLanguage } from '@/i18n/locale';
import { useSelected } from '@/lib/use-store';

/** Brings the hidden chat back, and says how much was missed in it. */
export function ChatToggle({ chat, onShow }: { chat: RoomChat; onShow: () => void }) {
  const { t } = useLanguage();
  const unread = useSelected(chat.state, (state) => state.unread);
  useEffect(() => chat.looked(true), [chat]);
  return (
    <button
      type="button"
      title={t('chat.show')}
      aria-label={unread > 0 ? `${t('chat.show')}, ${t('chat.unread', { count: unread })}` : t('chat.show')}
      onClick={onShow}
      className="relative grid size-10 shrink-0 place-items-center rounded-lg text-muted hover:bg-raised hover:text-text"
    >
      <Icon name="chat" className="size-5" />
      {unread > 0 && (
        <span className="absolute top-0.5 right-0 rounded-full bg-accent px-1.5 text-[0.6875rem] leading-4 font-semibold text-ink tabular-nums">
          {unread > 99 ? '99+' : unread}
        </span>
      )}
    </button>
  );
}
