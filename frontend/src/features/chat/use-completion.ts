/** The list of suggestions under the caret: what it offers, which one is chosen, and the keys that steer it. */
import { useState, type KeyboardEvent } from 'react';
import { complete, type Choice, type Completion } from './completion';
import type { RoomChat } from './room-chat';

export interface Suggestions {
  completion: Completion | null;
  active: number;
  /** Looks anew, after the text or the caret changed. */
  look: (text: string, caret: number) => void;
  close: () => void;
  /** True when the key was for the list. */
  takesKey: (event: KeyboardEvent, choose: (choice: Choice) => void) => boolean;
}

export function useCompletion(chat: RoomChat): Suggestions {
  const [completion, setCompletion] = useState<Completion | null>(null);
  const [active, setActive] = useState(0);

  const close = () => setCompletion(null);
  const look = (text: string, caret: number) => {
    const { roster, emotes } = chat.state.get();
    setCompletion(complete(text, caret, roster.values(), emotes));
    setActive(0);
  };
  const takesKey = (event: KeyboardEvent, choose: (choice: Choice) => void): boolean => {
    if (completion === null || event.nativeEvent.isComposing) return false;
    const { choices } = completion;
    switch (event.key) {
      case 'ArrowDown':
        setActive((active + 1) % choices.length);
        return true;
      case 'ArrowUp':
        setActive((active - 1 + choices.length) % choices.length);
        return true;
      case 'Tab':
      case 'Enter': {
        const choice = choices[active];
        if (choice !== undefined) choose(choice);
        return true;
      }
      case 'Escape':
        close();
        return true;
      default:
        return false;
    }
  };
  return { completion, active, look, close, takesKey };
}
