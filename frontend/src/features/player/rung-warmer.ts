/**
 * Warms a rung up: asks for its playlist, which starts its encoder, until its media reaches the picture on screen.
 * A rung lags the source by what its encoder takes; where the buffer is too short for that, playback is eased off for a while.
 */
import { readReach, type RungReach } from './rung-playlist';

export interface WarmUp {
  url: string;
  /** Wall-clock time of the picture on screen; null while nothing plays. */
  playingMs(): number | null;
  easeOff(on: boolean): void;
  signal: AbortSignal;
}

export type WarmUpEnd = 'warm' | 'missing' | 'stopped';

const POLL_MS = 500;
/** A cold playlist is answered once its first part is there, which takes some target durations. */
const ANSWER_MS = 10_000;
const LONGEST_MS = 25_000;
/** Lead over the picture that a change needs, in steps of the list and what a request takes. */
const LEAD_STEPS = 2;
const REQUEST_SECONDS = 0.2;

/** Whether a change to the rung would not be noticed. */
export function isWarm(reach: RungReach, playingMs: number | null): boolean {
  if (reach.endMs === null || reach.ended) return false;
  if (playingMs === null) return true;
  return (reach.endMs - playingMs) / 1_000 >= LEAD_STEPS * reach.stepSeconds + REQUEST_SECONDS;
}

export async function warmUp(job: WarmUp): Promise<WarmUpEnd> {
  const untilMs = performance.now() + LONGEST_MS;
  let endMs: number | null = null;
  try {
    while (performance.now() < untilMs) {
      const answer = await ask(job);
      if (answer === 'stopped') return answer;
      if (answer === 'missing') return 'missing';
      if (answer !== 'busy') {
        const playingMs = job.playingMs();
        if (isWarm(answer, playingMs)) return 'warm';
        // Only a rung that moves is worth waiting for at a slower pace.
        const moves = endMs !== null && answer.endMs !== null && answer.endMs > endMs;
        const isNear = playingMs !== null && answer.endMs !== null && answer.endMs > playingMs;
        if (moves && isNear) job.easeOff(true);
        endMs = answer.endMs;
      }
      await pause(POLL_MS);
    }
    return 'missing';
  } finally {
    job.easeOff(false);
  }
}

async function ask({ url, signal }: WarmUp): Promise<RungReach | 'busy' | 'missing' | 'stopped'> {
  try {
    const answer = await fetch(url, {
      cache: 'no-store',
      credentials: 'same-origin',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    if (answer.status === 404 || answer.status === 403) return 'missing';
    return answer.ok ? readReach(await answer.text()) : 'busy';
  } catch {
    return signal.aborted ? 'stopped' : 'busy';
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
