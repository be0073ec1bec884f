import { describe, expect, it } from 'vitest';
import { isBack, nothingKnown, phaseOf, reduceFacts, type PlayerEvent } from './player-facts';

const after = (...events: PlayerEvent[]) => events.reduce(reduceFacts, nothingKnown);
const phaseAfter = (...events: PlayerEvent[]) => phaseOf(after(...events));

const live: PlayerEvent = { type: 'room', live: true, interrupted: false, nowMs: 0 };
const interrupted: PlayerEvent = { type: 'room', live: true, interrupted: true, nowMs: 0 };
const offAir: PlayerEvent = { type: 'room', live: false, interrupted: false, nowMs: 0 };
const moved: PlayerEvent = { type: 'moved' };
const stood: PlayerEvent = { type: 'stood' };

describe('the phase', () => {
  it('is starting until the room is known and the picture moves', () => {
    expect(phaseAfter()).toBe('starting');
    expect(phaseAfter(live)).toBe('starting');
    expect(phaseAfter(live, moved)).toBe('playing');
  });

  it('is waiting while nothing is on air', () => {
    expect(phaseAfter(offAir)).toBe('waiting');
  });

  it('stays playing while buffered media of a lost publisher plays out', () => {
    expect(phaseAfter(live, moved, interrupted)).toBe('playing');
    expect(phaseAfter(live, moved, interrupted, stood)).toBe('interrupted');
  });

  it('is reconnecting when the picture stands for no reason of the stream', () => {
    expect(phaseAfter(live, moved, stood)).toBe('reconnecting');
    expect(phaseAfter(live, moved, { type: 'linkLost' }, stood)).toBe('reconnecting');
  });

  it('blames the link before the publisher, since the room may not have been heard of', () => {
    expect(phaseAfter(interrupted, moved, stood, { type: 'linkLost' })).toBe('reconnecting');
    expect(phaseAfter(interrupted, moved, stood, { type: 'linkLost' }, { type: 'heard' })).toBe(
      'interrupted',
    );
  });

  it('is paused only by the viewer', () => {
    expect(phaseAfter(live, moved, { type: 'viewerPaused' })).toBe('paused');
    expect(phaseAfter(live, moved, { type: 'viewerPaused' }, { type: 'viewerResumed' }, moved)).toBe(
      'playing',
    );
  });

  it('is paused when the browser lets nothing play before a tap', () => {
    expect(phaseAfter(live, { type: 'viewerPaused' })).toBe('paused');
  });

  it('is ended when the room is off air and the rest has played', () => {
    expect(phaseAfter(live, moved, { type: 'listEnded' }, offAir)).toBe('playing');
    expect(phaseAfter(live, moved, { type: 'listEnded' }, offAir, stood)).toBe('ended');
    expect(phaseAfter(live, moved, offAir, stood)).toBe('ended');
  });

  it('is no end where a list ends and the room is still on air', () => {
    expect(phaseAfter(live, moved, { type: 'listEnded' }, stood)).toBe('reconnecting');
    expect(phaseAfter(live, moved, { type: 'listEnded' }, stood, { type: 'broadcastOpened' })).toBe(
      'starting',
    );
  });

  it('begins anew with the next broadcast', () => {
    expect(
      phaseAfter(live, moved, { type: 'listEnded' }, stood, offAir, live, { type: 'broadcastOpened' }),
    ).toBe('starting');
  });

  it('is unplayable until something moves, and no longer than the broadcast', () => {
    const unplayable: PlayerEvent = { type: 'playable', playable: false };
    expect(phaseAfter(live, unplayable)).toBe('unplayable');
    expect(phaseAfter(live, unplayable, moved, stood)).toBe('reconnecting');
    expect(phaseAfter(live, unplayable, { type: 'playable', playable: true })).toBe('starting');
    expect(phaseAfter(live, unplayable, offAir)).toBe('waiting');
  });
});

describe('a broadcast that ends', () => {
  const room = (seconds: number, isLive: boolean, isInterrupted: boolean): PlayerEvent => ({
    type: 'room',
    live: isLive,
    interrupted: isInterrupted,
    nowMs: seconds * 1_000,
  });

  it('was lost where its publisher was waited for in vain', () => {
    const waited = [room(0, true, false), moved, room(2, true, true), room(50, true, true)];
    expect(after(...waited).lostForGood).toBe(false);
    expect(after(...waited, room(92, false, false)).lostForGood).toBe(true);
    expect(after(...waited, room(92, false, false), room(99, false, false)).lostForGood).toBe(true);
    expect(after(...waited, room(92, false, false), { type: 'broadcastOpened' }).lostForGood).toBe(false);
  });

  it('was stopped where the wait was short, or long over', () => {
    expect(after(room(0, true, true), moved, room(6, false, false)).lostForGood).toBe(false);
    expect(after(room(0, true, true), room(20, true, false), room(99, false, false)).lostForGood).toBe(false);
  });
});

describe('a publisher that was waited for', () => {
  it('is back when the room is on air and waits no more', () => {
    expect(isBack(after(interrupted), after(interrupted, live))).toBe(true);
    expect(isBack(after(interrupted), after(interrupted, interrupted))).toBe(false);
    expect(isBack(after(interrupted), after(interrupted, offAir))).toBe(false);
    expect(isBack(after(live), after(live, live))).toBe(false);
  });
});

describe('stalls', () => {
  it('count each stop of a moving picture once', () => {
    expect(after(live, moved, stood, stood, moved, stood).stalls).toBe(2);
  });

  it('do not count pauses, the end, or a picture that never moved', () => {
    expect(after(live, stood).stalls).toBe(0);
    expect(after(live, moved, { type: 'viewerPaused' }, stood).stalls).toBe(0);
    expect(after(live, moved, { type: 'listEnded' }, stood).stalls).toBe(0);
  });
});
