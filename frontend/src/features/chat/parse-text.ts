/** A message's text cut into what is shown differently. Always text in the end: nothing here makes markup. */

export type Part =
  | { kind: 'text'; text: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'mention'; text: string }
  | { kind: 'emote'; text: string; url: string };

const TOKEN = /https?:\/\/[^\s<>"]+|:[A-Za-z0-9_]{2,32}:/giu;

/** `names`: of viewers whom the text mentions; `emotes`: addresses by name. */
export function parseText(
  text: string,
  names: readonly string[],
  emotes: ReadonlyMap<string, string>,
): readonly Part[] {
  const parts: Part[] = [];
  let from = 0;
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const part = special(match[0], emotes);
    if (part === null) {
      // The closing colon may open an emote.
      TOKEN.lastIndex = match.index + 1;
      continue;
    }
    pushPlain(parts, text.slice(from, match.index), names);
    parts.push(part);
    from = match.index + part.text.length;
    TOKEN.lastIndex = from;
  }
  pushPlain(parts, text.slice(from), names);
  return parts;
}

function special(token: string, emotes: ReadonlyMap<string, string>): Part | null {
  if (token.startsWith(':')) {
    const url = emotes.get(token.slice(1, -1));
    return url === undefined ? null : { kind: 'emote', text: token, url };
  }
  const address = withoutTail(token);
  return URL.canParse(address) ? { kind: 'link', text: address, href: new URL(address).href } : null;
}

/** What ends a sentence or closes a bracket around the address is no part of it. */
function withoutTail(address: string): string {
  let end = address;
  for (;;) {
    const last = end.at(-1) ?? '';
    const unpaired = last === ')' && count(end, ')') > count(end, '(');
    if (!unpaired && !".,;:!?'…»]}*".includes(last)) return end;
    end = end.slice(0, -1);
    if (end === '') return end;
  }
}

function count(text: string, letter: string): number {
  return text.split(letter).length - 1;
}

function pushPlain(parts: Part[], text: string, names: readonly string[]): void {
  let rest = text;
  while (rest !== '') {
    const found = firstMention(rest, names);
    if (found === null) break;
    if (found.at > 0) parts.push({ kind: 'text', text: rest.slice(0, found.at) });
    parts.push({ kind: 'mention', text: rest.slice(found.at, found.at + found.length) });
    rest = rest.slice(found.at + found.length);
  }
  if (rest !== '') parts.push({ kind: 'text', text: rest });
}

/** The earliest, and of those at one place the longest: "@Ann 2" is not "@Ann". */
function firstMention(text: string, names: readonly string[]): { at: number; length: number } | null {
  let best: { at: number; length: number } | null = null;
  const lower = text.toLowerCase();
  for (const name of names) {
    const wanted = `@${name.toLowerCase()}`;
    const at = lower.indexOf(wanted);
    if (at < 0) continue;
    if (best === null || at < best.at || (at === best.at && wanted.length > best.length))
      best = { at, length: wanted.length };
  }
  return best;
}

/** One to three emotes or emoji and nothing else: shown large. */
export function isJumbo(parts: readonly Part[]): boolean {
  let signs = 0;
  for (const part of parts) {
    if (part.kind === 'emote') signs += 1;
    else if (part.kind === 'text') {
      const text = part.text.replace(/\s/gu, '');
      if (text !== '' && !/^(?:\p{Extended_Pictographic}|\p{Emoji_Component})+$/u.test(text)) return false;
      if (/^[\d#*]+$/u.test(text)) return false;
      signs += [...new Intl.Segmenter().segment(text)].length;
    } else return false;
  }
  return signs > 0 && signs <= 3;
}
