/** Asks the room for its state: often while there is nothing to see, rarely while it plays. One question at a time. */

export interface PolledRoom {
  isLive: boolean;
  interrupted: boolean;
}

const BUSY_MS = 2_000;
const CALM_MS = 10_000;
/** A question asked for out of turn still keeps this distance from the one before. */
const SHORTEST_GAP_MS = 500;

export class RoomPoll {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #asking = false;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly ask: () => Promise<PolledRoom | null>,
    private readonly answer: (room: PolledRoom | null) => void,
    private readonly calm: () => boolean,
  ) {}

  start(): void {
    this.#running = true;
    this.#schedule(BUSY_MS);
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  now(): void {
    const gap = this.#lastMs + SHORTEST_GAP_MS - performance.now();
    if (this.#running && !this.#asking) this.#schedule(Math.max(0, gap));
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), delayMs);
  }

  async #run(): Promise<void> {
    this.#asking = true;
    this.#lastMs = performance.now();
    const room = await this.ask();
    this.#asking = false;
    if (!this.#running) return;
    this.answer(room);
    // A fifth by chance: viewers who came together do not ask together.
    this.#schedule((this.calm() ? CALM_MS : BUSY_MS) * (0.9 + 0.2 * Math.random()));
  }
}
