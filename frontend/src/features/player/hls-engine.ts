/** One instance of hls.js behind the `Engine` interface. Decides nothing: troubles go to the live player. */
import Hls, { ErrorDetails, ErrorTypes, Events, type ErrorData } from 'hls.js';
import type { Engine, EngineEvents } from './engine';
import { hlsOptions } from './hls-options';
import type { Trouble } from './recovery';

export class HlsEngine implements Engine {
  readonly #hls: Hls;

  static supported(): boolean {
    return Hls.isSupported();
  }

  /** `pass` turns each address into the one to ask for (see `withToken`). */
  constructor(video: HTMLVideoElement, url: string, pass: (url: string) => string, events: EngineEvents) {
    const hls = new Hls({
      ...hlsOptions,
      xhrSetup: (xhr, asked) => {
        const address = pass(asked);
        if (address !== asked) xhr.open('GET', address, true);
      },
    });
    this.#hls = hls;
    hls.on(Events.ERROR, (_, error) => events.trouble(describe(error)));
    hls.on(Events.FRAG_LOADED, () => events.heard());
    hls.on(Events.LEVEL_UPDATED, (_, { details }) => {
      events.heard();
      if (!details.live) events.listEnded();
    });
    hls.loadSource(url);
    hls.attachMedia(video);
  }

  destroy(): void {
    this.#hls.destroy();
  }

  reload(): void {
    this.#hls.startLoad();
  }

  recoverMedia(): void {
    this.#hls.recoverMediaError();
  }

  livePosition(): number | null {
    return this.#hls.liveSyncPosition;
  }

  edgeDistance(): number | null {
    return this.#hls.latestLevelDetails === null ? null : this.#hls.latency;
  }

  targetDistance(): number | null {
    return this.#hls.targetLatency;
  }

  forgetStalls(): void {
    // hls.js adds a second to its target at each stall and never takes it back; setting the target does.
    const holdBack = this.#hls.latestLevelDetails?.partHoldBack ?? 0;
    if (holdBack > 0) this.#hls.targetLatency = holdBack;
  }

  edge(): number | null {
    return this.#hls.latestLevelDetails?.edge ?? null;
  }

  playingDateMs(): number | null {
    return this.#hls.playingDate?.getTime() ?? null;
  }

  broadcastPath(): string | null {
    const url = this.#hls.levels[0]?.url[0];
    return url === undefined ? null : new URL('.', new URL(url, location.href)).pathname;
  }
}

function describe(error: ErrorData): Trouble {
  return {
    fatal: error.fatal,
    kind: kindOf(error.type),
    about: aboutOf(error.details),
    status: error.response?.code ?? null,
  };
}

function kindOf(type: ErrorTypes): Trouble['kind'] {
  if (type === ErrorTypes.NETWORK_ERROR) return 'network';
  return type === ErrorTypes.MEDIA_ERROR ? 'media' : 'other';
}

function aboutOf(details: ErrorDetails): Trouble['about'] {
  switch (details) {
    case ErrorDetails.MANIFEST_LOAD_ERROR:
    case ErrorDetails.MANIFEST_LOAD_TIMEOUT:
    case ErrorDetails.MANIFEST_PARSING_ERROR:
      return 'multivariant';
    case ErrorDetails.LEVEL_LOAD_ERROR:
    case ErrorDetails.AUDIO_TRACK_LOAD_ERROR:
      return 'playlist';
    default:
      return 'other';
  }
}
