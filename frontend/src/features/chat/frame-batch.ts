/** Collects what comes in and hands it over once a frame, so that fifty events a second make no fifty drawings. */

/** A hidden page has no frames; it is told at leisure. */
const LATEST_MS = 250;

export class FrameBatch<T> {
  #waiting: T[] = [];
  #frame: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly take: (batch: readonly T[]) => void) {}

  add(item: T): void {
    this.#waiting.push(item);
    if (this.#timer !== undefined) return;
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
    const batch = this.#waiting;
    this.#waiting = [];
    this.take(batch);
  }
}
