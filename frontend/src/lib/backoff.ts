/**
 * Doubling delays with a cap, for retries after failures.
 * Up to a fifth is taken off by chance so that a room full of players does not come back in one instant.
 */
export class Backoff {
  #failures = 0;

  constructor(
    private readonly firstMs: number,
    private readonly capMs: number,
    private readonly random: () => number = Math.random,
  ) {}

  nextMs(): number {
    const full = Math.min(this.firstMs * 2 ** Math.min(this.#failures, 16), this.capMs);
    this.#failures += 1;
    return Math.round(full * (1 - 0.2 * this.random()));
  }

  reset(): void {
    this.#failures = 0;
  }
}
