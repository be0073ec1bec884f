/** What hosts set of a room's stream, as forms hold it. Pure. */
import type { AudioTrackLabel } from '@/lib/api-types';

export const SOUND_ONLY = 'audio';

/** Sounds that a publisher may send beside one another. */
export const MOST_SOUNDS = 4;

const RUNGS = ['1080p', '720p', '480p', '360p'];

/** The qualities to choose from: the usual ones, and whatever else is set. The largest first, the sound alone last. */
export function rungChoices(set: readonly string[]): string[] {
  const height = (rung: string) => Number.parseInt(rung, 10) || 0;
  const rungs = new Set([...RUNGS, ...set.filter((rung) => rung !== SOUND_ONLY)]);
  return [...[...rungs].sort((a, b) => height(b) - height(a)), SOUND_ONLY];
}

export function withRung(ladder: readonly string[], rung: string, on: boolean): string[] {
  const wanted = (one: string) => (one === rung ? on : ladder.includes(one));
  return rungChoices(ladder).filter(wanted);
}

/** A row of the form for the sounds. */
export interface SoundRow {
  name: string;
  language: string;
}

/** One row for each label, and always one to fill in. */
export function soundRows(labels: readonly AudioTrackLabel[]): SoundRow[] {
  const rows = labels.map(({ name, language }) => ({ name: name ?? '', language: language ?? '' }));
  return rows.length === 0 ? [{ name: '', language: '' }] : rows;
}

/** Empty rows at the end are none; one in between keeps the numbers of those after it. */
export function soundLabels(rows: readonly SoundRow[]): AudioTrackLabel[] {
  const labels = rows.map(({ name, language }) => ({
    name: name.trim() || null,
    language: language.trim() || null,
  }));
  const last = labels.findLastIndex(({ name, language }) => name !== null || language !== null);
  return labels.slice(0, last + 1);
}

export const sameLabels = (a: readonly AudioTrackLabel[], b: readonly AudioTrackLabel[]): boolean =>
  JSON.stringify(soundLabels(soundRows(a))) === JSON.stringify(soundLabels(soundRows(b)));

/** Formats and size that the server takes for the picture. */
export const PICTURE_TYPES = ['image/png', 'image/jpeg', 'image/webp'];
export const MOST_PICTURE_BYTES = 2 * 1024 * 1024;

export type PictureFault = 'tooLarge' | 'wrongType' | null;

export function pictureFault(file: { size: number; type: string }): PictureFault {
  if (!PICTURE_TYPES.includes(file.type)) return 'wrongType';
  return file.size > MOST_PICTURE_BYTES ? 'tooLarge' : null;
}
