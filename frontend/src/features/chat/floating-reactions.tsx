import { useSelected } from '@/lib/use-store';
import { emoteOf } from './emote-names';
import type { RoomChat } from './room-chat';

/** Reactions that rise over the film. Nothing here can be pointed at or is read out. */
export function FloatingReactions({ chat }: { chat: RoomChat }) {
  const floating = useSelected(chat.state, (state) => state.floating);
  const emotes = useSelected(chat.state, (state) => state.emotes);
  return (
    <div aria-hidden="true" className="pointer-events-none absolute inset-0 overflow-hidden">
      {floating.map(({ key, emoji }) => {
        const emote = emoteOf(emoji, emotes);
        return (
          <span
            key={key}
            onAnimationEnd={() => chat.floated(key)}
            style={{ right: `${laneOf(key)}%`, animationDuration: `${3.2 + (key % 5) * 0.3}s` }}
            className="absolute bottom-16 animate-rise text-4xl drop-shadow-lg will-change-transform"
          >
            {emote === null ? emoji : <img src={emote.url} alt="" className="h-10 w-auto" />}
          </span>
        );
      })}
    </div>
  );
}

/** Spread over the right third without chance: neighbours in time stand apart. */
function laneOf(key: number): number {
  return 3 + ((key * 0.618034) % 1) * 28;
}
