/**
 * Auto: which quality suits the viewer's line. Slow to go down and slower to go up again, because each change to a rung
 * may start an encoder on the origin. Pure; the warm-up before a change is not decided here.
 */
import { isPlayable, SOUND_ONLY, type Offer, type Quality } from './offers';

export interface LineSample {
  nowMs: number;
  playing: Quality;
  offers: readonly Offer[];
  missing: readonly Quality[];
  /** Bits per second that the line was last seen to carry; null while unknown. */
  bandwidth: number | null;
  /** Stalls since the player was made; those of a lost publisher do not count. */
  stalls: number;
}

/** Part of the bandwidth that media may use. */
const SHARE = 0.8;
/** A quality that takes more than this part is at its limit: a stall then is the line's fault. */
const TIGHT_SHARE = 0.6;
const STALL_MEMORY_MS = 20_000;
const STALLS_TO_GO_DOWN = 2;
const CHANGE_GAP_MS = 10_000;
const FIRST_UP_MS = 30_000;
/** The wait before the next way up doubles each time it turned out wrong. */
const LONGEST_UP_MS = 240_000;

export class AutoQuality {
  #stalls: number | null = null;
  #stalledMs: number[] = [];
  #changedMs = Number.NEGATIVE_INFINITY;
  #wentUpMs = Number.NEGATIVE_INFINITY;
  #calmSinceMs: number | null = null;
  #upAfterMs = FIRST_UP_MS;

  /** The quality to aim at; null: stay. */
  sample(line: LineSample): Quality | null {
    this.#count(line);
    if (line.bandwidth === null || line.nowMs - this.#changedMs < CHANGE_GAP_MS) return null;
    const ways = line.offers.filter(
      (offer) => offer.quality !== SOUND_ONLY && isPlayable(offer) && !line.missing.includes(offer.quality),
    );
    const now = ways.find(({ quality }) => quality === line.playing);
    if (now === undefined) return null;
    const bandwidth = line.bandwidth;
    if (this.#isTooMuch(now, bandwidth)) return this.#down(line.nowMs, now, ways, bandwidth);
    if (line.nowMs - (this.#calmSinceMs ?? line.nowMs) < this.#upAfterMs) return null;
    const above = ways.filter((offer) => offer.bitRate > now.bitRate && offer.bitRate < bandwidth * SHARE);
    const best = above.reduce<Offer | null>((a, b) => (a === null || b.bitRate > a.bitRate ? b : a), null);
    if (best === null) return null;
    this.#change(line.nowMs);
    this.#wentUpMs = line.nowMs;
    return best.quality;
  }

  #count({ nowMs, stalls }: LineSample): void {
    if (this.#stalls !== null && stalls > this.#stalls) {
      this.#stalledMs.push(nowMs);
      this.#calmSinceMs = nowMs;
    }
    this.#stalls = stalls;
    this.#calmSinceMs ??= nowMs;
    this.#stalledMs = this.#stalledMs.filter((atMs) => nowMs - atMs < STALL_MEMORY_MS);
  }

  #isTooMuch(now: Offer, bandwidth: number): boolean {
    return this.#stalledMs.length >= STALLS_TO_GO_DOWN && now.bitRate > bandwidth * TIGHT_SHARE;
  }

  #down(nowMs: number, now: Offer, ways: readonly Offer[], bandwidth: number): Quality | null {
    const below = ways.filter((offer) => offer.bitRate < now.bitRate);
    const fitting = below.filter((offer) => offer.bitRate < bandwidth * SHARE);
    const best = fitting.reduce<Offer | null>((a, b) => (a === null || b.bitRate > a.bitRate ? b : a), null);
    const lowest = below.reduce<Offer | null>((a, b) => (a === null || b.bitRate < a.bitRate ? b : a), null);
    const wanted = best ?? lowest;
    if (wanted === null) return null;
    if (nowMs - this.#wentUpMs < LONGEST_UP_MS)
      this.#upAfterMs = Math.min(this.#upAfterMs * 2, LONGEST_UP_MS);
    this.#change(nowMs);
    return wanted.quality;
  }

  #change(nowMs: number): void {
    this.#changedMs = nowMs;
    this.#calmSinceMs = nowMs;
    this.#stalledMs = [];
  }
}
