/** What the health card says of a stream, before its figures. Pure. */
import type { Health, SoundHealth } from './health';

export type CardState =
  | { kind: 'off' }
  /** The streamer is gone or silent; `told` are warnings of what else there is. */
  | { kind: 'away'; seconds: number; isSlateShown: boolean; told: readonly string[] }
  | { kind: 'on'; told: readonly string[] };

/** `told` are all warnings, the stream's own among them. A room may have some that is not live: nothing of what comes can be played. */
export function cardState(health: Health, isLive: boolean, told: readonly string[]): CardState {
  const { awaySeconds, isSlateShown, warnings } = health;
  if (!isLive && (awaySeconds !== null || warnings.length === 0)) return { kind: 'off' };
  if (awaySeconds === null) return isKnown(health) ? { kind: 'on', told } : { kind: 'off' };
  // That it is away, the first of them, the card says itself, in the page's language.
  const others = told.filter((warning) => warning !== warnings[0]);
  return { kind: 'away', seconds: awaySeconds, isSlateShown, told: others };
}

/** Nothing is known of a stream that was on air before the server was started again. */
function isKnown({ hasPicture, sounds, warnings }: Health): boolean {
  return hasPicture || sounds === null || sounds.length > 0 || warnings.length > 0;
}

export type SoundState = { kind: 'some'; sounds: readonly SoundHealth[] } | { kind: 'missing' | 'unusable' };

/** null: there is nothing to say of sound, for nobody sends, or it is not clear yet what. */
export function soundState({ sounds, unsupported, hasPicture }: Health): SoundState | null {
  if (sounds === null) return null;
  if (sounds.length > 0) return { kind: 'some', sounds };
  if (unsupported.some(({ isVideo }) => !isVideo)) return { kind: 'unusable' };
  return hasPicture ? { kind: 'missing' } : null;
}
