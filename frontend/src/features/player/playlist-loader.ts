/** Playlist requests that wait at the relay for the next part, and how long a page goes on asking them. */
import Hls, {
  type HlsConfig,
  type Loader,
  type LoaderCallbacks,
  type LoaderConfiguration,
  type PlaylistLoaderContext,
} from 'hls.js';

/** Longer than a room waits for its publisher (90 s): by then the playlist has gone on or has ended. */
const PATIENCE_MS = 120_000;

/**
 * The same request with more patience, where it is a blocking reload. hls.js 1.7.3 gives it up for a plain one after the first
 * time-out and does not wait at the relay again before a plain one, each half a target duration later, has seen something new:
 * after an outage the picture would come back up to that much later. Each attempt is as short as before. That a relay answers
 * nothing at all is seen by asking for the room, see `RoomPoll`.
 */
export function patient(config: LoaderConfiguration, isBlockingReload: boolean): LoaderConfiguration {
  if (!isBlockingReload) return config;
  const { loadPolicy } = config;
  const attempts = Math.ceil(PATIENCE_MS / loadPolicy.maxTimeToFirstByteMs);
  const timeoutRetry = { maxNumRetry: attempts, retryDelayMs: 0, maxRetryDelayMs: 0 };
  // hls.js counts this one from the first attempt on, unless the two are the same.
  const maxLoadTimeMs = loadPolicy.maxTimeToFirstByteMs;
  return { ...config, loadPolicy: { ...loadPolicy, maxLoadTimeMs, timeoutRetry } };
}

const Base = Hls.DefaultConfig.loader as unknown as new (config: HlsConfig) => Loader<PlaylistLoaderContext>;

export class PatientPlaylistLoader extends Base {
  override load(
    context: PlaylistLoaderContext,
    config: LoaderConfiguration,
    callbacks: LoaderCallbacks<PlaylistLoaderContext>,
  ): void {
    super.load(context, patient(config, context.deliveryDirectives?.msn !== undefined), callbacks);
  }
}
