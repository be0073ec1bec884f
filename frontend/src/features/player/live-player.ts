/**
 * Plays the live broadcast of one room in one `<video>` and keeps playing it: waits for the broadcast, starts,
 * recovers, notices the end and the next beginning. Outside React: components read `view` and call the commands.
 * Not here: who may watch (the door), the phases (player-facts), what to do about which error (recovery).
 */
import { Backoff } from '@/lib/backoff';
import { recall, remember } from '@/lib/remembered';
import { Store } from '@/lib/store';
import { isOtherBroadcast } from './broadcast-check';
import { Captions } from './captions';
import { EdgeKeeper } from './edge-keeper';
import type { Engine, EngineEvents, Sound } from './engine';
import { HlsEngine } from './hls-engine';
import { playlistUrl, withToken } from './media-url';
import { NativeEngine } from './native-engine';
import { isBack, nothingKnown, phaseOf, reduceFacts, type PlayerEvent } from './player-facts';
import { noSounds, nothingShown, type PlayerView, type RoomDoor, type SoundsView } from './player-view';
import { Playhead } from './playhead';
import { QualityControl } from './quality-control';
import { AUTO, type Choice } from './quality-state';
import { chooseRecovery, type Trouble } from './recovery';
import { RoomPoll, type PolledRoom } from './room-poll';

const TICK_MS = 250;
const MEDIA_RECOVERY_MEMORY_MS = 10_000;
/** After this long without trouble, the next one is a first one again. */
const CALM_MS = 10_000;
/** What this browser cannot play may change with the streamer's settings. */
const LOOK_AGAIN_MS = 5_000;
const QUALITY_KEY = 'quality';

export class LivePlayer {
  readonly view = new Store<PlayerView>(nothingShown);
  readonly sounds = new Store<SoundsView>(noSounds);
  readonly captions: Captions;
  readonly quality: QualityControl;
  #wantedSound: Sound | null = null;
  #facts = nothingKnown;
  #engine: Engine | null = null;
  #openNotBeforeMs = 0;
  #offAir = false;
  #asking = false;
  #lastTroubleMs = Number.NEGATIVE_INFINITY;
  #mediaRecoveredMs = Number.NEGATIVE_INFINITY;
  #soundBlocked = false;
  #reloadTimer: ReturnType<typeof setTimeout> | undefined;
  #ticker: ReturnType<typeof setInterval> | undefined;
  readonly #backoff = new Backoff(1_000, 30_000);
  readonly #playhead: Playhead;
  readonly #keeper: EdgeKeeper;
  readonly #poll: RoomPoll;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly door: RoomDoor,
  ) {
    this.#playhead = new Playhead(video, {
      paused: () => this.#tell({ type: 'viewerPaused' }),
      resumed: () => this.#resumed(),
      playing: () => this.#tell({ type: 'moved' }),
      ready: () => this.#playUnlessPaused(),
      soundBlocked: (blocked) => {
        this.#soundBlocked = blocked;
        this.#show();
      },
    });
    this.#keeper = new EdgeKeeper(this.#playhead);
    this.captions = new Captions(video, HlsEngine.supported());
    this.quality = new QualityControl(
      // Kept for this tab alone: the next evening begins with Auto.
      recall('tab', QUALITY_KEY) ?? AUTO,
      {
        reopen: () => this.#reopen(),
        playable: (playable) => this.#playable(playable),
        chosen: (chosen: Choice) => {
          remember('tab', QUALITY_KEY, chosen);
          this.#openNotBeforeMs = 0;
        },
      },
      this.#pass,
    );
    this.#poll = new RoomPoll(
      () => door.room(),
      (room) => this.#heardOfRoom(room),
      () => this.view.get().phase === 'playing',
    );
  }

  /** `room` is what the join answered: it spares the first question. */
  start(room: PolledRoom): void {
    this.#poll.start();
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    addEventListener('online', this.#online);
    this.#heardOfRoom(room);
  }

  stop(): void {
    clearInterval(this.#ticker);
    removeEventListener('online', this.#online);
    this.#poll.stop();
    this.#close();
    this.#playhead.stop();
    this.captions.stop();
  }

  togglePlay(): void {
    if (this.video.paused) void this.#playhead.play();
    else this.video.pause();
  }

  turnSoundOn(): void {
    this.#playhead.unmute();
  }

  playSound(sound: Sound): void {
    this.#wantedSound = sound;
    this.#engine?.playSound(sound.id);
  }

  /** The room is said to have changed: asks it now, out of turn. */
  lookAgain(): void {
    this.#poll.now();
  }

  /** Wall-clock time of the picture on screen, milliseconds since 1970; null when there is none. */
  mediaTimeMs(): number | null {
    return this.#facts.hadPicture ? (this.#engine?.playingDateMs() ?? null) : null;
  }

  readonly #pass = (address: string) => withToken(address, this.door.token(), location.origin);

  readonly #online = () => {
    this.#openNotBeforeMs = 0;
    this.#engine?.reload();
    this.#poll.now();
  };

  #tell(event: PlayerEvent): void {
    const before = phaseOf(this.#facts);
    this.#facts = reduceFacts(this.#facts, event);
    this.#show();
    if (before === 'playing' && phaseOf(this.#facts) !== 'playing') this.#poll.now();
  }

  #show(): void {
    const old = this.view.get();
    const view: PlayerView = {
      phase: phaseOf(this.#facts),
      latencySeconds: this.#latencySeconds(),
      stalls: this.#facts.stalls,
      soundBlocked: this.#soundBlocked,
      interrupted: this.#facts.interrupted && this.#facts.live === true,
      lostForGood: this.#facts.lostForGood,
    };
    const keys = Object.keys(view) as (keyof PlayerView)[];
    if (keys.some((key) => view[key] !== old[key])) this.view.set(view);
  }

  #latencySeconds(): number | null {
    if (!this.#facts.moving || this.#engine === null) return null;
    const playing = this.#engine.playingDateMs();
    const seconds = playing === null ? this.#engine.edgeDistance() : (this.door.nowMs() - playing) / 1000;
    return seconds === null ? null : Math.round(seconds * 10) / 10;
  }

  #heardOfRoom(room: PolledRoom | null): void {
    if (room === null) {
      this.#tell({ type: 'linkLost' });
      return;
    }
    if (!room.isLive) this.#offAir = true;
    const before = this.#facts;
    this.#tell({ type: 'room', live: room.isLive, interrupted: room.interrupted, nowMs: performance.now() });
    if (isBack(before, this.#facts)) this.#openNotBeforeMs = 0;
    if (room.isLive && this.#facts.listEnded && !this.#facts.moving) void this.#openNextBroadcast();
    this.#tick();
  }

  #tick(): void {
    const now = performance.now();
    if (
      this.#engine === null &&
      this.#facts.live === true &&
      !this.#facts.listEnded &&
      now >= this.#openNotBeforeMs
    ) {
      this.#open();
    }
    const motion = this.#playhead.sample(now);
    if (motion === 'moved') this.#tell({ type: 'moved' });
    if (motion === 'stood' && this.#facts.moving) {
      this.#keeper.stalled(now);
      this.#tell({ type: 'stood' });
    }
    if (now - this.#lastTroubleMs > CALM_MS && this.#facts.moving) this.#backoff.reset();
    this.#keepUp(now, motion === 'moved');
    this.quality.tick(now, this.#facts.moving && !this.#facts.interrupted, this.#facts.stalls);
    this.#show();
  }

  #keepUp(nowMs: number, moved: boolean): void {
    if (this.#engine === null) return;
    const { moving } = this.#facts;
    const standsRightly = this.#facts.pausedByViewer || this.#facts.listEnded;
    if (this.#keeper.keep(this.#engine, { nowMs, moved, moving, standsRightly })) this.#recreate(nowMs);
  }

  #resumed(): void {
    if (!this.#facts.pausedByViewer) return;
    this.#tell({ type: 'viewerResumed' });
    this.#playhead.seek(this.#engine?.livePosition() ?? null);
  }

  #open(): void {
    if (this.#offAir || this.#facts.listEnded) {
      this.#offAir = false;
      this.#tell({ type: 'broadcastOpened' });
    }
    const url = playlistUrl(this.door.slug, this.quality.opening());
    const wishes = { sound: this.#wantedSound, pass: this.#pass };
    this.#engine =
      HlsEngine.supported() || !NativeEngine.supported(this.video)
        ? new HlsEngine(this.video, url, wishes, this.#engineEvents())
        : new NativeEngine(this.video, this.#pass(url), this.#engineEvents());
    this.quality.opened(this.#engine);
    this.#keeper.reset();
    this.#playUnlessPaused();
  }

  #engineEvents(): EngineEvents {
    return {
      heard: () => this.#tell({ type: 'heard' }),
      listEnded: () => {
        this.#tell({ type: 'listEnded' });
        this.#playhead.release();
        this.#poll.now();
      },
      // The next broadcast begins, or the room is about to say that there is none.
      foundEnded: () => this.#recreate(performance.now()),
      trouble: (trouble: Trouble) => this.#recover(trouble),
      offered: (variants) => this.quality.offered(variants),
      shown: (quality) => this.quality.shown(quality),
      rungGone: (quality) => this.quality.gone(quality),
      codecRefused: (type) => this.quality.refused(type),
      sounds: (sounds, current) => this.sounds.set({ sounds, current }),
    };
  }

  /** To another playlist of the same broadcast. */
  #reopen(): void {
    this.#close();
    this.#open();
  }

  #playable(playable: boolean): void {
    if (!playable) {
      this.#openNotBeforeMs = performance.now() + LOOK_AGAIN_MS;
      this.#close();
    }
    if (this.#facts.unplayable === playable) this.#tell({ type: 'playable', playable });
  }

  #playUnlessPaused(): void {
    if (!this.#facts.pausedByViewer) void this.#playhead.play();
  }

  #close(): void {
    clearTimeout(this.#reloadTimer);
    this.#reloadTimer = undefined;
    this.#engine?.destroy();
    this.#engine = null;
    this.quality.closed();
    this.sounds.set(noSounds);
  }

  #recreate(nowMs: number): void {
    this.#lastTroubleMs = nowMs;
    this.#openNotBeforeMs = nowMs + this.#backoff.nextMs();
    this.#close();
    this.#tell({ type: 'stood' });
  }

  #recover(trouble: Trouble): void {
    const now = performance.now();
    const recovery = chooseRecovery(trouble, now - this.#mediaRecoveredMs < MEDIA_RECOVERY_MEMORY_MS);
    if (recovery === 'none') return;
    switch (recovery) {
      case 'renew':
        void this.#renew(trouble);
        return;
      case 'refused':
        this.#close();
        this.door.refuse();
        return;
      case 'askRoom':
        // A host may have taken the sound alone out of what the room offers.
        if (trouble.about === 'multivariant' && this.quality.soundIsGone()) return;
        // A broadcast that is gone takes its playlists with it; the room knows whether a new one is there.
        this.#recreate(now);
        this.#offAir = true;
        this.#poll.now();
        return;
      case 'reload':
        this.#tell({ type: 'linkLost' });
        this.#reloadLater(now);
        return;
      case 'recoverMedia':
        this.#mediaRecoveredMs = now;
        this.#engine?.recoverMedia();
        void this.#playhead.play();
        return;
      case 'recreate':
        if (trouble.kind === 'network') this.#tell({ type: 'linkLost' });
        this.#recreate(now);
    }
  }

  #reloadLater(nowMs: number): void {
    if (this.#reloadTimer !== undefined) return;
    this.#lastTroubleMs = nowMs;
    this.#reloadTimer = setTimeout(() => {
      this.#reloadTimer = undefined;
      this.#engine?.reload();
    }, this.#backoff.nextMs());
  }

  async #renew(trouble: Trouble): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const outcome = await this.door.renew();
    this.#asking = false;
    if (outcome === 'refused' || this.#engine === null) return;
    if (outcome === 'unreachable') this.#tell({ type: 'linkLost' });
    const now = performance.now();
    if (trouble.about === 'multivariant') this.#recreate(now);
    else this.#reloadLater(now);
  }

  /** After the end, the room is on air again; the old playlists may still be served for a while. */
  async #openNextBroadcast(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const path = this.#engine?.broadcastPath() ?? null;
    const fresh = path === null || (await isOtherBroadcast(this.door.slug, path));
    this.#asking = false;
    if (!fresh || !this.#facts.listEnded) return;
    this.#close();
    this.#open();
  }
}
