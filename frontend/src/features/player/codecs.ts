/** Codecs by the names that playlists and browsers have for them, and whether this browser plays them. Pure but for the asking. */

/** What people call a codec, as far as there is advice for it. */
export type CodecFamily =
  'h264' | 'hevc' | 'av1' | 'vp9' | 'aac' | 'opus' | 'flac' | 'ac3' | 'eac3' | 'other';

const FAMILIES: readonly (readonly [start: string, family: CodecFamily])[] = [
  ['avc1', 'h264'],
  ['avc3', 'h264'],
  ['hvc1', 'hevc'],
  ['hev1', 'hevc'],
  ['av01', 'av1'],
  ['vp09', 'vp9'],
  ['mp4a', 'aac'],
  ['opus', 'opus'],
  ['flac', 'flac'],
  ['ac-3', 'ac3'],
  ['ec-3', 'eac3'],
];

const PICTURES: readonly CodecFamily[] = ['h264', 'hevc', 'av1', 'vp9'];

/** `hvc1.1.6.L120.90` -> `hevc`. */
export function familyOf(codec: string): CodecFamily {
  const name = codec.toLowerCase();
  return FAMILIES.find(([start]) => name.startsWith(start))?.[1] ?? 'other';
}

export function isPicture(codec: string): boolean {
  return PICTURES.includes(familyOf(codec));
}

/** The codecs of a `CODECS` attribute or of a media type such as `video/mp4; codecs="hvc1.1.6.L120.90"`. */
export function codecList(text: string): string[] {
  const listed = /codecs="?([^"]*)"?/i.exec(text)?.[1] ?? text;
  return listed
    .split(',')
    .map((codec) => codec.trim())
    .filter((codec) => codec !== '');
}

/** Whether media of this type can be given to the browser; asked once per codec, as some browsers take their time. */
const answers = new Map<string, boolean>();

export function playsCodec(codec: string): boolean {
  const known = answers.get(codec);
  if (known !== undefined) return known;
  const type = `${isPicture(codec) ? 'video' : 'audio'}/mp4`;
  // iPhones have the managed kind alone.
  const { ManagedMediaSource: managed } = globalThis as { ManagedMediaSource?: typeof MediaSource };
  const source = managed ?? (globalThis as { MediaSource?: typeof MediaSource }).MediaSource;
  const spellings = familyOf(codec) === 'flac' ? ['fLaC', 'flac'] : [codec];
  const plays =
    source !== undefined &&
    spellings.some((spelling) => source.isTypeSupported(`${type}; codecs="${spelling}"`));
  answers.set(codec, plays);
  return plays;
}
