import { useEffect, useEffectEvent, useRef, useState, type KeyboardEvent } from 'react';
import { useLanguage } from '@/i18n/locale';
import { emojis } from './emojis';
import type { Emote } from './wire';

interface EmojiPickerProps {
  label: string;
  emotes: readonly Emote[];
  /** An emoji, or `:name:` of an emote. */
  onPick: (sign: string) => void;
  onClose: () => void;
}

const COLUMNS = 8;

/** A small dialog over the composer: the room's emotes, then emoji. Arrow keys walk through them. */
export function EmojiPicker({ label, emotes, onPick, onClose }: EmojiPickerProps) {
  const { t } = useLanguage();
  const [wanted, setWanted] = useState('');
  const dialog = useRef<HTMLDivElement>(null);
  const close = useEffectEvent(onClose);

  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.querySelector('input')?.focus();
    const outside = (event: Event) => {
      if (!(event.target instanceof Node)) return;
      const opener = before instanceof Node && before.contains(event.target);
      if (dialog.current?.contains(event.target) !== true && !opener) close();
    };
    addEventListener('pointerdown', outside, true);
    return () => removeEventListener('pointerdown', outside, true);
  }, []);

  const pick = (sign: string) => {
    onClose();
    onPick(sign);
  };
  const like = wanted.trim().toLowerCase();
  const shownEmotes = emotes.filter(({ name }) => name.toLowerCase().includes(like));
  const shownEmojis = emojis.filter(({ names }) => names.some((name) => name.includes(like)));
  return (
    <div
      ref={dialog}
      role="dialog"
      aria-label={label}
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onClose();
        } else walk(event);
      }}
      className="absolute right-2 bottom-full z-20 mb-1 flex max-h-72 w-[min(21rem,calc(100%-1rem))] animate-appear flex-col rounded-xl border border-line bg-raised shadow-2xl"
    >
      <input
        type="search"
        aria-label={t('chat.emojiSearch')}
        placeholder={t('chat.emojiSearch')}
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
        className="m-2 min-h-9 rounded-lg border border-line bg-ink px-3 text-base sm:text-sm"
      />
      <div className="min-h-0 overflow-y-auto px-2 pb-2">
        {shownEmotes.length > 0 && (
          <>
            <p className="px-1 py-1 text-xs text-muted">{t('chat.emotes')}</p>
            <div className="grid grid-cols-8">
              {shownEmotes.map(({ name, url }) => (
                <Sign key={name} label={`:${name}:`} onPick={() => pick(`:${name}:`)}>
                  <img src={url} alt="" loading="lazy" className="max-h-7 max-w-full object-contain" />
                </Sign>
              ))}
            </div>
            <p className="px-1 py-1 text-xs text-muted">{t('chat.emoji')}</p>
          </>
        )}
        <div className="grid grid-cols-8">
          {shownEmojis.map(({ emoji, names }) => (
            <Sign key={emoji} label={names[0] ?? emoji} onPick={() => pick(emoji)}>
              {emoji}
            </Sign>
          ))}
        </div>
        {shownEmotes.length + shownEmojis.length === 0 && (
          <p className="p-2 text-sm text-muted">{t('chat.noEmoji')}</p>
        )}
      </div>
    </div>
  );
}

interface SignProps {
  label: string;
  onPick: () => void;
  children: React.ReactNode;
}

function Sign({ label, onPick, children }: SignProps) {
  return (
    <button
      type="button"
      tabIndex={-1}
      aria-label={label}
      title={label}
      onClick={onPick}
      className="grid aspect-square place-items-center rounded-lg text-xl hover:bg-line focus-visible:bg-line"
    >
      {children}
    </button>
  );
}

function walk(event: KeyboardEvent<HTMLElement>): void {
  const signs = [...event.currentTarget.querySelectorAll('button')];
  const at = signs.findIndex((sign) => sign === document.activeElement);
  const inText = event.target instanceof HTMLInputElement;
  if (inText && event.key === 'Enter') {
    signs[0]?.click();
  } else {
    const step = { ArrowDown: COLUMNS, ArrowUp: -COLUMNS, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined || (inText && event.key !== 'ArrowDown')) return;
    const goal = inText ? 0 : at + step;
    if (goal < 0) event.currentTarget.querySelector('input')?.focus();
    else signs[Math.min(goal, signs.length - 1)]?.focus();
  }
  event.preventDefault();
}
