/**
 * Everything a viewer sees of a room's chat, as a pure reducer over what the socket says and what the viewer does.
 * Not here: the socket, time, chance. Those who drive it hand times in.
 */
import type { Room } from '@/lib/api-types';
import { merge, remove, trim, type Line, type Reader } from './lines';
import type {
  ChatMessage,
  Emote,
  ErrorCode,
  Hello,
  KickReason,
  Notice,
  RoomChange,
  RosterEntry,
  ServerEvent,
} from './wire';

export type Connection = 'connecting' | 'open' | 'reconnecting' | 'closed';

/** Said here, and not yet seen among the room's messages. */
export interface OwnMessage {
  clientId: string;
  text: string;
  replyTo: number | null;
  mediaTime: string | null;
  saidAtMs: number;
  failed: ErrorCode | null;
}

export interface FloatingReaction {
  key: number;
  emoji: string;
}

export interface ShownNotice {
  key: number;
  notice: Notice;
}

export interface ChatState {
  connection: Connection;
  /** Why the socket stays closed; null while it does not. */
  kicked: KickReason | null;
  /** null until the first `hello`. */
  me: RosterEntry | null;
  lines: readonly Line[];
  /** The room's first message is among the lines. */
  complete: boolean;
  own: readonly OwnMessage[];
  roster: ReadonlyMap<string, RosterEntry>;
  count: number;
  room: Room | null;
  pinned: ChatMessage | null;
  emotes: readonly Emote[];
  /** The newest messages are out of sight. */
  away: boolean;
  unread: number;
  /** The unread ones stand behind this id. */
  markerAfter: number | null;
  floating: readonly FloatingReaction[];
  counts: Readonly<Record<string, number>>;
  notices: readonly ShownNotice[];
  /** What the server refused that was no message. */
  refusal: { code: ErrorCode; key: number } | null;
  /** When a message of this viewer was last taken, by the local clock. */
  spokeAtMs: number | null;
  /** Numbers things on the screen. */
  nextKey: number;
}

export type ChatAction =
  | { type: 'event'; event: ServerEvent; nowMs: number }
  | { type: 'connection'; connection: Connection; kicked?: KickReason }
  | { type: 'said'; own: OwnMessage }
  | { type: 'failed'; clientId: string; code: ErrorCode }
  | { type: 'discarded'; clientId: string }
  | { type: 'older'; messages: readonly ChatMessage[]; complete: boolean }
  | { type: 'looked'; away: boolean }
  | { type: 'floated'; key: number }
  | { type: 'noticeClosed'; key: number }
  | { type: 'refusalClosed'; key: number };

export const MOST_FLOATING = 40;
const MOST_NOTICES = 4;
/** As many as `hello` has when there are more. */
const HISTORY_LENGTH = 50;

export const emptyChat: ChatState = {
  connection: 'connecting',
  kicked: null,
  me: null,
  lines: [],
  complete: false,
  own: [],
  roster: new Map(),
  count: 0,
  room: null,
  pinned: null,
  emotes: [],
  away: false,
  unread: 0,
  markerAfter: null,
  floating: [],
  counts: {},
  notices: [],
  refusal: null,
  spokeAtMs: null,
  nextKey: 1,
};

export function reduceChat(state: ChatState, action: ChatAction): ChatState {
  switch (action.type) {
    case 'event':
      return reduceEvent(state, action.event, action.nowMs);
    case 'connection':
      return { ...state, connection: action.connection, kicked: action.kicked ?? null };
    case 'said':
      // One's own words clear the marker: who answers has read.
      return {
        ...state,
        own: [...state.own.filter((own) => own.clientId !== action.own.clientId), action.own],
        markerAfter: null,
      };
    case 'failed':
      return { ...state, own: fail(state.own, action.clientId, action.code) };
    case 'discarded':
      return { ...state, own: state.own.filter((own) => own.clientId !== action.clientId) };
    case 'older':
      return {
        ...state,
        lines: merge(state.lines, action.messages, readerOf(state)),
        complete: action.complete,
      };
    case 'looked':
      return look(state, action.away);
    case 'floated':
      return { ...state, floating: state.floating.filter(({ key }) => key !== action.key) };
    case 'noticeClosed':
      return { ...state, notices: state.notices.filter(({ key }) => key !== action.key) };
    case 'refusalClosed':
      return state.refusal?.key === action.key ? { ...state, refusal: null } : state;
  }
}

function reduceEvent(state: ChatState, event: ServerEvent, nowMs: number): ChatState {
  switch (event.type) {
    case 'hello':
      return greet(state, event);
    case 'message':
      return hear(state, withoutType(event), nowMs);
    case 'deleted':
      return {
        ...state,
        lines: remove(state.lines, event.messageId, event.by),
        pinned: state.pinned?.id === event.messageId ? null : state.pinned,
      };
    case 'reaction': {
      const floating = [...state.floating, { key: state.nextKey, emoji: event.emoji }];
      return { ...state, floating: floating.slice(-MOST_FLOATING), nextKey: state.nextKey + 1 };
    }
    case 'reactions':
      return { ...state, counts: event.counts };
    case 'presence': {
      const roster = new Map(state.roster);
      for (const viewerId of event.left) roster.delete(viewerId);
      for (const entry of event.joined) roster.set(entry.viewerId, entry);
      return { ...state, roster, count: event.count };
    }
    case 'room':
      return changeRoom(state, event);
    case 'stream':
      return state.room === null ? state : { ...state, room: { ...state.room, ...withoutType(event) } };
    case 'notice':
      return notice(state, withoutType(event));
    case 'error':
      if (event.clientId !== undefined) return { ...state, own: fail(state.own, event.clientId, event.code) };
      return { ...state, refusal: { code: event.code, key: state.nextKey }, nextKey: state.nextKey + 1 };
    case 'kicked':
    case 'token':
    case 'pong':
      return state;
  }
}

/** `hello` answers what was asked for: the last messages, or all after the newest that is here. */
function greet(state: ChatState, hello: Hello): ChatState {
  const roster = new Map(hello.roster.map((entry) => [entry.viewerId, entry]));
  const reader = { viewerId: hello.viewerId, roster };
  const isFirst = state.lines.length === 0 || hello.truncated;
  const kept = hello.deleted.reduce((lines, id) => remove(lines, id, null), isFirst ? [] : state.lines);
  const lines = trim(merge(kept, hello.history, reader), state.away);
  const answered = new Set(hello.history.map((message) => message.clientId));
  const seen = state.lines.at(-1)?.id ?? null;
  const missed = seen === null ? 0 : countUnread(hello.history, seen, hello.viewerId);
  return {
    ...state,
    connection: 'open',
    kicked: null,
    me: { viewerId: hello.viewerId, nickname: hello.nickname, role: hello.role },
    lines,
    complete: isFirst ? !hello.truncated && hello.history.length < HISTORY_LENGTH : state.complete,
    own: state.own.filter((own) => !answered.has(own.clientId)),
    roster,
    count: Math.max(hello.room.viewerCount, roster.size),
    room: hello.room,
    pinned: hello.pinned,
    emotes: hello.emotes,
    unread: state.away ? state.unread + missed : 0,
    markerAfter: state.away && state.unread === 0 && missed > 0 ? seen : state.markerAfter,
  };
}

function hear(state: ChatState, message: ChatMessage, nowMs: number): ChatState {
  const lines = merge(state.lines, [message], readerOf(state));
  const mine = message.viewerId === state.me?.viewerId;
  const own =
    message.clientId === undefined || !mine
      ? state.own
      : state.own.filter((it) => it.clientId !== message.clientId);
  if (lines === state.lines) return { ...state, own };
  const unread = state.away && !mine;
  return {
    ...state,
    lines: trim(lines, state.away),
    own,
    unread: state.unread + (unread ? 1 : 0),
    markerAfter: unread && state.unread === 0 ? (state.lines.at(-1)?.id ?? 0) : state.markerAfter,
    spokeAtMs: mine ? nowMs : state.spokeAtMs,
  };
}

function look(state: ChatState, away: boolean): ChatState {
  if (away === state.away) return state;
  if (away) return { ...state, away, markerAfter: null };
  // The marker stays, so that who comes back sees where they left off.
  return { ...state, away, unread: 0, lines: trim(state.lines, false) };
}

function changeRoom(state: ChatState, event: RoomChange & { type: 'room' }): ChatState {
  const { type: _, pinned, emotes, ...changed } = event;
  return {
    ...state,
    room: state.room === null ? null : { ...state.room, ...changed },
    count: changed.viewerCount ?? state.count,
    pinned: pinned === undefined ? state.pinned : pinned,
    emotes: emotes ?? state.emotes,
  };
}

/** One about the storage at a time: the newest figures are the true ones. */
function notice(state: ChatState, fresh: Notice): ChatState {
  const isStorage = (code: Notice['code']) => code === 'storageDown' || code === 'storageBack';
  const others = state.notices.filter(({ notice: { code } }) => !(isStorage(code) && isStorage(fresh.code)));
  const old = state.notices.find((shown) => shown.notice.code === fresh.code);
  const key = isStorage(fresh.code) && old !== undefined ? old.key : state.nextKey;
  return {
    ...state,
    notices: [...others, { key, notice: fresh }].slice(-MOST_NOTICES),
    nextKey: state.nextKey + 1,
  };
}

function fail(own: readonly OwnMessage[], clientId: string, code: ErrorCode): readonly OwnMessage[] {
  return own.map((it) => (it.clientId === clientId ? { ...it, failed: code } : it));
}

function countUnread(messages: readonly ChatMessage[], after: number, viewerId: string): number {
  return messages.filter((message) => message.id > after && message.viewerId !== viewerId).length;
}

function readerOf(state: ChatState): Reader {
  return { viewerId: state.me?.viewerId ?? '', roster: state.roster };
}

/** Keeps a union a union. */
type WithoutType<T> = T extends unknown ? Omit<T, 'type'> : never;

function withoutType<T extends { type: string }>(event: T): WithoutType<T> {
  const { type: _, ...rest } = event;
  return rest as WithoutType<T>;
}

/** The message a reply answers, if it is here. */
export function lineOf(lines: readonly Line[], id: number): Line | undefined {
  return lines.find((line) => line.id === id);
}
