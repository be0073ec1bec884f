/** Rules of the text that is being written. */

/** After normalisation, as the server counts. */
export const MOST_CHARACTERS = 500;
/** From here on it is said how many are left. */
export const COUNT_FROM = 400;

/** A message is one line: what was pasted with line breaks becomes one. */
export function oneLine(text: string): string {
  return text.replace(/[^\S\r\n\u2028\u2029]*[\r\n\u2028\u2029]+\s*/gu, ' ').replace(/\t/gu, ' ');
}

export function lengthOf(text: string): number {
  return Array.from(text.normalize('NFC').trim()).length;
}

/** Seconds until this viewer may speak again in slow mode; 0: now. */
export function secondsToWait(spokeAtMs: number | null, slowSeconds: number, nowMs: number): number {
  if (spokeAtMs === null || slowSeconds === 0) return 0;
  return Math.max(0, Math.ceil((spokeAtMs + slowSeconds * 1_000 - nowMs) / 1_000));
}
