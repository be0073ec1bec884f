import { describe, expect, it } from 'vitest';
import { codecList, familyOf, isPicture } from './codecs';

describe('a codec', () => {
  it.each([
    ['avc1.640028', 'h264'],
    ['hvc1.2.4.L153.B0', 'hevc'],
    ['av01.0.08M.10', 'av1'],
    ['vp09.02.10.10', 'vp9'],
    ['mp4a.40.2', 'aac'],
    ['Opus', 'opus'],
    ['fLaC', 'flac'],
    ['ac-3', 'ac3'],
    ['ec-3', 'eac3'],
    ['vvc1.1.L51', 'other'],
  ] as const)('named %s is %s', (codec, family) => {
    expect(familyOf(codec)).toBe(family);
  });

  it('is of the picture or of the sound', () => {
    expect(isPicture('hvc1.1.6.L120.90')).toBe(true);
    expect(isPicture('opus')).toBe(false);
  });

  it('is found in an attribute and in a media type', () => {
    expect(codecList('avc1.640028,mp4a.40.2')).toEqual(['avc1.640028', 'mp4a.40.2']);
    expect(codecList('video/mp4;codecs="hvc1.1.6.L120.90"')).toEqual(['hvc1.1.6.L120.90']);
    expect(codecList('')).toEqual([]);
  });
});
