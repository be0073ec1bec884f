/** What the live player needs of a playback engine: hls.js, or the browser's own HLS. */
import type { Trouble } from './recovery';

export interface EngineEvents {
  /** Something was loaded: the relay answers. */
  heard(): void;
  /** The playlist carries ENDLIST. */
  listEnded(): void;
  trouble(trouble: Trouble): void;
}

export interface Engine {
  destroy(): void;
  /** Goes on loading after a fatal network error or a renewed token. */
  reload(): void;
  recoverMedia(): void;
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
