/**
 * One instance of hls.js behind the `Engine` interface. Decides nothing: troubles go to the live player, and what to load
 * comes from there. hls.js is kept from choosing a quality by itself, because a rung that nobody watches has to be warmed up.
 */
import Hls, { ErrorDetails, ErrorTypes, Events, type ErrorData, type FragBufferedData } from 'hls.js';
import type { Engine, EngineEvents, Sound } from './engine';
import { bringCaptions } from './hls-captions';
import { CATCH_UP_RATE, EASE_OFF_RATE, hlsOptions } from './hls-options';
import { qualityOf, SOUND_ONLY, SOURCE, type Quality, type Variant } from './offers';
import type { Trouble } from './recovery';

/** A segment's end that does not come is not waited for longer. */
const LONGEST_WAIT_MS = 6_000;

interface Wishes {
  /** The sound chosen before, where there are several. */
  sound: Pick<Sound, 'name' | 'language'> | null;
  /** Turns each address into the one to ask for (see `withToken`). */
  pass: (url: string) => string;
}

export class HlsEngine implements Engine {
  readonly #hls: Hls;
  #variants = new Map<Quality, string>();
  #loading: Quality | null = null;
  #next: Quality | null = null;
  #nextTimer: ReturnType<typeof setTimeout> | undefined;
  #wasLive = false;
  /** hls.js stopped, or would go on asking in vain. */
  #broken = false;
  #destroyed = false;
  readonly #stopCaptions: () => void;

  static supported(): boolean {
    return Hls.isSupported();
  }

  constructor(
    private readonly video: HTMLVideoElement,
    url: string,
    wishes: Wishes,
    private readonly events: EngineEvents,
  ) {
    const hls = new Hls({
      ...hlsOptions,
      ...(wishes.sound !== null && {
        audioPreference: { name: wishes.sound.name, lang: wishes.sound.language },
      }),
      xhrSetup: (xhr, asked) => {
        const address = wishes.pass(asked);
        if (address !== asked) xhr.open('GET', address, true);
      },
    });
    this.#hls = hls;
    hls.on(Events.ERROR, (_, error) => this.#failed(error));
    hls.on(Events.MANIFEST_LOADED, (_, { levels }) => {
      const variants = levels.map((level): Variant => ({
        url: level.url,
        bitRate: level.bitrate,
        height: level.height ?? 0,
        frameRate: Number(level.attrs['FRAME-RATE'] ?? 0),
        codecs: level.attrs.CODECS ?? '',
      }));
      const hasPicture = variants.some((variant) => qualityOf(variant.url, true) !== SOUND_ONLY);
      this.#variants = new Map(variants.map((variant) => [qualityOf(variant.url, hasPicture), variant.url]));
      // hls.js is not ready for orders before it has sorted the variants out.
      queueMicrotask(() => this.#destroyed || events.offered(variants));
    });
    hls.on(Events.FRAG_LOADED, () => events.heard());
    hls.on(Events.FRAG_BUFFERED, (_, buffered) => {
      if (this.#endsSegment(buffered)) this.#turn();
    });
    hls.on(Events.LEVEL_SWITCHED, (_, { level }) => {
      const quality = this.#qualityAt(level);
      if (quality !== null) events.shown(quality);
    });
    hls.on(Events.LEVEL_UPDATED, (_, { details, level }) => {
      events.heard();
      if (details.live) {
        this.#wasLive = true;
        return;
      }
      const quality = this.#qualityAt(level);
      if (quality === SOURCE || quality === SOUND_ONLY) this.#listEnded();
      else if (quality !== null && quality === this.#loading) this.#rungGone(quality);
    });
    const tellSounds = () => {
      const sounds = hls.audioTracks.map(({ id, name, lang }) => ({ id, name, language: lang ?? '' }));
      events.sounds(sounds, hls.audioTrack);
    };
    hls.on(Events.AUDIO_TRACKS_UPDATED, tellSounds);
    hls.on(Events.AUDIO_TRACK_SWITCHING, tellSounds);
    this.#stopCaptions = bringCaptions(hls, video);
    hls.loadSource(url);
    hls.attachMedia(video);
  }

  destroy(): void {
    this.#destroyed = true;
    this.#stopCaptions();
    clearTimeout(this.#nextTimer);
    this.easeOff(false);
    this.#hls.destroy();
  }

  reload(): void {
    if (this.#loading !== null) this.#hls.startLoad();
  }

  recoverMedia(): void {
    this.#hls.recoverMediaError();
  }

  show(quality: Quality): void {
    this.#next = quality;
    clearTimeout(this.#nextTimer);
    if (this.#loading === null || this.#broken) this.#turn();
    // A change in the middle of a segment would load its beginning again, which may lie under the playhead already.
    else this.#nextTimer = setTimeout(() => this.#turn(), LONGEST_WAIT_MS);
  }

  addressOf(quality: Quality): string | null {
    return this.#variants.get(quality) ?? null;
  }

  playSound(id: number): void {
    this.#hls.nextAudioTrack = id;
  }

  bandwidth(): number | null {
    const estimate = this.#hls.bandwidthEstimate;
    return Number.isFinite(estimate) && estimate > 0 ? estimate : null;
  }

  easeOff(on: boolean): void {
    // hls.js sets the rate back unless it is told to leave it alone.
    this.#hls.config.maxLiveSyncPlaybackRate = on ? 1 : CATCH_UP_RATE;
    this.video.playbackRate = on ? EASE_OFF_RATE : 1;
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

  #qualityAt(level: number): Quality | null {
    const url = this.#hls.levels[level]?.url[0];
    return [...this.#variants].find(([, listed]) => listed === url)?.[0] ?? null;
  }

  #levelOf(quality: Quality): number {
    const url = this.#variants.get(quality);
    return this.#hls.levels.findIndex((level) => url !== undefined && level.url[0] === url);
  }

  /** Makes the change that waits. */
  #turn(): void {
    const quality = this.#next;
    if (quality === null) return;
    this.#next = null;
    clearTimeout(this.#nextTimer);
    const level = this.#levelOf(quality);
    const begins = this.#loading === null;
    if (level < 0) {
      // hls.js itself found something in it that it does not play.
      this.#rungGone(quality);
      return;
    }
    const hls = this.#hls;
    // With both bounds on it, hls.js has nowhere to go after errors either.
    hls.config.minAutoBitrate = hls.levels[level]?.maxBitrate ?? 0;
    hls.autoLevelCapping = level;
    this.#loading = quality;
    if (begins) hls.startLevel = level;
    if (begins || this.#broken) hls.startLoad(-1);
    this.#broken = false;
    hls.loadLevel = level;
  }

  #endsSegment({ frag, part, id }: FragBufferedData): boolean {
    if (this.#next === null || (id as string) !== 'main') return false;
    if (part === null) return true;
    const details = this.#hls.levels[frag.level]?.details;
    const isWhole = details?.fragments.some(({ sn }) => sn === frag.sn) === true;
    const last = details?.partList?.filter(({ fragment }) => fragment.sn === frag.sn).at(-1);
    return isWhole && part.index === last?.index;
  }

  #failed(error: ErrorData): void {
    // Told by `offered` already, with the codecs.
    if (error.details === ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR) return;
    if (error.details === ErrorDetails.BUFFER_ADD_CODEC_ERROR && error.mimeType !== undefined) {
      this.#broken = true;
      this.events.codecRefused(error.mimeType);
      return;
    }
    const trouble = describe(error);
    const loading = this.#loading;
    const isGone = trouble.fatal || (trouble.status === 404 && trouble.about === 'playlist');
    const onRung = loading !== null && loading !== SOURCE && loading !== SOUND_ONLY;
    if (onRung && isGone && trouble.kind === 'network') this.#rungGone(loading);
    else this.events.trouble(trouble);
  }

  #listEnded(): void {
    if (this.#wasLive) this.events.listEnded();
    // hls.js is amid its own work on the list.
    else queueMicrotask(() => this.#destroyed || this.events.foundEnded());
  }

  #rungGone(quality: Quality): void {
    this.#broken = true;
    this.events.rungGone(quality);
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
