/**
 * The browser's own HLS, for browsers without Media Source Extensions (older iPhones).
 * It loads by itself and says little: an error has no status, so the room is asked each time.
 */
import type { Engine, EngineEvents } from './engine';
import { EASE_OFF_RATE } from './hls-options';

interface AppleVideo extends HTMLVideoElement {
  /** Wall-clock time of position 0, where the playlist tells it. */
  getStartDate?: () => Date;
}

/** Safari plays this far behind the edge when left alone; it does not tell its target. */
const ASSUMED_TARGET_SECONDS = 3;

export class NativeEngine implements Engine {
  readonly #video: AppleVideo;
  readonly #url: string;
  readonly #stop = new AbortController();

  static supported(video: HTMLVideoElement): boolean {
    return video.canPlayType('application/vnd.apple.mpegurl') !== '';
  }

  constructor(video: HTMLVideoElement, url: string, events: EngineEvents) {
    this.#video = video;
    this.#url = url;
    const { signal } = this.#stop;
    video.addEventListener('loadeddata', () => events.heard(), { signal });
    const foundEnded = () => Number.isFinite(video.duration) && events.foundEnded();
    video.addEventListener('loadedmetadata', foundEnded, { signal });
    video.addEventListener('ended', () => events.listEnded(), { signal });
    video.addEventListener(
      'error',
      () => events.trouble({ fatal: true, kind: 'network', about: 'multivariant', status: null }),
      { signal },
    );
    video.src = url;
  }

  destroy(): void {
    this.#stop.abort();
    this.#video.removeAttribute('src');
    this.#video.load();
  }

  reload(): void {
    this.#video.src = this.#url;
  }

  recoverMedia(): void {
    this.reload();
  }

  show(): void {
    // The browser chooses by itself, and starts without being told.
  }

  addressOf(): string | null {
    return null;
  }

  playSound(): void {
    // The browser's own menu has the sounds.
  }

  bandwidth(): number | null {
    return null;
  }

  easeOff(on: boolean): void {
    this.#video.playbackRate = on ? EASE_OFF_RATE : 1;
  }

  livePosition(): number | null {
    const edge = this.edge();
    return edge === null ? null : Math.max(0, edge - ASSUMED_TARGET_SECONDS);
  }

  edgeDistance(): number | null {
    const edge = this.edge();
    return edge === null ? null : edge - this.#video.currentTime;
  }

  targetDistance(): number | null {
    return ASSUMED_TARGET_SECONDS;
  }

  forgetStalls(): void {
    // The browser keeps its own count.
  }

  edge(): number | null {
    const { seekable } = this.#video;
    return seekable.length === 0 ? null : seekable.end(seekable.length - 1);
  }

  playingDateMs(): number | null {
    const start = this.#video.getStartDate?.().getTime() ?? Number.NaN;
    return Number.isFinite(start) ? start + this.#video.currentTime * 1000 : null;
  }

  broadcastPath(): string | null {
    return null;
  }
}
