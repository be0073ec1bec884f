/** The messages that are shown, as a list in the order of their ids: merging, deleting, keeping it short. Pure. */
import type { ChatMessage, RosterEntry } from './wire';

export interface Line extends ChatMessage {
  mine: boolean;
  mentionsMe: boolean;
  /** Names of whom it mentions, as far as they are known. */
  names: readonly string[];
  removed: 'no' | 'byAuthor' | 'byStaff';
}

/** Messages kept in memory. */
export const LINES_KEPT = 1_000;
/** While the viewer reads old messages, so many more may come before the oldest go. */
const SLACK_WHILE_AWAY = 1_000;

export interface Reader {
  viewerId: string;
  roster: ReadonlyMap<string, RosterEntry>;
}

export function toLine(message: ChatMessage, reader: Reader, lines: readonly Line[]): Line {
  const mentions = message.mentions ?? [];
  return {
    ...message,
    mine: message.viewerId === reader.viewerId,
    mentionsMe: mentions.includes(reader.viewerId),
    names: mentions.flatMap((id) => nameOf(id, reader, lines) ?? []),
    removed: 'no',
  };
}

function nameOf(viewerId: string, { roster }: Reader, lines: readonly Line[]): string | undefined {
  return roster.get(viewerId)?.nickname ?? lines.findLast((line) => line.viewerId === viewerId)?.nickname;
}

/** `lines` with the messages that are not among them yet, each at its place. */
export function merge(
  lines: readonly Line[],
  messages: readonly ChatMessage[],
  reader: Reader,
): readonly Line[] {
  const [only] = messages;
  const last = lines.at(-1);
  if (messages.length === 1 && only !== undefined && (last === undefined || only.id > last.id))
    return [...lines, toLine(only, reader, lines)];
  const known = new Set(lines.map((line) => line.id));
  const fresh = messages.filter((message) => !known.has(message.id) && known.add(message.id));
  if (fresh.length === 0) return lines;
  const added = fresh.map((message) => toLine(message, reader, lines));
  return [...lines, ...added].sort((a, b) => a.id - b.id);
}

/** The text of a deleted message is gone from memory, too. */
export function remove(lines: readonly Line[], id: number, by: string | null): readonly Line[] {
  return lines.map((line) =>
    line.id === id && line.removed === 'no'
      ? { ...line, text: '', removed: by === line.viewerId ? 'byAuthor' : 'byStaff' }
      : line,
  );
}

export function trim(lines: readonly Line[], away: boolean): readonly Line[] {
  const most = LINES_KEPT + (away ? SLACK_WHILE_AWAY : 0);
  return lines.length > most ? lines.slice(-LINES_KEPT) : lines;
}

/** Messages of one author within so long stand under one name. */
const GROUP_MS = 5 * 60_000;

export function continues(line: Line, before: Line | undefined): boolean {
  return (
    before?.viewerId === line.viewerId &&
    before.nickname === line.nickname &&
    line.replyTo === undefined &&
    Date.parse(line.sentAt) - Date.parse(before.sentAt) < GROUP_MS
  );
}
