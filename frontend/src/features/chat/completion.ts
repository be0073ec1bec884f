/** What the composer offers for the word under the caret: names after `@`, emotes and emoji after `:`. Pure. */
import { emojis } from './emojis';
import type { Emote, RosterEntry } from './wire';

export interface Choice {
  /** Put into the text instead of the word, with a space behind it. */
  insert: string;
  label: string;
  /** Picture: an emoji, or the address of an emote. */
  emoji?: string;
  url?: string;
  detail?: string;
}

export interface Completion {
  /** Where the word begins that is replaced, and where it ends. */
  from: number;
  to: number;
  choices: readonly Choice[];
}

const MOST_CHOICES = 8;
/** Nicknames have at most 32 characters, and may have spaces. */
const LONGEST_WORD = 33;

export function complete(
  text: string,
  caret: number,
  roster: Iterable<RosterEntry>,
  emotes: readonly Emote[],
): Completion | null {
  const before = text.slice(Math.max(0, caret - LONGEST_WORD), caret);
  const from = (word: string) => caret - word.length;
  const named = /(?:^|\s)@([^@:]*)$/u.exec(before)?.[1];
  if (named !== undefined) {
    const choices = namesLike(named, roster);
    return choices.length === 0 ? null : { from: from(named) - 1, to: caret, choices };
  }
  const sign = /(?:^|[^A-Za-z0-9_:]):([\p{L}\p{N}_]{1,32})$/u.exec(before)?.[1];
  if (sign === undefined) return null;
  const choices = signsLike(sign, emotes);
  return choices.length === 0 ? null : { from: from(sign) - 1, to: caret, choices };
}

export function insertChoice(
  text: string,
  { from, to }: Completion,
  choice: Choice,
): { text: string; caret: number } {
  const rest = text.slice(to);
  const inserted = `${choice.insert}${rest.startsWith(' ') ? '' : ' '}`;
  const caret = from + choice.insert.length + 1;
  return { text: text.slice(0, from) + inserted + rest, caret };
}

function namesLike(typed: string, roster: Iterable<RosterEntry>): readonly Choice[] {
  const wanted = plain(typed);
  const found: { rank: number; choice: Choice }[] = [];
  for (const { nickname } of roster) {
    const rank = rankOf(plain(nickname), wanted);
    if (rank !== null) found.push({ rank, choice: { insert: `@${nickname}`, label: nickname } });
  }
  // A whole name followed by a space is finished.
  if (/\s$/u.test(typed) && found.every(({ choice }) => plain(choice.label) === wanted.trim())) return [];
  return best(found);
}

function signsLike(typed: string, emotes: readonly Emote[]): readonly Choice[] {
  const wanted = plain(typed);
  const found: { rank: number; choice: Choice }[] = [];
  for (const { name, url } of emotes) {
    const rank = rankOf(plain(name), wanted);
    if (rank !== null) found.push({ rank, choice: { insert: `:${name}:`, label: `:${name}:`, url } });
  }
  for (const { emoji, names } of emojis) {
    const ranks = names.map((name) => rankOf(plain(name), wanted)).filter((rank) => rank !== null);
    const [name = ''] = names;
    // Behind the room's own emotes.
    if (ranks.length > 0)
      found.push({ rank: Math.min(...ranks) + 0.5, choice: { insert: emoji, label: name, emoji } });
  }
  return best(found);
}

function best(found: readonly { rank: number; choice: Choice }[]): readonly Choice[] {
  return [...found]
    .sort((a, b) => a.rank - b.rank || a.choice.label.localeCompare(b.choice.label))
    .slice(0, MOST_CHOICES)
    .map(({ choice }) => choice);
}

function rankOf(name: string, wanted: string): number | null {
  if (name.startsWith(wanted)) return 0;
  if (name.split(/[\s_-]/u).some((word) => word.startsWith(wanted))) return 1;
  return wanted.length > 1 && name.includes(wanted) ? 2 : null;
}

/** Without case and accents: "zoe" finds "Zoë". */
function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
