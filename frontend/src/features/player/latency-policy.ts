/**
 * Keeps the distance to the live edge near its target where hls.js does not: it speeds up slightly when a
 * little late, but neither jumps when far behind (after an outage) nor waits when too near the edge,
 * where every late part would stop the picture again.
 */

export interface LatencySample {
  nowMs: number;
  /** Distance of the playhead from the end of the playlist, seconds. */
  latencySeconds: number;
  targetSeconds: number;
  /** Media buffered ahead of the playhead, seconds. */
  bufferSeconds: number;
}

export type LatencyAction = { kind: 'seek' } | { kind: 'hold'; seconds: number } | null;

/** More than this behind the target and catching up at 5 % would take over a minute: jump. */
const TOO_LATE_SECONDS = 3;
/** Nearer to the edge than the target by this much: wait until the buffer is there. */
const TOO_EARLY_SECONDS = 0.5;
const SEEK_GAP_MS = 5_000;
const HOLD_GAP_MS = 3_000;
const LONGEST_HOLD_SECONDS = 3;

export class LatencyPolicy {
  #lastSeekMs = Number.NEGATIVE_INFINITY;
  #lastHoldMs = Number.NEGATIVE_INFINITY;

  sample(sample: LatencySample): LatencyAction {
    const late = sample.latencySeconds - sample.targetSeconds;
    if (late > TOO_LATE_SECONDS && sample.nowMs - this.#lastSeekMs >= SEEK_GAP_MS) {
      this.#lastSeekMs = sample.nowMs;
      return { kind: 'seek' };
    }
    // A buffer that is full enough is no danger, whatever the playlist says about the edge.
    const thin = sample.bufferSeconds < sample.targetSeconds / 2;
    if (late < -TOO_EARLY_SECONDS && thin && sample.nowMs - this.#lastHoldMs >= HOLD_GAP_MS) {
      this.#lastHoldMs = sample.nowMs;
      return { kind: 'hold', seconds: Math.min(-late, LONGEST_HOLD_SECONDS) };
    }
    return null;
  }
}
