/** What the live player is given by the room around it, and what it shows of itself. */
import type { Sound } from './engine';
import type { PlayerPhase } from './player-facts';
import type { PolledRoom } from './room-poll';

/** What the player asks of the room around it. */
export interface RoomDoor {
  slug: string;
  token(): string;
  /** Renews the viewer token; after `refused` the owner stops this player. */
  renew(): Promise<'renewed' | 'refused' | 'unreachable'>;
  /** A media request got 403: this viewer may watch no longer. */
  refuse(): void;
  /** The room as it is now; null when the answer was lost. */
  room(): Promise<PolledRoom | null>;
  /** The origin's time, milliseconds since 1970. */
  nowMs(): number;
}

export interface PlayerView {
  phase: PlayerPhase;
  /** Seconds between the moment on screen and now; null when nothing plays. */
  latencySeconds: number | null;
  stalls: number;
  /** The browser allowed only silent playback. */
  soundBlocked: boolean;
  /** What plays is the rest of a lost publisher, or the slate that stands in. */
  interrupted: boolean;
  /** The broadcast ended because its publisher did not come back. */
  lostForGood: boolean;
}

export interface SoundsView {
  sounds: readonly Sound[];
  current: number;
}

export const nothingShown: PlayerView = {
  phase: 'starting',
  latencySeconds: null,
  stalls: 0,
  soundBlocked: false,
  interrupted: false,
  lostForGood: false,
};

export const noSounds: SoundsView = { sounds: [], current: -1 };
