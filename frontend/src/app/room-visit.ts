/**
 * One visit to a room: the door (RoomEntry), the clock and the player, joined together outside React.
 * The visit starts before the page is drawn, so the join is on its way while React still loads.
 */
import { LivePlayer } from '@/features/player/live-player';
import { inviteInFragment, keepInvite } from '@/features/session/invite';
import { RoomEntry } from '@/features/session/room-entry';
import { call } from '@/lib/api';
import type { Room } from '@/lib/api-types';
import { OriginClock } from '@/lib/origin-clock';
import type { AddressBar } from '@/lib/router';
import { Store } from '@/lib/store';

export class RoomVisit {
  readonly entry: RoomEntry;
  /** The room as last heard of; null before joining. */
  readonly room = new Store<Room | null>(null);
  readonly player = new Store<LivePlayer | null>(null);
  readonly #clock = new OriginClock();
  #video: HTMLVideoElement | null = null;
  #unsubscribe: (() => void)[] = [];

  constructor(
    readonly slug: string,
    private readonly address: AddressBar,
  ) {
    this.entry = new RoomEntry(slug);
  }

  start(): void {
    if (this.#unsubscribe.length > 0) return;
    this.#takeInvite();
    this.#unsubscribe = [
      this.entry.state.subscribe(() => this.#follow()),
      // A second link opened in the same tab changes the fragment alone: the page is not loaded anew.
      this.address.fragment.subscribe(() => {
        if (this.#takeInvite()) this.entry.restart();
      }),
    ];
    this.entry.start();
    this.#follow();
  }

  stop(): void {
    for (const end of this.#unsubscribe) end();
    this.#unsubscribe = [];
    this.entry.stop();
    this.#stopPlayer();
  }

  /** Gives the player its `<video>`, or takes it away with null. */
  readonly show = (video: HTMLVideoElement | null): void => {
    this.#video = video;
    this.#follow();
  };

  #takeInvite(): boolean {
    const invite = inviteInFragment(this.address.fragment.get());
    if (invite === null) return false;
    keepInvite(this.slug, invite);
    this.address.dropFragment();
    return true;
  }

  /** The player lives exactly while the visitor is in and there is a video to play in. */
  #follow(): void {
    const state = this.entry.state.get();
    if (state.step === 'joined' && this.#video !== null && this.#unsubscribe.length > 0) {
      if (this.player.get() === null) this.#startPlayer(this.#video, state.session.room);
    } else if (state.step !== 'joining' || this.#video === null) {
      this.#stopPlayer();
    }
  }

  #startPlayer(video: HTMLVideoElement, room: Room): void {
    this.room.set(room);
    this.#clock.start();
    const player = new LivePlayer(video, {
      slug: this.slug,
      token: () => {
        const state = this.entry.state.get();
        return state.step === 'joined' ? state.session.token : '';
      },
      renew: () => this.entry.renew(),
      refuse: () => this.entry.refuse('forbidden'),
      room: () => this.#askRoom(),
      nowMs: () => this.#clock.nowMs(),
    });
    player.start(room);
    this.player.set(player);
  }

  #stopPlayer(): void {
    this.#clock.stop();
    this.player.get()?.stop();
    this.player.set(null);
  }

  async #askRoom(): Promise<Room | null> {
    const answer = await call<Room>('GET', `/api/rooms/${this.slug}`);
    if (answer.ok) {
      this.room.set(answer.value);
      return answer.value;
    }
    // An unlisted room is unknown to whoever shows no valid token: a renewal tells which of the two it is.
    const { status } = answer.problem;
    if (status === 401 || status === 403 || status === 404) await this.entry.renew();
    return null;
  }
}
