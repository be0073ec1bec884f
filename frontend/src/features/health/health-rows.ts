/**
 * Turns the health answer into rows. The server adds measures over time; a row it adds shows up here by its
 * own name, so nothing has to be changed for it to be seen.
 */

export interface HealthRow {
  /** Path of keys, such as `video.codec`. */
  key: string;
  value: string | number | boolean;
}

export interface HealthRows {
  rows: HealthRow[];
  warnings: string[];
}

/** What has a place of its own on the page (see health), and is no row. */
const ELSEWHERE = ['awaySeconds', 'audio.index', 'audio.levelDb', 'audio.silentSeconds'];

export function readRows(answer: unknown): HealthRows {
  const health: HealthRows = { rows: [], warnings: [] };
  collect(answer, '', health);
  return health;
}

function collect(node: unknown, path: string, into: HealthRows): void {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
  for (const [key, value] of Object.entries(node) as [string, unknown][]) {
    const here = path === '' ? key : `${path}.${key}`;
    if (key === 'warnings' && Array.isArray(value))
      into.warnings.push(...value.map(warningText).filter((text) => text !== ''));
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      if (value !== '' && !isQuietCounter(here, value) && !isElsewhere(here))
        into.rows.push({ key: here, value });
    } else collect(value, here, into);
  }
}

const isElsewhere = (key: string) => key.startsWith('ladder.') || ELSEWHERE.includes(key);

const QUIET = ['silentAudioFrames', 'lateAudioFrames', 'breaks'];

/** Counters of lost frames are worth a row once they count. */
function isQuietCounter(key: string, value: unknown): boolean {
  return value === 0 && (key.startsWith('dropped.') || QUIET.includes(key));
}

function warningText(warning: unknown): string {
  if (typeof warning === 'string') return warning;
  if (typeof warning !== 'object' || warning === null) return '';
  const { detail, text, message } = warning as Record<string, unknown>;
  const found = detail ?? text ?? message;
  return typeof found === 'string' ? found : '';
}

const UNIT_ENDINGS = [
  ['Seconds', 's'],
  ['Milliseconds', 'ms'],
  ['Ms', 'ms'],
  ['Kbps', 'kbit/s'],
  ['Bytes', 'B'],
  ['Hz', 'Hz'],
  ['Ppm', 'ppm'],
] as const;

/** `video.keyFrameIntervalSeconds` -> ["Video key frame interval", "s"]. */
export function rowLabel(key: string): [label: string, unit: string] {
  const ending = UNIT_ENDINGS.find(([name]) => key.endsWith(name) && key.length > name.length);
  const stem = ending === undefined ? key : key.slice(0, -ending[0].length);
  const words = stem
    .replace(/[._]/g, ' ')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return [words.charAt(0).toUpperCase() + words.slice(1), ending?.[1] ?? ''];
}
