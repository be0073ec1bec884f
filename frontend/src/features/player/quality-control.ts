/**
 * Brings the engine to the quality that is wanted: carries out the steps of `quality-state`, warms rungs up, lets Auto look
 * at the line. The live player opens and closes engines; this says on which playlist.
 */
import { Store } from '@/lib/store';
import { AutoQuality } from './auto-quality';
import { codecList, playsCodec } from './codecs';
import type { Engine } from './engine';
import { readOffers, SOUND_ONLY, SOURCE, type Offer, type Quality, type Variant } from './offers';
import {
  AUTO,
  goalOf,
  nothingOffered,
  reduceQuality,
  stepOf,
  type Choice,
  type QualityEvent,
} from './quality-state';
import { warmUp } from './rung-warmer';

export interface QualityView {
  offers: readonly Offer[];
  choice: Choice;
  /** On screen, or about to be. */
  playing: Quality | null;
  /** Getting ready; the former one plays on. */
  preparing: Quality | null;
  /** Asked for and not had. */
  missing: readonly Quality[];
  /** Codecs for which this browser shows nothing of the broadcast; empty where it does. */
  unplayable: readonly string[];
}

interface Owner {
  /** Another playlist is needed, so another engine. */
  reopen(): void;
  /** Something of the broadcast can be played after all, or nothing can. */
  playable(isPlayable: boolean): void;
  chosen(choice: Choice): void;
}

const AUTO_EVERY_MS = 1_000;
/** A rung that failed is taken for possible again after this time. */
const MISSING_MS = 60_000;

export class QualityControl {
  readonly view: Store<QualityView>;
  #state;
  #engine: Engine | null = null;
  #soundOnly = false;
  #shown: Quality | null = null;
  #preparing: { quality: Quality; stop: AbortController } | null = null;
  #auto = new AutoQuality();
  #askedMs = Number.NEGATIVE_INFINITY;
  #missingMs = 0;

  constructor(
    choice: Choice,
    private readonly owner: Owner,
    private readonly pass: (url: string) => string,
  ) {
    this.#state = nothingOffered(choice);
    this.view = new Store(this.#look());
  }

  /** Before an engine is made: whether it is to open the playlist of the sound alone. */
  opening(): boolean {
    this.#soundOnly = this.#state.offers.length > 0 && goalOf(this.#state) === SOUND_ONLY;
    return this.#soundOnly;
  }

  opened(engine: Engine): void {
    this.#engine = engine;
  }

  closed(): void {
    this.#engine = null;
    this.#shown = null;
    this.#tell({ type: 'closed' });
    this.#stopPreparing();
    this.#publish();
  }

  choose(choice: Choice): void {
    this.owner.chosen(choice);
    this.#auto = new AutoQuality();
    this.#follow({ type: 'chosen', choice });
  }

  offered(variants: readonly Variant[]): void {
    if (this.#engine === null) return;
    // The playlist of the sound alone knows nothing of the picture's qualities.
    const offers = this.#soundOnly ? this.#state.offers : readOffers(variants, playsCodec);
    this.#follow({ type: 'offered', offers });
  }

  shown(quality: Quality): void {
    this.#shown = this.#soundOnly ? SOUND_ONLY : quality;
    this.#publish();
  }

  gone(quality: Quality): void {
    this.#missingMs = performance.now();
    this.#follow({ type: 'missing', quality });
  }

  /** The sound alone is not to be had; answers whether that was what the engine asked for. */
  soundIsGone(): boolean {
    if (!this.#soundOnly) return false;
    this.gone(SOUND_ONLY);
    return true;
  }

  /** What was loaded turned out to be of a type that the browser does not take. */
  refused(type: string): void {
    const { playing, offers } = this.#state;
    const codecs = codecList(type);
    const marked = offers.map((offer) =>
      offer.quality === playing ? { ...offer, unplayable: codecs } : offer,
    );
    this.#follow({ type: 'offered', offers: marked });
  }

  tick(nowMs: number, calm: boolean, stalls: number): void {
    if (this.#state.missing.length > 0 && nowMs - this.#missingMs > MISSING_MS && this.#state.choice === AUTO)
      this.#tell({ type: 'missingForgotten' });
    const { choice, playing, offers, missing } = this.#state;
    if (choice !== AUTO || playing === null || this.#preparing !== null || this.#engine === null) return;
    if (!calm || nowMs - this.#askedMs < AUTO_EVERY_MS) return;
    this.#askedMs = nowMs;
    const bandwidth = this.#engine.bandwidth();
    const quality = this.#auto.sample({ nowMs, playing, offers, missing, bandwidth, stalls });
    if (quality !== null) this.#follow({ type: 'aimed', quality });
  }

  #tell(event: QualityEvent): void {
    this.#state = reduceQuality(this.#state, event);
  }

  #follow(event: QualityEvent): void {
    this.#tell(event);
    this.#act();
    this.#publish();
  }

  #act(): void {
    const engine = this.#engine;
    const step = stepOf(this.#state, this.#soundOnly);
    if (step.do !== 'warm' || step.quality !== this.#preparing?.quality) this.#stopPreparing();
    if (engine === null || step.do === 'nothing') return;
    this.owner.playable(step.do !== 'giveUp');
    switch (step.do) {
      case 'giveUp':
        return;
      case 'reopen':
        this.owner.reopen();
        return;
      case 'play':
        // On its own playlist, the sound is all there is, and so the source.
        engine.show(step.quality === SOUND_ONLY ? SOURCE : step.quality);
        this.#tell({ type: 'told', quality: step.quality });
        // The rung that was chosen before may have to be prepared now.
        this.#act();
        return;
      case 'warm':
        if (this.#preparing === null) void this.#prepare(engine, step.quality);
    }
  }

  async #prepare(engine: Engine, quality: Quality): Promise<void> {
    const address = engine.addressOf(quality);
    const stop = new AbortController();
    const preparing = { quality, stop };
    this.#preparing = preparing;
    const end =
      address === null
        ? 'missing'
        : await warmUp({
            url: this.pass(address),
            playingMs: () => (this.#state.playing === null ? null : engine.playingDateMs()),
            easeOff: (on) => engine.easeOff(on),
            signal: stop.signal,
          });
    if (this.#preparing !== preparing) return;
    this.#preparing = null;
    if (end === 'warm') this.#follow({ type: 'warmed', quality });
    else if (end === 'missing') this.gone(quality);
  }

  #stopPreparing(): void {
    this.#preparing?.stop.abort();
    this.#preparing = null;
  }

  #publish(): void {
    this.view.set(this.#look());
  }

  #look(): QualityView {
    const { offers, choice, playing, missing } = this.#state;
    const isStuck = offers.length > 0 && goalOf(this.#state) === null;
    return {
      offers,
      choice,
      playing: this.#shown ?? playing,
      preparing:
        this.#preparing?.quality ?? (this.#shown !== null && playing !== this.#shown ? playing : null),
      missing,
      unplayable: isStuck ? (offers[0]?.unplayable ?? []) : [],
    };
  }
}
