/**
 * The playhead of the `<video>`: starts it (silently where the browser refuses sound), tells motion from
 * standing, and tells the viewer's own pauses from ours.
 */

interface PlayheadEvents {
  paused(): void;
  resumed(): void;
  playing(): void;
  /** Media is there, and the video stands paused although nobody asked for it. */
  ready(): void;
  soundBlocked(blocked: boolean): void;
}

export type Motion = 'moved' | 'stood' | 'unsure';

/** Standing is believed after this long, so that one late frame is no stall. */
const STANDING_MS = 700;
/** A larger change of position between two samples is a jump and no playback. */
const JUMP_SECONDS = 2;

export class Playhead {
  #lastPosition = -1;
  #lastMovedMs = 0;
  #holdTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #stop = new AbortController();

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly events: PlayheadEvents,
  ) {
    const { signal } = this.#stop;
    video.addEventListener('pause', () => this.#paused(), { signal });
    video.addEventListener('play', () => events.resumed(), { signal });
    video.addEventListener('playing', () => this.#playing(), { signal });
    video.addEventListener('canplay', () => this.#ready(), { signal });
    video.addEventListener('volumechange', () => this.#volumeChanged(), { signal });
  }

  /** Paused by us for a moment, to let the buffer grow. */
  get holding(): boolean {
    return this.#holdTimer !== undefined;
  }

  stop(): void {
    this.#stop.abort();
    this.#endHold();
    this.video.pause();
  }

  async play(): Promise<void> {
    this.#endHold();
    // Playing on after the end would start again at the oldest media there is.
    if (this.video.ended) return;
    try {
      await this.video.play();
    } catch (error) {
      // An interrupted attempt (a new load) is followed by another; only a refusal of sound needs an answer.
      if (!isRefusal(error) || this.#stop.signal.aborted) return;
      if (this.video.muted) {
        this.events.paused();
        return;
      }
      this.video.muted = true;
      this.events.soundBlocked(true);
      await this.play();
    }
  }

  unmute(): void {
    this.video.muted = false;
    this.events.soundBlocked(false);
    if (this.video.paused) void this.play();
  }

  seek(position: number | null): void {
    if (position === null || !Number.isFinite(position)) return;
    this.#endHold();
    this.video.currentTime = position;
    this.#lastPosition = position;
  }

  hold(seconds: number): void {
    if (this.holding) return;
    this.#holdTimer = setTimeout(() => {
      this.#holdTimer = undefined;
      void this.play();
    }, seconds * 1000);
    this.video.pause();
  }

  sample(nowMs: number): Motion {
    const position = this.video.currentTime;
    const step = position - this.#lastPosition;
    this.#lastPosition = position;
    if (
      step > 0.01 &&
      step < JUMP_SECONDS &&
      !this.video.paused &&
      !this.video.seeking &&
      this.video.readyState >= 2
    ) {
      this.#lastMovedMs = nowMs;
      return 'moved';
    }
    // A hidden page samples rarely and may be paused by the browser: nothing follows from it.
    if (document.hidden) return 'unsure';
    return nowMs - this.#lastMovedMs > STANDING_MS ? 'stood' : 'unsure';
  }

  bufferSeconds(): number {
    const { buffered, currentTime } = this.video;
    for (let i = 0; i < buffered.length; i += 1) {
      if (buffered.start(i) <= currentTime + 0.1 && currentTime < buffered.end(i))
        return buffered.end(i) - currentTime;
    }
    return 0;
  }

  /** The rest may be played out now: no more comes that would be worth waiting for. */
  release(): void {
    if (this.holding) void this.play();
  }

  #paused(): void {
    if (this.holding || this.video.ended || this.#stop.signal.aborted) return;
    this.events.paused();
  }

  #playing(): void {
    if (this.video.readyState < 2) return;
    this.#lastMovedMs = performance.now();
    this.events.playing();
  }

  #ready(): void {
    if (this.video.paused && !this.holding) this.events.ready();
  }

  #volumeChanged(): void {
    if (!this.video.muted) this.events.soundBlocked(false);
  }

  #endHold(): void {
    clearTimeout(this.#holdTimer);
    this.#holdTimer = undefined;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotAllowedError';
}
