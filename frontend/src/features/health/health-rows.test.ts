import { describe, expect, it } from 'vitest';
import { readRows, rowLabel } from './health-rows';

describe('the health answer', () => {
  it('becomes rows and warnings, whatever measures it has', () => {
    const answer = {
      encoder: 'obs',
      video: { codec: 'avc1.64001f', fps: 30, bFrames: false, keyFrameIntervalSeconds: null },
      audio: null,
      dropped: { unusableVideo: 0, outOfTimeAudio: 2 },
      warnings: ['Key frames come every 4 s.', { detail: 'No sound.' }, 7],
    };
    expect(readRows(answer)).toEqual({
      rows: [
        { key: 'encoder', value: 'obs' },
        { key: 'video.codec', value: 'avc1.64001f' },
        { key: 'video.fps', value: 30 },
        { key: 'video.bFrames', value: false },
        { key: 'dropped.outOfTimeAudio', value: 2 },
      ],
      warnings: ['Key frames come every 4 s.', 'No sound.'],
    });
  });

  it('leaves out what is shown elsewhere, but no warning', () => {
    const answer = {
      awaySeconds: 3,
      audio: { index: 0, codec: 'mp4a.40.2', levelDb: -20, silentSeconds: 0 },
      audioTracks: [{ codec: 'mp4a.40.2' }],
      history: [{ at: 'x', fps: 3 }],
      ladder: { ffmpeg: '5.1', encoder: 'libx264', rungs: [], warnings: ['720p was dropped.'] },
      lateAudioFrames: 0,
      warnings: [],
    };
    expect(readRows(answer)).toEqual({
      rows: [{ key: 'audio.codec', value: 'mp4a.40.2' }],
      warnings: ['720p was dropped.'],
    });
  });

  it.each([null, undefined, 3, 'x', []])('is empty for %j', (answer) => {
    expect(readRows(answer)).toEqual({ rows: [], warnings: [] });
  });

  it.each([
    ['video.keyFrameIntervalSeconds', 'Video key frame interval', 's'],
    ['audio.driftMilliseconds', 'Audio drift', 'ms'],
    ['breaks', 'Breaks', ''],
  ])('names %s', (key, label, unit) => {
    expect(rowLabel(key)).toEqual([label, unit]);
  });
});
