import type { Emote } from './wire';

/** The picture of a reaction `:name:`; null for an emoji, and for an emote that is gone. */
export function emoteOf(sign: string, emotes: readonly Emote[]): Emote | null {
  if (!sign.startsWith(':')) return null;
  return emotes.find(({ name }) => sign === `:${name}:`) ?? null;
}
