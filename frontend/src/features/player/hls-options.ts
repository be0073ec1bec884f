/** Options of hls.js. The version is pinned: 1.7.4 freezes on very short last parts, older ones on gaps. */
import type { HlsConfig, LoadPolicy } from 'hls.js';
import { PartwiseTimeline } from './hls-captions';
import { PatientPlaylistLoader } from './playlist-loader';

/**
 * A relay that answers nothing is given up after 2.5 s instead of 10 s, so that a dead one costs a short
 * pause and not half a minute; playlists that may wait at the relay are asked for again, see `PatientPlaylistLoader`. Errors
 * are retried with a doubling delay.
 */
const policy: LoadPolicy = {
  default: {
    maxTimeToFirstByteMs: 2_500,
    maxLoadTimeMs: 15_000,
    timeoutRetry: { maxNumRetry: 1, retryDelayMs: 0, maxRetryDelayMs: 0 },
    errorRetry: { maxNumRetry: 3, retryDelayMs: 500, maxRetryDelayMs: 4_000 },
  },
};

/** Catches up after a stall; the target itself stays the playlist's PART-HOLD-BACK. */
export const CATCH_UP_RATE = 1.05;
/** Slow enough that the buffer grows by a second in five, and speech still sounds right. */
export const EASE_OFF_RATE = 0.85;

export const hlsOptions: Partial<HlsConfig> = {
  lowLatencyMode: true,
  // Fragmented MP4 passes through nearly untouched: a worker would cost start-up time and a wider CSP.
  enableWorker: false,
  backBufferLength: 30,
  maxBufferLength: 30,
  maxLiveSyncPlaybackRate: CATCH_UP_RATE,
  // What is loaded is said by the live player: see HlsEngine.
  autoStartLoad: false,
  preserveManualLevelOnError: true,
  startFragPrefetch: true,
  // Text tracks made by hls.js load an empty `data:` file, which the content security policy forbids.
  renderTextTracksNatively: false,
  timelineController: PartwiseTimeline,
  pLoader: PatientPlaylistLoader,
  fragLoadPolicy: policy,
  playlistLoadPolicy: policy,
};
