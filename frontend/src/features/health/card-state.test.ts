import { describe, expect, it } from 'vitest';
import { cardState, soundState } from './card-state';
import { readHealth } from './health';

const video = { codec: 'avc1.64001f', fps: 30 };
const sound = { index: 0, codec: 'mp4a.40.2', channels: 2, kbps: 160, levelDb: -20, silentSeconds: 0 };
const gone = 'The publisher is gone for 12 s, the room waits for it: start streaming again in OBS';
const ladder = '720p was dropped.';

describe('the health card', () => {
  const away = { audioTracks: [], awaySeconds: 12, warnings: [gone], slate: { state: 'off' } };

  it('has a state of its own while the streamer is away', () => {
    expect(cardState(readHealth(away), true, [gone, ladder])).toEqual({
      kind: 'away',
      seconds: 12,
      isSlateShown: false,
      told: [ladder],
    });
  });

  it('says that the slate is shown meanwhile', () => {
    const health = readHealth({ ...away, slate: { state: 'showing' } });
    expect(cardState(health, true, [gone])).toMatchObject({ kind: 'away', isSlateShown: true, told: [] });
  });

  it('says what the streamer was cut off for', () => {
    const cutOff = 'The stream was cut off for more than 100 Mb per second';
    const health = readHealth({ ...away, warnings: [gone, cutOff] });
    expect(cardState(health, true, [gone, cutOff, ladder])).toMatchObject({
      kind: 'away',
      told: [cutOff, ladder],
    });
  });

  it('is off where the server was started again and waits for the streamer', () => {
    const health = readHealth({ audioTracks: [], awaySeconds: null, warnings: [] });
    expect(cardState(health, true, [ladder])).toEqual({ kind: 'off' });
  });

  it('does not blame the sound while the streamer is away', () => {
    expect(soundState(readHealth(away))).toBeNull();
  });

  it('is on while something comes', () => {
    const health = readHealth({ video, audioTracks: [sound], awaySeconds: null, warnings: [] });
    expect(cardState(health, true, [ladder])).toEqual({ kind: 'on', told: [ladder] });
    expect(soundState(health)).toMatchObject({ kind: 'some' });
  });

  it('is off without a stream, whatever the ladder says', () => {
    const health = readHealth({ audioTracks: [], awaySeconds: null, warnings: [] });
    expect(cardState(health, false, [ladder])).toEqual({ kind: 'off' });
    expect(cardState(readHealth(away), false, [gone])).toEqual({ kind: 'off' });
  });

  it('says why of a stream that cannot go on air', () => {
    const warnings = ['No key frame comes'];
    const health = readHealth({ video, audioTracks: [], warnings });
    expect(cardState(health, false, warnings)).toEqual({ kind: 'on', told: warnings });
  });

  it.each([
    ['missing', { video, audioTracks: [] }],
    ['unusable', { video, audioTracks: [], unsupported: [{ track: 'audio', codec: 'MP3' }] }],
    ['unusable', { audioTracks: [], unsupported: [{ track: 'audio', codec: 'AAC' }] }],
  ])('calls sound %s', (kind, answer) => {
    expect(soundState(readHealth(answer))).toEqual({ kind });
  });

  it('says nothing of sound before anything is known, or where the server does not tell', () => {
    expect(soundState(readHealth({ audioTracks: [] }))).toBeNull();
    expect(soundState(readHealth({ video }))).toBeNull();
  });
});
