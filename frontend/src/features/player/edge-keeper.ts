/**
 * Keeps the picture moving and near the live edge: joins the watch for stalls, the latency policy and the
 * engine's own target, and acts on the playhead. A new engine is asked for, not made, here.
 */
import type { Engine } from './engine';
import { LatencyPolicy } from './latency-policy';
import type { Playhead } from './playhead';
import { StallWatch } from './stall-watch';

/** After this long without a stall, the extra distance from the live edge is given back. */
const STEADY_MS = 20_000;

export interface Situation {
  nowMs: number;
  /** The playhead moved since the call before. */
  moved: boolean;
  /** It counts as moving: short pauses between two samples do not end that. */
  moving: boolean;
  /** Standing is what is wanted: paused by the viewer, or at the end. */
  standsRightly: boolean;
}

export class EdgeKeeper {
  readonly #stallWatch = new StallWatch();
  readonly #latencyPolicy = new LatencyPolicy();
  #lastStallMs: number | null = null;

  constructor(private readonly playhead: Playhead) {}

  /** A new engine starts with a clean record. */
  reset(): void {
    this.#stallWatch.reset();
    this.#lastStallMs = null;
  }

  stalled(nowMs: number): void {
    this.#lastStallMs = nowMs;
  }

  /** Answers whether only a new engine can help. */
  keep(engine: Engine, { nowMs, moved, moving, standsRightly }: Situation): boolean {
    const excused = standsRightly || document.hidden || this.playhead.holding;
    const action = this.#stallWatch.sample({ nowMs, moved, excused, edgeSeconds: engine.edge() });
    if (action === 'recreate') return true;
    if (action === 'seek') this.playhead.seek(engine.livePosition());
    if (!moving || excused) return false;
    if (this.#lastStallMs !== null && nowMs - this.#lastStallMs > STEADY_MS) {
      this.#lastStallMs = null;
      engine.forgetStalls();
    }
    this.#correctLatency(engine, nowMs);
    return false;
  }

  #correctLatency(engine: Engine, nowMs: number): void {
    const latencySeconds = engine.edgeDistance();
    const targetSeconds = engine.targetDistance();
    if (latencySeconds === null || targetSeconds === null) return;
    const bufferSeconds = this.playhead.bufferSeconds();
    const correction = this.#latencyPolicy.sample({ nowMs, latencySeconds, targetSeconds, bufferSeconds });
    if (correction?.kind === 'seek') this.playhead.seek(engine.livePosition());
    if (correction?.kind === 'hold') this.playhead.hold(correction.seconds);
  }
}
