import { describe, expect, it } from 'vitest';
import type { Offer } from './offers';
import { goalOf, nothingOffered, reduceQuality, stepOf, type QualityEvent } from './quality-state';

const offer = (quality: string, unplayable: string[] = []): Offer => ({
  quality,
  height: Number.parseInt(quality, 10) || 1080,
  frameRate: 30,
  bitRate: 1_000_000,
  unplayable,
});
const ladder = [offer('source'), offer('720p'), offer('480p'), offer('audio')];
const offered: QualityEvent = { type: 'offered', offers: ladder };
const onSource: QualityEvent = { type: 'told', quality: 'source' };
const chosen = (choice: string): QualityEvent => ({ type: 'chosen', choice });
const missing = (quality: string): QualityEvent => ({ type: 'missing', quality });

const after = (...events: QualityEvent[]) => events.reduce(reduceQuality, nothingOffered('auto'));
const stepAfter = (...events: QualityEvent[]) => stepOf(after(...events), false);

describe('the way to a quality', () => {
  it('has nothing to do before the playlist is read', () => {
    expect(stepAfter()).toEqual({ do: 'nothing' });
  });

  it('starts with the source', () => {
    expect(stepAfter(offered)).toEqual({ do: 'play', quality: 'source' });
    expect(stepAfter(offered, onSource)).toEqual({ do: 'nothing' });
  });

  it('warms a rung up before it changes to it', () => {
    expect(stepAfter(offered, onSource, chosen('720p'))).toEqual({ do: 'warm', quality: '720p' });
    expect(stepAfter(offered, onSource, chosen('720p'), { type: 'warmed', quality: '720p' })).toEqual({
      do: 'play',
      quality: '720p',
    });
  });

  it('plays the source while the rung chosen earlier gets warm', () => {
    const state = [chosen('480p'), offered] as const;
    expect(stepAfter(...state)).toEqual({ do: 'play', quality: 'source' });
    expect(stepAfter(...state, onSource)).toEqual({ do: 'warm', quality: '480p' });
  });

  it('does not use warmth of another rung', () => {
    expect(stepAfter(offered, onSource, chosen('720p'), { type: 'warmed', quality: '480p' })).toEqual({
      do: 'warm',
      quality: '720p',
    });
  });

  it('goes back to the source at once', () => {
    expect(stepAfter(offered, { type: 'told', quality: '720p' }, chosen('source'))).toEqual({
      do: 'play',
      quality: 'source',
    });
  });

  it('takes another playlist to the sound alone and back', () => {
    expect(stepAfter(offered, onSource, chosen('audio'))).toEqual({ do: 'reopen' });
    expect(stepOf(after(offered, chosen('audio')), true)).toEqual({ do: 'play', quality: 'audio' });
    expect(stepOf(after(offered, chosen('auto')), true)).toEqual({ do: 'reopen' });
  });
});

describe('what cannot be had', () => {
  it('is replaced by the source, and asked for again only by hand', () => {
    const lost = [offered, onSource, chosen('720p'), missing('720p')] as const;
    expect(stepAfter(...lost)).toEqual({ do: 'nothing' });
    expect(stepAfter(...lost, chosen('720p'))).toEqual({ do: 'warm', quality: '720p' });
  });

  it('is left as soon as it goes away', () => {
    expect(stepAfter(offered, { type: 'told', quality: '720p' }, chosen('720p'), missing('720p'))).toEqual({
      do: 'play',
      quality: 'source',
    });
  });

  it('is replaced by the best rung when the browser does not play the source', () => {
    const offers = [offer('source', ['hvc1.1.6.L120.90']), offer('720p'), offer('480p')];
    expect(stepAfter({ type: 'offered', offers })).toEqual({ do: 'warm', quality: '720p' });
    expect(goalOf(after({ type: 'offered', offers }, missing('720p')))).toBe('480p');
  });

  it('is never replaced by sound that nobody asked for', () => {
    const offers = [offer('source', ['hvc1.1.6.L120.90']), offer('audio')];
    expect(stepAfter({ type: 'offered', offers })).toEqual({ do: 'giveUp' });
    expect(stepAfter({ type: 'offered', offers }, chosen('audio'))).toEqual({ do: 'reopen' });
  });
});

describe('Auto', () => {
  it('follows its aim, and takes the source without one', () => {
    expect(goalOf(after(offered, { type: 'aimed', quality: '480p' }))).toBe('480p');
    expect(goalOf(after(offered, { type: 'aimed', quality: '480p' }, missing('480p')))).toBe('source');
  });

  it('has no aim where the viewer chose', () => {
    expect(goalOf(after(offered, { type: 'aimed', quality: '480p' }, chosen('720p')))).toBe('720p');
  });
});
