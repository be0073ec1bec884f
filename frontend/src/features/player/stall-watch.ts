/**
 * Notices a playhead that stands although the broadcast goes on, which hls.js does not always mend by itself.
 * First a seek to the live position; if that does not bring motion, a new player.
 */

export interface StallSample {
  nowMs: number;
  /** The playhead moved since the sample before. */
  moved: boolean;
  /** Standing is right: paused, hidden, ended, or before the first load. */
  excused: boolean;
  /** Where the newest listed media ends, in seconds of the player's time line; null when unknown. */
  edgeSeconds: number | null;
}

export type StallAction = 'seek' | 'recreate' | null;

const PATIENCE_MS = 1_500;
/** A new player may need a slow first load: it gets more time than one that has played. */
const PATIENCE_AFTER_SEEK_MS = 3_000;

export class StallWatch {
  #standsSinceMs: number | null = null;
  #edgeAtStand: number | null = null;
  #seeked = false;

  sample(sample: StallSample): StallAction {
    if (sample.moved) {
      this.reset();
      return null;
    }
    if (sample.excused || sample.edgeSeconds === null) {
      this.#standsSinceMs = null;
      return null;
    }
    if (this.#standsSinceMs === null || this.#edgeAtStand === null) {
      this.#standsSinceMs = sample.nowMs;
      this.#edgeAtStand = sample.edgeSeconds;
      return null;
    }
    const patience = this.#seeked ? PATIENCE_AFTER_SEEK_MS : PATIENCE_MS;
    const advanced = sample.edgeSeconds > this.#edgeAtStand;
    if (!advanced || sample.nowMs - this.#standsSinceMs < patience) return null;
    this.#standsSinceMs = null;
    if (this.#seeked) {
      this.#seeked = false;
      return 'recreate';
    }
    this.#seeked = true;
    return 'seek';
  }

  reset(): void {
    this.#standsSinceMs = null;
    this.#seeked = false;
  }
}
