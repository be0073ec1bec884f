import { describe, expect, it } from 'vitest';
import { readHealth } from './health';

describe('the health answer', () => {
  it('is read with what has a place of its own', () => {
    const health = readHealth({
      audioTracks: [
        {
          index: 0,
          codec: 'mp4a.40.2',
          channels: 2,
          sampleRate: 48000,
          kbps: 160.2,
          levelDb: -18.3,
          silentSeconds: 0,
        },
        { index: 1, codec: 'opus', channels: 2, kbps: 96, levelDb: null, silentSeconds: 4 },
      ],
      history: [{ at: '2026-11-22T20:00:00.000Z', videoKbps: 2500.5, audioKbps: 256, fps: 30 }, { at: '?' }],
      unsupported: [{ track: 'video', codec: 'vvc1' }],
      ladder: {
        ffmpeg: '5.1.9',
        encoder: 'libx264',
        rungs: [
          { rung: '720p', state: 'running', watchers: 3, speed: 1.02, restarts: 0 },
          { rung: '480p', state: 'asleep', watchers: 0, speed: null, restarts: 1 },
        ],
        warnings: [],
      },
    });
    expect(health.sounds?.map(({ levelDb }) => levelDb)).toEqual([-18.3, null]);
    expect(health.history).toEqual([
      { atMs: Date.UTC(2026, 10, 22, 20), videoKbps: 2500.5, audioKbps: 256, fps: 30 },
    ]);
    expect(health.unsupported).toEqual([{ isVideo: true, codec: 'vvc1' }]);
    expect(health.ladder?.rungs.map(({ state, speed }) => [state, speed])).toEqual([
      ['running', 1.02],
      ['off', null],
    ]);
  });

  it.each([
    ['busy', 'busy'],
    ['crowded', 'crowded'],
    ['eclipsed', 'other'],
    [undefined, 'other'],
  ])('tells why a quality was dropped: %s', (reason, told) => {
    const health = readHealth({
      ladder: { ffmpeg: '5.1.9', rungs: [{ rung: '720p', state: 'dropped', reason, watchers: 2 }] },
    });
    expect(health.ladder?.rungs[0]).toMatchObject({ state: 'dropped', reason: told, relays: 2 });
  });

  it('tells an ffmpeg that is looked for from one that is not there', () => {
    const looking = (ladder: object) => readHealth({ ladder }).ladder?.looking;
    expect(looking({ ffmpeg: null, looking: true, rungs: [] })).toBe(true);
    expect(looking({ ffmpeg: null, looking: false, rungs: [] })).toBe(false);
    expect(looking({ ffmpeg: null, rungs: [] })).toBe(false);
  });

  it.each([null, undefined, 3, [], { history: 'x', audioTracks: 7, ladder: [] }])(
    'is empty for %j',
    (answer) => {
      expect(readHealth(answer)).toEqual({
        awaySeconds: null,
        isSlateShown: false,
        warnings: [],
        hasPicture: false,
        history: [],
        sounds: null,
        ladder: null,
        unsupported: [],
      });
    },
  );
});
