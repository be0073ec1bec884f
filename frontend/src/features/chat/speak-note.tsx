import { useEffect, useState } from 'react';
import { useLanguage } from '@/i18n/locale';
import { useSelected } from '@/lib/use-store';
import { speaksFreely } from './acts';
import { COUNT_FROM, MOST_CHARACTERS, secondsToWait } from './draft';
import type { RoomChat } from './room-chat';

export interface Speech {
  /** The room lets this viewer write at all. */
  mayEver: boolean;
  mayNow: boolean;
  waitSeconds: number;
  slowSeconds: number;
}

/** Whether this viewer may speak, as far as can be known here. */
export function useSpeech(chat: RoomChat): Speech {
  const free = useSelected(chat.state, (state) => speaksFreely(state.me));
  const locked = useSelected(chat.state, (state) => state.room?.locked ?? false);
  const slow = useSelected(chat.state, (state) => state.room?.slowModeSeconds ?? 0);
  const spokeAtMs = useSelected(chat.state, (state) => state.spokeAtMs);
  const slowSeconds = free ? 0 : slow;
  const waitSeconds = useWait(spokeAtMs, slowSeconds);
  const mayEver = free || !locked;
  return { mayEver, mayNow: mayEver && waitSeconds === 0, waitSeconds, slowSeconds };
}

function useWait(spokeAtMs: number | null, slowSeconds: number): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  const wait = secondsToWait(spokeAtMs, slowSeconds, Math.max(nowMs, spokeAtMs ?? 0));
  useEffect(() => {
    if (wait === 0) return;
    const timer = setInterval(() => setNowMs(Date.now()), 500);
    return () => clearInterval(timer);
  }, [wait]);
  return wait;
}

export function SpeakNote({ speech, full }: { speech: Speech; full: boolean }) {
  const { t } = useLanguage();
  const text = noteText();
  return (
    <p role="status" className={text === null ? 'sr-only' : 'px-2 pb-1.5 text-xs text-muted'}>
      {text}
    </p>
  );

  function noteText(): string | null {
    if (!speech.mayEver) return t('chat.lockedNote');
    if (full) return t('chat.pending');
    if (speech.slowSeconds > 0) return t('chat.slowMode', { count: speech.slowSeconds });
    return null;
  }
}

export function CharactersLeft({ id, length }: { id: string; length: number }) {
  const { t } = useLanguage();
  if (length < COUNT_FROM) return null;
  const left = MOST_CHARACTERS - length;
  return (
    <p id={id} className={`px-2 pt-1 text-xs tabular-nums ${left < 0 ? 'text-danger' : 'text-muted'}`}>
      {left < 0 ? t('chat.error.tooLong') : t('chat.left', { count: left })}
    </p>
  );
}
