/** What the live player needs of a playback engine: hls.js, or the browser's own HLS. */
import type { Quality, Variant } from './offers';
import type { Trouble } from './recovery';

/** One of several sounds of a broadcast, such as a dub. */
export interface Sound {
  id: number;
  name: string;
  /** BCP 47; empty where the host named none. */
  language: string;
}

export interface EngineEvents {
  /** Something was loaded: the relay answers. */
  heard(): void;
  /** The playlist carries ENDLIST. */
  listEnded(): void;
  /** It did from the start: played, that would be the oldest media there is. */
  foundEnded(): void;
  trouble(trouble: Trouble): void;
  /** A multivariant playlist was read: loading begins with the first `show`. */
  offered(variants: readonly Variant[]): void;
  /** The picture on screen is of this quality from now on. */
  shown(quality: Quality): void;
  /** The rung that was loaded is there no longer, or not at all: something else has to be shown. */
  rungGone(quality: Quality): void;
  /** The browser does not take media of this type, whatever it said before. */
  codecRefused(type: string): void;
  sounds(sounds: readonly Sound[], current: number): void;
}

export interface Engine {
  destroy(): void;
  /** Goes on loading after a fatal network error or a renewed token. */
  reload(): void;
  recoverMedia(): void;
  /** Loads this quality from the next segment on. */
  show(quality: Quality): void;
  /** Address of a quality's media playlist. */
  addressOf(quality: Quality): string | null;
  playSound(id: number): void;
  /** Bits per second that the line was last seen to carry. */
  bandwidth(): number | null;
  /** Plays a little slower, so that the buffer grows, until told to stop it. */
  easeOff(on: boolean): void;
  /** Where to play to be at the target latency, in seconds of the media time line. */
  livePosition(): number | null;
  /** Distance of the playhead from the end of the playlist, seconds. */
  edgeDistance(): number | null;
  targetDistance(): number | null;
  /** The target as the playlist gives it again, without what was added for stalls. */
  forgetStalls(): void;
  /** End of the newest listed media, seconds of the media time line. */
  edge(): number | null;
  /** Wall-clock time of the picture on screen, milliseconds since 1970. */
  playingDateMs(): number | null;
  /** Path that is different for every broadcast; null until a playlist is loaded. */
  broadcastPath(): string | null;
}
