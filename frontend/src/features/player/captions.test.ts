import { describe, expect, it } from 'vitest';
import { Captions } from './captions';

interface FakeTrack {
  kind: string;
  label: string;
  language: string;
  mode: string;
}

class FakeTracks extends EventTarget {
  readonly list: FakeTrack[] = [];

  *[Symbol.iterator]() {
    yield* this.list;
  }

  add(label: string, kind = 'captions', mode = 'hidden'): FakeTrack {
    const track = { kind, label, language: 'en', mode };
    this.list.push(track);
    this.dispatchEvent(new Event('addtrack'));
    return track;
  }
}

function stage() {
  const textTracks = new FakeTracks();
  const captions = new Captions({ textTracks } as unknown as HTMLVideoElement, true);
  return { textTracks, captions };
}

describe('captions', () => {
  it('are off until they are asked for, and one at a time', () => {
    const { textTracks, captions } = stage();
    const [first, second] = [textTracks.add('CC1'), textTracks.add('CC3')];
    expect(captions.view.get()).toMatchObject({ current: null });
    captions.choose('en/CC3');
    expect([first.mode, second.mode]).toEqual(['hidden', 'showing']);
    captions.choose(null);
    expect([first.mode, second.mode]).toEqual(['hidden', 'hidden']);
  });

  it('stay chosen when a new broadcast brings them again', () => {
    const { textTracks, captions } = stage();
    captions.choose('en/CC1');
    expect(captions.view.get().current).toBeNull();
    expect(textTracks.add('CC1').mode).toBe('showing');
    expect(captions.view.get().current).toBe('en/CC1');
  });

  it('are not offered of a broadcast that is over, nor other texts', () => {
    const { textTracks, captions } = stage();
    textTracks.add('id3', 'metadata');
    textTracks.add('CC1', 'captions', 'disabled');
    expect(captions.view.get().tracks).toEqual([]);
  });

  it('are turned on and off by one key', () => {
    const { textTracks, captions } = stage();
    const track = textTracks.add('CC1');
    captions.toggle();
    expect(track.mode).toBe('showing');
    captions.toggle();
    expect(track.mode).toBe('hidden');
  });
});
