/** Options of hls.js. The version is pinned: 1.7.4 freezes on very short last parts, older ones on gaps. */
import type { HlsConfig, LoadPolicy } from 'hls.js';

/**
 * A relay that answers nothing is given up after 2.5 s instead of 10 s, so that a dead one costs a short
 * pause and not half a minute. Errors are retried with a doubling delay.
 */
const policy: LoadPolicy = {
  default: {
    maxTimeToFirstByteMs: 2_500,
    maxLoadTimeMs: 15_000,
    timeoutRetry: { maxNumRetry: 1, retryDelayMs: 0, maxRetryDelayMs: 0 },
    errorRetry: { maxNumRetry: 3, retryDelayMs: 500, maxRetryDelayMs: 4_000 },
  },
};

export const hlsOptions: Partial<HlsConfig> = {
  lowLatencyMode: true,
  // Fragmented MP4 passes through nearly untouched: a worker would cost start-up time and a wider CSP.
  enableWorker: false,
  backBufferLength: 30,
  maxBufferLength: 30,
  // Catches up after a stall; the target itself stays the playlist's PART-HOLD-BACK.
  maxLiveSyncPlaybackRate: 1.05,
  startFragPrefetch: true,
  fragLoadPolicy: policy,
  playlistLoadPolicy: policy,
};
