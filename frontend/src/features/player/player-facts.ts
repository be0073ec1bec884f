/**
 * What the player knows, as a pure reducer, and the one phase that follows from it.
 * The driver (live-player) reports facts in any order; the phase is never set by hand, so it cannot go stale.
 */

export interface PlayerFacts {
  /** Is the room on air? null until the room has been asked. */
  live: boolean | null;
  /** The publisher is lost and expected back. */
  interrupted: boolean;
  /** Since when, by the clock of whoever tells. */
  interruptedSinceMs: number | null;
  /** The broadcast ended because its publisher did not come back. */
  lostForGood: boolean;
  /** This browser shows nothing of what is sent. */
  unplayable: boolean;
  /** The playhead advances. */
  moving: boolean;
  /** Something of the current broadcast has been seen. */
  hadPicture: boolean;
  /** The playlist says that nothing more will come. */
  listEnded: boolean;
  pausedByViewer: boolean;
  /** The last request got no answer. */
  linkLost: boolean;
  /** Times the picture stopped without the viewer asking for it. */
  stalls: number;
}

export type PlayerEvent =
  | { type: 'room'; live: boolean; interrupted: boolean; nowMs: number }
  | { type: 'moved' }
  | { type: 'stood' }
  | { type: 'viewerPaused' }
  | { type: 'viewerResumed' }
  | { type: 'heard' }
  | { type: 'linkLost' }
  | { type: 'listEnded' }
  | { type: 'playable'; playable: boolean }
  | { type: 'broadcastOpened' };

/** A publisher who stopped is waited for, too, but not as long: an end after this was no stop. */
const LOSS_MS = 30_000;

export type PlayerPhase =
  'starting' | 'waiting' | 'playing' | 'paused' | 'interrupted' | 'reconnecting' | 'ended' | 'unplayable';

export const nothingKnown: PlayerFacts = {
  live: null,
  interrupted: false,
  interruptedSinceMs: null,
  lostForGood: false,
  unplayable: false,
  moving: false,
  hadPicture: false,
  listEnded: false,
  pausedByViewer: false,
  linkLost: false,
  stalls: 0,
};

export function reduceFacts(facts: PlayerFacts, event: PlayerEvent): PlayerFacts {
  switch (event.type) {
    case 'room':
      return { ...reduceRoom(facts, event), linkLost: false };
    case 'moved':
      return { ...facts, moving: true, hadPicture: true, pausedByViewer: false, unplayable: false };
    case 'stood': {
      const wanted = facts.pausedByViewer || facts.listEnded;
      const stalled = facts.moving && !wanted;
      return { ...facts, moving: false, stalls: facts.stalls + (stalled ? 1 : 0) };
    }
    case 'viewerPaused':
      return { ...facts, pausedByViewer: true, moving: false };
    case 'viewerResumed':
      return { ...facts, pausedByViewer: false };
    case 'heard':
      return facts.linkLost ? { ...facts, linkLost: false } : facts;
    case 'linkLost':
      return { ...facts, linkLost: true };
    case 'listEnded':
      return { ...facts, listEnded: true };
    case 'playable':
      return { ...facts, unplayable: !event.playable };
    case 'broadcastOpened':
      return { ...facts, listEnded: false, hadPicture: false, moving: false, lostForGood: false };
  }
}

function reduceRoom(facts: PlayerFacts, room: Extract<PlayerEvent, { type: 'room' }>): PlayerFacts {
  const since = facts.interruptedSinceMs;
  const lost = facts.live !== false && !room.live && since !== null && room.nowMs - since >= LOSS_MS;
  return {
    ...facts,
    live: room.live,
    interrupted: room.interrupted,
    interruptedSinceMs: room.live && room.interrupted ? (since ?? room.nowMs) : null,
    lostForGood: facts.lostForGood || lost,
  };
}

/** Whoever was waited for is back: a relay that was restarted with its origin had no playlist, and may have now. */
export const isBack = (before: PlayerFacts, after: PlayerFacts) =>
  before.interrupted && after.live === true && !after.interrupted;

export function phaseOf(facts: PlayerFacts): PlayerPhase {
  if (facts.moving) return 'playing';
  // A list also ends where the broadcast goes on with other codecs, in another list: then the room is still on air.
  if (facts.live === false) return facts.hadPicture ? 'ended' : 'waiting';
  if (facts.unplayable) return 'unplayable';
  if (facts.pausedByViewer) return 'paused';
  if (facts.linkLost) return 'reconnecting';
  if (facts.interrupted) return 'interrupted';
  return facts.hadPicture ? 'reconnecting' : 'starting';
}
