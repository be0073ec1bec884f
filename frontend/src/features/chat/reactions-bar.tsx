import { useEffect, useState } from 'react';
import { IconButton } from '@/components/ui/icon-button';
import { useLanguage } from '@/i18n/locale';
import { useSelected } from '@/lib/use-store';
import { EmojiPicker } from './emoji-picker';
import { quickReactions } from './emojis';
import type { RoomChat } from './room-chat';

/** So long the count of a second stays to be seen. */
const COUNT_MS = 2_500;

export function ReactionsBar({ chat }: { chat: RoomChat }) {
  const { t } = useLanguage();
  const emotes = useSelected(chat.state, (state) => state.emotes);
  const counts = useRecentCounts(chat);
  const [picking, setPicking] = useState(false);
  return (
    <div
      role="group"
      aria-label={t('chat.react')}
      className="relative flex items-center border-t border-line px-2 pt-1 max-md:short:hidden"
    >
      {quickReactions.map((emoji) => (
        <button
          key={emoji}
          type="button"
          aria-label={t('chat.reactWith', { emoji })}
          onClick={() => chat.react(emoji)}
          className="relative grid h-10 min-w-0 flex-1 place-items-center rounded-lg text-xl transition-transform hover:bg-raised active:scale-125"
        >
          {emoji}
          {(counts[emoji] ?? 0) > 1 && (
            <span
              aria-hidden="true"
              className="absolute -top-1 right-0 animate-appear rounded-full bg-line px-1.5 text-[0.6875rem] leading-4 text-text/80 tabular-nums"
            >
              {counts[emoji]}
            </span>
          )}
        </button>
      ))}
      <IconButton
        icon="plus"
        label={t('chat.moreReactions')}
        aria-haspopup="dialog"
        aria-expanded={picking}
        onClick={() => setPicking(!picking)}
      />
      {picking && (
        <EmojiPicker
          label={t('chat.moreReactions')}
          emotes={emotes}
          onPick={(sign) => chat.react(sign)}
          onClose={() => setPicking(false)}
        />
      )}
    </div>
  );
}

/** The counts as last told, until they are old. */
function useRecentCounts(chat: RoomChat): Readonly<Record<string, number>> {
  const counts = useSelected(chat.state, (state) => state.counts);
  const [old, setOld] = useState(counts);
  useEffect(() => {
    const timer = setTimeout(() => setOld(counts), COUNT_MS);
    return () => clearTimeout(timer);
  }, [counts]);
  return counts === old ? {} : counts;
}
