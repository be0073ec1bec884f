/** JSON of the chat socket, `type` first. Times are RFC 3339 strings; ids grow in one order for all viewers of a room. */
import type { Role, Room } from '@/lib/api-types';
import {
  ifThere,
  isFlag,
  isNumber,
  isRecord,
  isText,
  isWhole,
  listOf,
  oneOf,
  orNull,
  shapeOf,
  tableOf,
  type Check,
} from '@/lib/shape';

export interface ChatMessage {
  id: number;
  viewerId: string;
  nickname: string;
  role: Role;
  text: string;
  sentAt: string;
  mediaTime?: string;
  replyTo?: number;
  /** Comes back to its sender alone. */
  clientId?: string;
  /** Viewer ids of whom the text names with `@`. */
  mentions?: readonly string[];
}

export interface RosterEntry {
  viewerId: string;
  nickname: string;
  role: Role;
}

export interface Emote {
  /** Without colons. */
  name: string;
  url: string;
}

const kickReasons = [
  'banned',
  'revoked',
  'expired',
  'roomGone',
  'tooSlow',
  'misbehaved',
  'replaced',
  'goingAway',
] as const;
export type KickReason = (typeof kickReasons)[number];

const errorCodes = [
  'malformed',
  'unknownType',
  'empty',
  'tooLong',
  'rateLimited',
  'slowMode',
  'timedOut',
  'locked',
  'forbidden',
  'unavailable',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export interface Hello {
  type: 'hello';
  viewerId: string;
  /** As the room has it: another viewer may have had the wanted one. */
  nickname: string;
  role: Role;
  history: readonly ChatMessage[];
  roster: readonly RosterEntry[];
  room: Room;
  emotes: readonly Emote[];
  pinned: ChatMessage | null;
  /** Ids deleted since, among those this client may have. */
  deleted: readonly number[];
  /** Messages between `after` and the history are no longer at hand. */
  truncated: boolean;
  expiresAt: string;
}

export type Notice =
  | { code: 'storageDown'; waiting: number; dropped: number }
  | { code: 'storageBack'; kept: number; dropped: number }
  | { code: 'linkShared'; viewerId: string; nickname: string; others: number }
  | { code: 'linkRevoked'; viewerId: string; nickname: string }
  | { code: 'timedOut'; viewerId: string; nickname: string; seconds: number; by: string };

/** What changed of the room, and only that. */
export type RoomChange = Partial<Room> & { pinned?: ChatMessage | null; emotes?: readonly Emote[] };

export type ServerEvent =
  | Hello
  | ({ type: 'message' } & ChatMessage)
  | { type: 'deleted'; messageId: number; by: string }
  | { type: 'reaction'; viewerId: string; emoji: string; mediaTime?: string }
  | { type: 'reactions'; counts: Readonly<Record<string, number>> }
  | { type: 'presence'; joined: readonly RosterEntry[]; left: readonly string[]; count: number }
  | ({ type: 'room' } & RoomChange)
  | { type: 'stream'; isLive: boolean; interrupted: boolean; startedAt: string | null }
  | { type: 'token'; token: string; expiresAt: string }
  | ({ type: 'notice' } & Notice)
  | { type: 'kicked'; reason: KickReason }
  | { type: 'pong'; t0: number; t1: number; t2: number }
  | { type: 'error'; code: ErrorCode; detail: string; clientId?: string };

export type ClientFrame =
  | { type: 'say'; text: string; clientId: string; mediaTime?: string; replyTo?: number }
  | { type: 'react'; emoji: string; mediaTime?: string }
  | { type: 'delete'; messageId: number; reason?: string }
  | { type: 'timeout'; viewerId: string; seconds: number; reason?: string }
  | { type: 'ban'; viewerId: string; reason?: string }
  | { type: 'unban'; viewerId: string }
  | { type: 'pin'; messageId: number | null }
  | { type: 'slowMode'; seconds: number }
  | { type: 'lock'; locked: boolean }
  | { type: 'renew'; token?: string }
  | { type: 'ping'; t0: number };

const isRole = oneOf('viewer', 'moderator', 'host');
const isMessage = shapeOf<ChatMessage>({
  id: isWhole,
  viewerId: isText,
  nickname: isText,
  role: isRole,
  text: isText,
  sentAt: isText,
  mediaTime: ifThere(isText),
  replyTo: ifThere(isWhole),
  clientId: ifThere(isText),
  mentions: ifThere(listOf(isText)),
});
const isEntry = shapeOf<RosterEntry>({ viewerId: isText, nickname: isText, role: isRole });
const isEmote = shapeOf<Emote>({ name: isText, url: isText });
const roomFields = {
  slug: isText,
  name: isText,
  access: oneOf('invite', 'open'),
  listed: isFlag,
  locked: isFlag,
  isLive: isFlag,
  interrupted: isFlag,
  startedAt: orNull(isText),
  viewerCount: isWhole,
  slowModeSeconds: isWhole,
} as const satisfies Record<keyof Room, Check>;
const changedFields = Object.fromEntries(
  Object.entries({ ...roomFields, pinned: orNull(isMessage), emotes: listOf(isEmote) }).map(
    ([name, check]) => [name, ifThere(check)],
  ),
);

const notices: Readonly<Record<Notice['code'], Check>> = {
  storageDown: shapeOf({ waiting: isWhole, dropped: isWhole }),
  storageBack: shapeOf({ kept: isWhole, dropped: isWhole }),
  linkShared: shapeOf({ viewerId: isText, nickname: isText, others: isWhole }),
  linkRevoked: shapeOf({ viewerId: isText, nickname: isText }),
  timedOut: shapeOf({ viewerId: isText, nickname: isText, seconds: isWhole, by: isText }),
};

const events: Readonly<Record<ServerEvent['type'], Check>> = {
  hello: shapeOf<Omit<Hello, 'type'>>({
    viewerId: isText,
    nickname: isText,
    role: isRole,
    history: listOf(isMessage),
    roster: listOf(isEntry),
    room: shapeOf<Room>(roomFields),
    emotes: listOf(isEmote),
    pinned: orNull(isMessage),
    deleted: listOf(isWhole),
    truncated: isFlag,
    expiresAt: isText,
  }),
  message: isMessage,
  deleted: shapeOf({ messageId: isWhole, by: isText }),
  reaction: shapeOf({ viewerId: isText, emoji: isText, mediaTime: ifThere(isText) }),
  reactions: shapeOf({ counts: tableOf(isWhole) }),
  presence: shapeOf({ joined: listOf(isEntry), left: listOf(isText), count: isWhole }),
  room: shapeOf(changedFields),
  stream: shapeOf({ isLive: isFlag, interrupted: isFlag, startedAt: orNull(isText) }),
  token: shapeOf({ token: isText, expiresAt: isText }),
  notice: (value) => isRecord(value) && isKey(notices, value.code) && notices[value.code](value),
  kicked: shapeOf({ reason: oneOf(...kickReasons) }),
  pong: shapeOf({ t0: isNumber, t1: isNumber, t2: isNumber }),
  error: shapeOf({ code: oneOf(...errorCodes), detail: isText, clientId: ifThere(isText) }),
};

/** The event of a frame; null for what this release does not know or understand. */
export function readEvent(frame: string): ServerEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    return null;
  }
  if (!isRecord(value) || !isKey(events, value.type) || !events[value.type](value)) return null;
  // Every field was looked at just now.
  return value as unknown as ServerEvent;
}

function isKey<K extends string>(table: Readonly<Record<K, unknown>>, key: unknown): key is K {
  return typeof key === 'string' && Object.hasOwn(table, key);
}
