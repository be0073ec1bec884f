import { afterEach, describe, expect, it, vi } from 'vitest';
import { isWarm, warmUp } from './rung-warmer';

const start = Date.UTC(2026, 10, 22, 10);
const reach = (endSeconds: number) => ({ endMs: start + endSeconds * 1_000, stepSeconds: 0.5, ended: false });

describe('a rung is warm', () => {
  it('when it leads the picture by more than two steps', () => {
    expect(isWarm(reach(11), start + 10_000)).toBe(false);
    expect(isWarm(reach(11.2), start + 10_000)).toBe(true);
  });

  it('as soon as it has anything, where nothing plays yet', () => {
    expect(isWarm({ endMs: null, stepSeconds: 0.5, ended: false }, null)).toBe(false);
    expect(isWarm(reach(1), null)).toBe(true);
  });

  it('never after its end', () => {
    expect(isWarm({ ...reach(99), ended: true }, start)).toBe(false);
  });
});

describe('warming up', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  const playlist = (seconds: number) =>
    new Response(
      `#EXTM3U\n#EXT-X-PART-INF:PART-TARGET=0.5\n#EXT-X-PROGRAM-DATE-TIME:${new Date(start).toISOString()}\n#EXTINF:${seconds},\nv.m4s\n`,
    );

  const run = async (answers: (() => Response)[], playingMs: number | null) => {
    vi.useFakeTimers();
    const fetched = vi.fn(() =>
      Promise.resolve((answers.shift() ?? (() => new Response('', { status: 503 })))()),
    );
    vi.stubGlobal('fetch', fetched);
    const eased: boolean[] = [];
    const job = {
      url: '/live/c/e/720p.m3u8',
      playingMs: () => playingMs,
      easeOff: (on: boolean) => void eased.push(on),
      signal: new AbortController().signal,
    };
    const end = warmUp(job);
    await vi.advanceTimersByTimeAsync(60_000);
    return { end: await end, asked: fetched.mock.calls.length, eased };
  };

  it('waits until the media is there, past the answers of a busy relay', async () => {
    const busy = () => new Response('', { status: 503 });
    const { end, asked } = await run([busy, () => playlist(4), () => playlist(12)], start + 10_000);
    expect([end, asked]).toEqual(['warm', 3]);
  });

  it('eases playback off for a rung that comes near, and no longer', async () => {
    const { end, eased } = await run(
      [() => playlist(10), () => playlist(10.5), () => playlist(12)],
      start + 10_000,
    );
    expect([end, eased]).toEqual(['warm', [true, false]]);
  });

  it('gives up at once on what is not offered, and after a while on what never comes', async () => {
    expect(await run([() => new Response('', { status: 404 })], start)).toMatchObject({
      end: 'missing',
      asked: 1,
    });
    const { end, asked } = await run([], start);
    expect(end).toBe('missing');
    expect(asked).toBeGreaterThan(20);
  });
});
