/** Collects what comes in and hands it over at most once a frame, so that fifty events a second make no fifty drawings. */

/** A hidden page has no frames; it is told at leisure. */
const LATEST_MS = 250;
/** In a busy room, so many milliseconds of events make one drawing: typing stays smooth. */
const SHORTEST_GAP_MS = 80;

export class FrameBatch<T> {
  #waiting: T[] = [];
  #lastMs = Number.NEGATIVE_INFINITY;
  #frame: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly take: (batch: readonly T[]) => void) {}

  add(item: T): void {
    this.#waiting.push(item);
    if (this.#timer !== undefined) return;
    const early = this.#lastMs + SHORTEST_GAP_MS - performance.now();
    if (early > 0) {
      this.#timer = setTimeout(() => this.flush(), early);
      return;
    }
    this.#timer = setTimeout(() => this.flush(), LATEST_MS);
    if (typeof requestAnimationFrame === 'function') this.#frame = requestAnimationFrame(() => this.flush());
  }

  /** Hands over now what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    if (this.#waiting.length === 0) return;
    this.#lastMs = performance.now();
    const batch = this.#waiting;
    this.#waiting = [];
    this.take(batch);
  }
}
