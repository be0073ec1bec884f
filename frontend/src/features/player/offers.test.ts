import { describe, expect, it } from 'vitest';
import { readOffers, type Variant } from './offers';

const line = (file: string, changes: Partial<Variant> = {}): Variant => ({
  url: `https://r.example/live/cinema/0123456789abcdef/${file}?token=x`,
  bitRate: 1_000_000,
  height: 0,
  frameRate: 30,
  codecs: 'avc1.640028,mp4a.40.2',
  ...changes,
});
const names = (...lines: Variant[]) => readOffers(lines, () => true).map(({ quality }) => quality);

describe('what a broadcast offers', () => {
  it('is the source, the rungs by size and the sound alone, in whatever order they are listed', () => {
    expect(
      names(
        line('480p.m3u8', { height: 480 }),
        line('audio.m3u8', { codecs: 'mp4a.40.2' }),
        line('720p.m3u8', { height: 720 }),
        line('video.m3u8', { height: 1080 }),
      ),
    ).toEqual(['source', '720p', '480p', 'audio']);
  });

  it('is the source alone where there is no ladder', () => {
    expect(names(line('video.m3u8'))).toEqual(['source']);
  });

  it('has the sound as its source when nothing else is sent', () => {
    expect(names(line('audio.m3u8', { codecs: 'mp4a.40.2' }))).toEqual(['source']);
  });

  it('tells which codecs this browser does not play', () => {
    const offers = readOffers(
      [line('video.m3u8', { codecs: 'hvc1.1.6.L120.90,mp4a.40.2' }), line('720p.m3u8', { height: 720 })],
      (codec) => !codec.startsWith('hvc1'),
    );
    expect(offers.map(({ unplayable }) => unplayable)).toEqual([['hvc1.1.6.L120.90'], []]);
  });
});
