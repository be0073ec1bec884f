import { useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react';
import { IconButton } from '@/components/ui/icon-button';
import { useLanguage } from '@/i18n/locale';
import { useSelected, useStore } from '@/lib/use-store';
import { insertChoice, type Choice } from './completion';
import { lengthOf, MOST_CHARACTERS, oneLine } from './draft';
import { EmojiPicker } from './emoji-picker';
import type { Line } from './lines';
import { ReplyChip } from './reply-chip';
import type { RoomChat } from './room-chat';
import { CharactersLeft, SpeakNote, useSpeech } from './speak-note';
import { SuggestionList, suggestionId } from './suggestion-list';
import { useCompletion } from './use-completion';

interface ComposerProps {
  chat: RoomChat;
  replyTo: Line | null;
  onReplyDone: () => void;
  /** Changes when the text is to have the focus. */
  focusKey: number;
}

/** Where messages are written. Nothing else listens to its text, so that typing redraws nothing else. */
export function Composer({ chat, replyTo, onReplyDone, focusKey }: ComposerProps) {
  const { t } = useLanguage();
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const caret = useRef<number | null>(null);
  const text = useStore(chat.draft);
  const [picking, setPicking] = useState(false);
  const [full, setFull] = useState(false);
  const suggestions = useCompletion(chat);
  const nickname = useSelected(chat.state, (state) => state.me?.nickname ?? '');
  const emotes = useSelected(chat.state, (state) => state.emotes);
  const speech = useSpeech(chat);

  const write = (next: string, at: number | null = null) => {
    caret.current = at;
    setFull(false);
    chat.draft.set(next);
  };

  useLayoutEffect(() => {
    const element = area.current;
    if (element === null) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight + 2}px`;
    if (caret.current !== null) element.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  }, [text]);

  useEffect(() => {
    if (focusKey > 0) area.current?.focus();
  }, [focusKey]);

  const insert = (inserting: string) => {
    const at = area.current?.selectionStart ?? text.length;
    write(text.slice(0, at) + inserting + text.slice(at), at + inserting.length);
    area.current?.focus();
  };
  const choose = (choice: Choice) => {
    if (suggestions.completion === null) return;
    const next = insertChoice(text, suggestions.completion, choice);
    write(next.text, next.caret);
    suggestions.close();
  };
  const length = lengthOf(text);
  const ready = length > 0 && length <= MOST_CHARACTERS && speech.mayNow;
  const send = () => {
    if (!ready) return;
    if (!chat.say(text.trim(), replyTo?.id ?? null)) {
      setFull(true);
      return;
    }
    write('');
    suggestions.close();
    onReplyDone();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (suggestions.takesKey(event, choose)) event.preventDefault();
    else if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === 'Escape' && replyTo !== null) onReplyDone();
  };

  const open = suggestions.completion;
  return (
    <div className="relative px-2 pt-1 pb-[max(0.5rem,env(safe-area-inset-bottom))]">
      {open !== null && (
        <SuggestionList
          id={`${id}-list`}
          choices={open.choices}
          active={suggestions.active}
          onChoose={choose}
        />
      )}
      {picking && (
        <EmojiPicker
          label={t('chat.emoji')}
          emotes={emotes}
          onPick={insert}
          onClose={() => setPicking(false)}
        />
      )}
      {replyTo !== null && <ReplyChip line={replyTo} onCancel={onReplyDone} />}
      <SpeakNote speech={speech} full={full} />
      {speech.mayEver && (
        <div className="flex items-end gap-1">
          <div className="relative min-w-0 flex-1">
            <textarea
              ref={area}
              rows={1}
              role="combobox"
              aria-label={t('chat.write')}
              aria-autocomplete="list"
              aria-haspopup="listbox"
              aria-expanded={open !== null}
              aria-controls={open === null ? undefined : `${id}-list`}
              aria-activedescendant={
                open === null ? undefined : suggestionId(`${id}-list`, suggestions.active)
              }
              aria-invalid={length > MOST_CHARACTERS}
              aria-describedby={`${id}-left`}
              placeholder={nickname === '' ? t('chat.write') : t('chat.writeAs', { nickname })}
              enterKeyHint="send"
              autoComplete="off"
              value={text}
              onChange={({ target }) => {
                const next = oneLine(target.value);
                write(next, next === target.value ? null : target.selectionStart);
                suggestions.look(next, target.selectionStart);
              }}
              onKeyDown={onKeyDown}
              onBlur={suggestions.close}
              className="block max-h-32 min-h-10 w-full resize-none rounded-xl border border-line bg-ink py-2 pr-10 pl-3 text-base leading-[1.375rem] placeholder:text-muted focus-visible:outline-offset-0 aria-invalid:border-danger sm:text-sm sm:leading-[1.375rem]"
            />
            <IconButton
              icon="smile"
              label={t('chat.emoji')}
              aria-haspopup="dialog"
              aria-expanded={picking}
              onClick={() => setPicking(!picking)}
              className="absolute right-0 bottom-0"
            />
          </div>
          <IconButton
            icon="send"
            label={t('chat.send')}
            disabled={!ready}
            onClick={send}
            className="text-accent hover:text-accent-strong disabled:text-muted"
          />
        </div>
      )}
      <CharactersLeft id={`${id}-left`} length={length} />
    </div>
  );
}
