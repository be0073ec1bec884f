import { describe, expect, it } from 'vitest';
import { Backoff } from './backoff';

describe('back-off', () => {
  it('doubles up to its cap and starts over after a success', () => {
    const backoff = new Backoff(1_000, 30_000, () => 0);
    const delays = Array.from({ length: 7 }, () => backoff.nextMs());
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    backoff.reset();
    expect(backoff.nextMs()).toBe(1_000);
  });

  it('takes at most a fifth off by chance', () => {
    expect(new Backoff(1_000, 30_000, () => 1).nextMs()).toBe(800);
  });
});
