import { Fragment, useEffect, useEffectEvent, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { Icon } from '@/components/ui/icon';
import { Menu, type MenuPlace } from '@/components/ui/menu';
import { useLanguage } from '@/i18n/locale';
import type { Store } from '@/lib/store';
import { useSelected, useStore } from '@/lib/use-store';
import type { OwnMessage } from './chat-state';
import { continues, type Line } from './lines';
import { ListScroll } from './list-scroll';
import { ListTop } from './list-top';
import { messageMenu, type MessageCommands } from './message-menu';
import { MessageRow, type RowCommands } from './message-row';
import { DayMarker, isOtherDay, UnreadMarker } from './list-markers';
import { OwnRow } from './own-row';
import type { RoomChat } from './room-chat';

interface MessageListProps {
  chat: RoomChat;
  commands: MessageCommands;
  onEdit: (own: OwnMessage) => void;
  /** Which message is to be shown; a new object each time one is asked for. */
  jumps: Store<{ id: number } | null>;
}

/** At the end of the list so many rows stand; above it the list grows as it is read. */
const ROWS_AT_END = 200;
const ROWS_MORE = 100;
const LIT_MS = 1_600;
/** So long after the first history, what comes is news to read out. */
const SETTLE_MS = 1_000;
const ROW = '[data-message-id]';

export function MessageList({ chat, commands, onEdit, jumps }: MessageListProps) {
  const { t } = useLanguage();
  const scroller = useRef<HTMLDivElement>(null);
  const lines = useSelected(chat.state, (state) => state.lines);
  const own = useSelected(chat.state, (state) => state.own);
  const me = useSelected(chat.state, (state) => state.me);
  const emotes = useSelected(chat.state, (state) => state.emotes);
  const unread = useSelected(chat.state, (state) => state.unread);
  const markerAfter = useSelected(chat.state, (state) => state.markerAfter);
  const pinned = useSelected(chat.state, (state) => state.pinned);
  const complete = useSelected(chat.state, (state) => state.complete);
  const older = useStore(chat.older);
  const [scroll] = useState(() => new ListScroll(ROW));
  const [atEnd, setAtEnd] = useState(true);
  const [from, setFrom] = useState<number | null>(null);
  const [menu, setMenu] = useState<{ line: Line; place: MenuPlace } | null>(null);
  const [lit, setLit] = useState<number | null>(null);
  const settled = useSettled(me !== null);

  const emoteUrls = useMemo(() => new Map(emotes.map(({ name, url }) => [name, url])), [emotes]);
  const byId = useMemo(() => new Map(lines.map((line) => [line.id, line])), [lines]);
  const start = firstShown(lines, from);
  const shown = lines.slice(start);

  const heard = useEffectEvent((nowAtEnd: boolean) => {
    setAtEnd(nowAtEnd);
    setFrom((id) => (nowAtEnd ? null : (id ?? shown[0]?.id ?? null)));
  });
  const nearTop = useEffectEvent(() => {
    if (start > 0) setFrom(lines[Math.max(0, start - ROWS_MORE)]?.id ?? null);
    else if (older === 'idle' && !complete)
      void chat.loadOlder().then(() => setFrom((id) => (id === null ? null : 0)));
  });

  useEffect(() => {
    const list = scroller.current;
    if (list === null) return;
    return scroll.attach(list, { moved: (nowAtEnd) => heard(nowAtEnd), nearTop: () => nearTop() });
  }, [scroll]);

  useLayoutEffect(() => scroll.settle());

  // Who speaks wants to see it said.
  const newestOwn = own.at(-1)?.clientId;
  useEffect(() => {
    if (newestOwn !== undefined) scroll.toEnd();
  }, [scroll, newestOwn]);

  useAway(chat, !atEnd);

  const jumpTo = (id: number) => {
    const index = lines.findIndex((line) => line.id === id);
    if (index < 0) return;
    setAtEnd(false);
    setFrom((shownFrom) => Math.min(shownFrom ?? id, lines[Math.max(0, index - 20)]?.id ?? id));
    setLit(id);
    requestAnimationFrame(() => {
      const row = scroller.current?.querySelector<HTMLElement>(`[data-message-id="${id}"]`);
      if (!row) return;
      scroll.toRow(row);
      row.focus({ preventScroll: true });
    });
  };
  const [rowCommands] = useState<RowCommands>(() => ({
    openMenu: (line, place) => setMenu({ line, place }),
    jumpTo: (id) => jumps.set({ id }),
  }));

  const jump = useEffectEvent(() => {
    const wanted = jumps.get();
    if (wanted !== null) jumpTo(wanted.id);
  });
  useEffect(() => jumps.subscribe(() => jump()), [jumps]);

  useEffect(() => {
    if (lit === null) return;
    const timer = setTimeout(() => setLit(null), LIT_MS);
    return () => clearTimeout(timer);
  }, [lit]);

  const markerId =
    markerAfter === null ? null : shown.find((line) => line.id > markerAfter && !line.mine)?.id;
  const myName = me?.nickname ?? '';
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        className="size-full overflow-y-auto overscroll-contain [overflow-anchor:none] [scrollbar-color:var(--color-line)_transparent] [scrollbar-width:thin]"
      >
        <div
          role="log"
          aria-label={t('chat.messages')}
          aria-live={settled && atEnd ? 'polite' : 'off'}
          aria-busy={older === 'loading'}
          onKeyDown={walkRows}
          className="flex min-h-full flex-col justify-end px-1 pt-2 pb-3"
        >
          <ListTop
            empty={me !== null && lines.length === 0 && own.length === 0}
            complete={complete && start === 0 && lines.length > 0}
            older={older}
            onRetry={() => void chat.loadOlder()}
          />
          {shown.map((line, index) => (
            <Fragment key={line.id}>
              {isOtherDay(line, shown[index - 1]) && <DayMarker iso={line.sentAt} />}
              {line.id === markerId && <UnreadMarker />}
              <MessageRow
                line={line}
                continued={line.id !== markerId && continues(line, shown[index - 1])}
                quoted={line.replyTo === undefined ? undefined : byId.get(line.replyTo)}
                myName={myName}
                emotes={emoteUrls}
                tabbable={index === shown.length - 1}
                lit={lit === line.id}
                commands={rowCommands}
              />
            </Fragment>
          ))}
          {own.map((it) => (
            <OwnRow
              key={it.clientId}
              own={it}
              onAgain={(clientId) => chat.sayAgain(clientId)}
              onDiscard={(clientId) => chat.discard(clientId)}
              onEdit={onEdit}
            />
          ))}
        </div>
      </div>
      {!atEnd && (
        <button
          type="button"
          onClick={() => {
            scroll.toEnd();
            setAtEnd(true);
            setFrom(null);
          }}
          className={`absolute bottom-3 left-1/2 flex min-h-9 -translate-x-1/2 animate-appear items-center whitespace-nowrap gap-1.5 rounded-full py-1 pr-4 pl-3 text-sm font-medium shadow-lg ${
            unread > 0
              ? 'bg-accent text-ink hover:bg-accent-strong'
              : 'border border-line bg-raised hover:bg-line'
          }`}
        >
          <Icon name="down" className="size-4" />
          {unread > 0 ? t('chat.unread', { count: unread }) : t('chat.newest')}
        </button>
      )}
      {menu !== null && (
        <Menu
          label={t('chat.options', { nickname: menu.line.nickname })}
          items={messageMenu(menu.line, me, pinned?.id ?? null, commands, t)}
          place={menu.place}
          onClose={() => setMenu(null)}
        />
      )}
    </div>
  );
}

function firstShown(lines: readonly Line[], from: number | null): number {
  const atEnd = Math.max(0, lines.length - ROWS_AT_END);
  if (from === null) return atEnd;
  const index = lines.findIndex((line) => line.id >= from);
  return index < 0 ? atEnd : Math.min(index, atEnd);
}

/** Up and down go from message to message; Enter opens a message's menu. */
function walkRows(event: React.KeyboardEvent<HTMLElement>): void {
  const row = event.target instanceof Element && event.target.matches(ROW) ? event.target : null;
  if (row === null || !['ArrowUp', 'ArrowDown', 'Home', 'End'].includes(event.key)) return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>(ROW)];
  const at = rows.findIndex((it) => it === row);
  const goal = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: rows.length - 1 }[event.key];
  rows[goal ?? at]?.focus();
  event.preventDefault();
}

/** What is out of sight counts as unread: scrolled up, in another tab, or not drawn at all. */
function useAway(chat: RoomChat, scrolledUp: boolean): void {
  useEffect(() => {
    const look = () => chat.looked(scrolledUp || document.hidden);
    look();
    document.addEventListener('visibilitychange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      chat.looked(true);
    };
  }, [chat, scrolledUp]);
}

function useSettled(ready: boolean): boolean {
  const [settled, setSettled] = useState(false);
  useEffect(() => {
    if (!ready) return;
    const timer = setTimeout(() => setSettled(true), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [ready]);
  return settled;
}
