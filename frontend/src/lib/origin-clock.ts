/**
 * The origin's time, measured from the relay's `/api/time` and the chat socket's pongs: the sample with the shortest round trip wins,
 * since its error is at most half of that trip. Uses the monotonic clock, so a corrected wall clock of the
 * viewer's machine changes nothing.
 */
import { call } from './api';

export interface Sample {
  offsetMs: number;
  roundTripMs: number;
}

const SAMPLES_KEPT = 16;
const FIRST_SAMPLES = 4;
const FIRST_GAP_MS = 250;
const LATER_GAP_MS = 30_000;

export function bestOffset(samples: readonly Sample[]): number {
  let best: Sample | null = null;
  for (const sample of samples) {
    if (best === null || sample.roundTripMs < best.roundTripMs) best = sample;
  }
  return best?.offsetMs ?? 0;
}

/** Sent at `t0`, there at `t1`, answered at `t2`, back at `t3`: the first and last by the local clock. */
export function sampleOf(t0: number, t1: number, t2: number, t3: number): Sample {
  return { offsetMs: (t1 - t0 + (t2 - t3)) / 2, roundTripMs: Math.max(0, t3 - t0 - (t2 - t1)) };
}

export function localNowMs(): number {
  return performance.timeOrigin + performance.now();
}

export class OriginClock {
  #samples: Sample[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #taken = 0;
  #running = false;

  /** Milliseconds since 1970 by the origin's clock; the local clock until a first sample is there. */
  nowMs(): number {
    return localNowMs() + bestOffset(this.#samples);
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#sample();
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  /** A sample that was taken elsewhere, as over the chat socket. */
  add(sample: Sample): void {
    this.#samples = [...this.#samples, sample].slice(-SAMPLES_KEPT);
  }

  async #sample(): Promise<void> {
    const sent = localNowMs();
    const answer = await call<{ now: string }>('GET', '/api/time');
    const received = localNowMs();
    const now = answer.ok ? Date.parse(answer.value.now) : Number.NaN;
    if (Number.isFinite(now)) {
      this.add({ offsetMs: now - (sent + received) / 2, roundTripMs: received - sent });
    }
    this.#taken += 1;
    if (!this.#running) return;
    const gap = this.#taken < FIRST_SAMPLES ? FIRST_GAP_MS : LATER_GAP_MS;
    this.#timer = setTimeout(() => void this.#sample(), gap);
  }
}
