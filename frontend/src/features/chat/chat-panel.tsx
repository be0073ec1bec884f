/** The chat beside or below the film. Tests find its connection in `data-state`, and messages by `data-message-id`. */
import { useState, type ReactNode } from 'react';
import { Icon } from '@/components/ui/icon';
import { IconButton } from '@/components/ui/icon-button';
import { useLanguage } from '@/i18n/locale';
import { copyText } from '@/lib/clipboard';
import { Store } from '@/lib/store';
import { useSelected } from '@/lib/use-store';
import { BanDialog, SilenceDialog } from './act-dialogs';
import { ConnectionNote, NoticeList, PinnedBar, RefusalNote } from './chat-notes';
import { Composer } from './composer';
import type { Line } from './lines';
import type { MessageCommands } from './message-menu';
import { MessageList } from './message-list';
import { ReactionsBar } from './reactions-bar';
import type { RoomChat } from './room-chat';
import { RosterList } from './roster-list';
import type { RosterEntry } from './wire';

interface ChatPanelProps {
  chat: RoomChat;
  hidden: boolean;
  /** null where there is nothing to win by hiding it. */
  onHide: (() => void) | null;
  onRename: () => void;
  /** Stands in the head, for who may change the room. */
  tools: ReactNode;
}

type Asking = { what: 'silence' | 'ban'; person: RosterEntry } | null;

export function ChatPanel({ chat, hidden, onHide, onRename, tools }: ChatPanelProps) {
  const { t } = useLanguage();
  const connection = useSelected(chat.state, (state) => state.connection);
  const joined = useSelected(chat.state, (state) => state.me !== null);
  const [people, setPeople] = useState(false);
  const [replyTo, setReplyTo] = useState<Line | null>(null);
  const [focusKey, setFocusKey] = useState(0);
  const [jumps] = useState(() => new Store<{ id: number } | null>(null));
  const [asking, setAsking] = useState<Asking>(null);

  const compose = (text: string) => {
    chat.draft.set(text);
    setPeople(false);
    setFocusKey((key) => key + 1);
  };
  const silence = ({ viewerId }: RosterEntry, seconds: number, reason = '') =>
    chat.act({ type: 'timeout', viewerId, seconds, ...withReason(reason) });
  const commands: MessageCommands = {
    reply: (line) => {
      setReplyTo(line);
      setFocusKey((key) => key + 1);
    },
    copy: (line) => void copyText(line.text),
    delete: (line) => chat.act({ type: 'delete', messageId: line.id }),
    pin: (messageId) => chat.act({ type: 'pin', messageId }),
    mention: (nickname) => compose(`${chat.draft.get().trimEnd()} @${nickname} `.trimStart()),
    silence,
    silenceFor: (person) => setAsking({ what: 'silence', person }),
    ban: (person) => setAsking({ what: 'ban', person }),
  };

  return (
    <section
      aria-label={t('chat.title')}
      data-state={connection}
      hidden={hidden}
      className={`min-h-0 min-w-0 flex-col border-line bg-panel md:border-l ${hidden ? 'hidden' : 'flex'}`}
    >
      {!hidden && (
        <>
          <PanelHead chat={chat} people={people} onPeople={setPeople} onHide={onHide}>
            {tools}
          </PanelHead>
          <NoticeList chat={chat} />
          {people ? (
            <RosterList chat={chat} commands={commands} onRename={onRename} />
          ) : (
            <>
              <PinnedBar chat={chat} onShow={(id) => jumps.set({ id })} />
              <MessageList
                chat={chat}
                commands={commands}
                jumps={jumps}
                onEdit={(own) => {
                  chat.discard(own.clientId);
                  compose(own.text);
                }}
              />
            </>
          )}
          <ConnectionNote chat={chat} />
          <RefusalNote chat={chat} />
          {joined && (
            <>
              <ReactionsBar chat={chat} />
              <Composer
                chat={chat}
                replyTo={replyTo}
                onReplyDone={() => setReplyTo(null)}
                focusKey={focusKey}
              />
            </>
          )}
          {asking?.what === 'silence' && (
            <SilenceDialog
              person={asking.person}
              onClose={() => setAsking(null)}
              onAct={(seconds, reason) => {
                silence(asking.person, seconds, reason);
                setAsking(null);
              }}
            />
          )}
          {asking?.what === 'ban' && (
            <BanDialog
              person={asking.person}
              onClose={() => setAsking(null)}
              onAct={(reason) => {
                const { viewerId } = asking.person;
                chat.act({ type: 'ban', viewerId, ...withReason(reason) });
                setAsking(null);
              }}
            />
          )}
        </>
      )}
    </section>
  );
}

interface PanelHeadProps {
  chat: RoomChat;
  people: boolean;
  onPeople: (people: boolean) => void;
  onHide: (() => void) | null;
  children: ReactNode;
}

function PanelHead({ chat, people, onPeople, onHide, children }: PanelHeadProps) {
  const { t } = useLanguage();
  const count = useSelected(chat.state, (state) => state.count);
  return (
    <div className="flex h-11 shrink-0 items-center gap-0.5 border-b border-line pr-1 pl-1">
      {people ? (
        <IconButton icon="back" label={t('chat.backToChat')} onClick={() => onPeople(false)} />
      ) : (
        <span className="w-3" />
      )}
      <h2 className="min-w-0 flex-1 truncate text-sm font-semibold">
        {t(people ? 'chat.people' : 'chat.title')}
      </h2>
      {children}
      {!people && (
        <button
          type="button"
          aria-label={`${t('chat.people')}: ${count}`}
          title={t('chat.people')}
          onClick={() => onPeople(true)}
          className="flex h-10 items-center gap-1.5 rounded-lg px-2.5 text-sm text-muted tabular-nums hover:bg-raised hover:text-text"
        >
          <Icon name="people" className="size-5" />
          {count}
        </button>
      )}
      {onHide !== null && <IconButton icon="hideChat" label={t('chat.hide')} onClick={onHide} />}
    </div>
  );
}

function withReason(reason: string): { reason?: string } {
  return reason === '' ? {} : { reason };
}
