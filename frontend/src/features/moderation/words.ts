/** One word a line, each once, without what is around it. */
export function wordsOf(text: string): string[] {
  const words = text.split('\n').map((word) => word.trim());
  return [...new Set(words.filter((word) => word !== ''))];
}

const NAME = /^[A-Za-z0-9_]{2,32}$/;

export const isEmoteName = (name: string): boolean => NAME.test(name);

/** A name for an emote from the name of its file: `Party Parrot.gif` gives `Party_Parrot`. */
export function emoteNameOf(file: string): string {
  return file
    .replace(/\.[^.]*$/u, '')
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_]+/gu, '_')
    .replace(/^_+|_+$/gu, '')
    .slice(0, 32);
}
