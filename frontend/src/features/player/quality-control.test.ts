import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Engine } from './engine';
import type { Variant } from './offers';
import { QualityControl } from './quality-control';

const variant = (file: string, codecs = 'avc1.640028,mp4a.40.2'): Variant => ({
  url: `https://r.example/live/c/e/${file}.m3u8`,
  bitRate: 1_000_000,
  height: Number.parseInt(file, 10) || 1080,
  frameRate: 30,
  codecs,
});
const ladder = [variant('video'), variant('720p'), variant('audio', 'mp4a.40.2')];
const start = Date.UTC(2026, 10, 22, 10);

/** A rung that has ten seconds of media, or the status that it is answered with. */
function rungAnswers(status = 200): void {
  const playlist = `#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:${new Date(start).toISOString()}\n#EXTINF:10,\nv.m4s\n`;
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(playlist, { status })));
}

function stage(choice = 'auto') {
  const told: string[] = [];
  const owner = {
    reopen: () => void told.push('reopen'),
    playable: (playable: boolean) => {
      if (!playable) told.push('unplayable');
    },
    chosen: () => undefined,
  };
  const engine = {
    show: (quality: string) => void told.push(`show ${quality}`),
    addressOf: (quality: string) => `/live/c/e/${quality}.m3u8`,
    playingDateMs: () => start,
    easeOff: () => undefined,
    bandwidth: () => null,
  } as unknown as Engine;
  const control = new QualityControl(choice, owner, (url) => url);
  const soundOnly = control.opening();
  control.opened(engine);
  return { control, told, engine, soundOnly };
}

describe('the quality', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('MediaSource', { isTypeSupported: (type: string) => !type.includes('hvc1') });
    rungAnswers();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('is the source until a chosen rung is warm', async () => {
    const { control, told } = stage();
    control.offered(ladder);
    control.choose('720p');
    expect(told).toEqual(['show source']);
    expect(control.view.get().preparing).toBe('720p');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual(['show source', 'show 720p']);
    control.shown('720p');
    expect(control.view.get()).toMatchObject({ playing: '720p', preparing: null });
  });

  it('is not changed by a warm-up that nobody waits for any more', async () => {
    const { control, told } = stage();
    control.offered(ladder);
    control.choose('720p');
    control.choose('source');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual(['show source']);
  });

  it('falls back to the source when the rung goes away', async () => {
    const { control, told } = stage('720p');
    control.offered(ladder);
    await vi.advanceTimersByTimeAsync(1_000);
    control.gone('720p');
    expect(told).toEqual(['show source', 'show 720p', 'show source']);
    expect(control.view.get().missing).toEqual(['720p']);
  });

  it('stays where a rung is not to be had', async () => {
    rungAnswers(404);
    const { control, told } = stage('720p');
    control.offered(ladder);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual(['show source']);
    expect(control.view.get()).toMatchObject({ missing: ['720p'], preparing: null });
  });

  it('takes another engine for the sound alone', () => {
    const { control, told, engine } = stage();
    control.offered(ladder);
    control.choose('audio');
    expect(told).toEqual(['show source', 'reopen']);
    control.closed();
    expect(control.opening()).toBe(true);
    control.opened(engine);
    control.offered([variant('audio', 'mp4a.40.2')]);
    expect(told.at(-1)).toBe('show source');
    expect(control.view.get()).toMatchObject({ playing: 'audio' });
    expect(control.view.get().offers).toHaveLength(3);
  });

  it('is none where the browser plays nothing of it, and says which codecs', () => {
    const { control, told } = stage();
    control.offered([variant('video', 'hvc1.1.6.L120.90,mp4a.40.2'), variant('audio', 'mp4a.40.2')]);
    expect(told).toEqual(['unplayable']);
    expect(control.view.get().unplayable).toEqual(['hvc1.1.6.L120.90']);
  });

  it('is a rung when the browser turns out not to take the source', async () => {
    const { control, told } = stage();
    control.offered(ladder);
    control.refused('video/mp4;codecs=avc1.640028');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual(['show source', 'show 720p']);
  });
});
