import { describe, expect, it } from 'vitest';
import { patient } from './playlist-loader';

const config = {
  loadPolicy: { maxTimeToFirstByteMs: 2_500, maxLoadTimeMs: 15_000, timeoutRetry: null, errorRetry: null },
  timeout: 15_000,
  maxRetry: 0,
  retryDelay: 0,
  maxRetryDelay: 0,
};

describe('how long a playlist is waited for', () => {
  it('asks a blocking reload again at once, for longer than a room waits for its publisher', () => {
    const { timeoutRetry, maxTimeToFirstByteMs } = patient(config, true).loadPolicy;
    expect(maxTimeToFirstByteMs).toBe(2_500);
    expect(timeoutRetry?.retryDelayMs).toBe(0);
    expect((timeoutRetry?.maxNumRetry ?? 0) * maxTimeToFirstByteMs).toBeGreaterThan(90_000);
  });

  it('gives each attempt its time, whenever the first one began', () => {
    const { maxLoadTimeMs, maxTimeToFirstByteMs } = patient(config, true).loadPolicy;
    expect(maxLoadTimeMs).toBe(maxTimeToFirstByteMs);
  });

  it('leaves errors to hls.js, which tells them from each other', () => {
    expect(patient(config, true).loadPolicy.errorRetry).toBeNull();
  });

  it('leaves a plain reload as hls.js has it', () => {
    expect(patient(config, false)).toBe(config);
  });
});
