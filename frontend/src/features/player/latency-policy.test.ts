import { describe, expect, it } from 'vitest';
import { LatencyPolicy } from './latency-policy';

const sample = (nowMs: number, latencySeconds: number, bufferSeconds = 1) => ({
  nowMs,
  latencySeconds,
  targetSeconds: 1,
  bufferSeconds,
});

describe('distance from the live edge', () => {
  it('is left to hls.js while it is near the target', () => {
    const policy = new LatencyPolicy();
    expect(policy.sample(sample(0, 1))).toBeNull();
    expect(policy.sample(sample(250, 3.5))).toBeNull();
  });

  it('is mended by a jump when far too long, at most every 5 s', () => {
    const policy = new LatencyPolicy();
    expect(policy.sample(sample(0, 22))).toEqual({ kind: 'seek' });
    expect(policy.sample(sample(4_000, 22))).toBeNull();
    expect(policy.sample(sample(5_000, 22))).toEqual({ kind: 'seek' });
  });

  it('is mended by waiting when too short and the buffer is thin', () => {
    expect(new LatencyPolicy().sample(sample(0, 0.2, 0.1))).toEqual({ kind: 'hold', seconds: 0.8 });
    expect(new LatencyPolicy().sample(sample(0, 0.2, 0.9))).toBeNull();
  });

  it('never makes the viewer wait long', () => {
    const late = { ...sample(0, 0, 0), targetSeconds: 12 };
    expect(new LatencyPolicy().sample(late)).toEqual({ kind: 'hold', seconds: 3 });
  });
});
