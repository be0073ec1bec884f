/**
 * One visit to a room: the door (RoomEntry), the clock, the player and the chat, joined together outside React.
 * The visit starts before the page is drawn, so the join is on its way while React still loads.
 */
import { RoomChat } from '@/features/chat/room-chat';
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
  readonly chat: RoomChat;
  readonly #clock = new OriginClock();
  #chatting = false;
  #shownToken = '';
  #video: HTMLVideoElement | null = null;
  #unsubscribe: (() => void)[] = [];

  constructor(
    readonly slug: string,
    private readonly address: AddressBar,
  ) {
    this.entry = new RoomEntry(slug, () => this.chat.renewToken());
    this.chat = new RoomChat({
      slug,
      token: () => this.#token(),
      renew: () => this.entry.renew(),
      putOut: (reason) => this.entry.refuse(reason === 'roomGone' ? 'unknownRoom' : reason),
      mediaTimeMs: () => this.player.get()?.mediaTimeMs() ?? null,
      timed: (sample) => this.#clock.add(sample),
      roomChanged: (change) => this.#changeRoom(change),
      streamChanged: () => this.player.get()?.lookAgain(),
    });
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
    this.#stopChat();
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

  #token(): string {
    const state = this.entry.state.get();
    return state.step === 'joined' ? state.session.token : '';
  }

  #changeRoom(change: Partial<Room>): void {
    const room = this.room.get();
    if (room !== null) this.room.set({ ...room, ...change });
  }

  /** The chat lives exactly while the visitor is in; a newer token of the same visit goes to the open socket. */
  #followChat(joined: boolean): void {
    if (!joined) {
      this.#stopChat();
      return;
    }
    const token = this.#token();
    if (!this.#chatting) {
      this.#chatting = true;
      this.chat.start();
    } else if (token !== this.#shownToken) {
      this.chat.showToken(token);
    }
    this.#shownToken = token;
  }

  #stopChat(): void {
    if (!this.#chatting) return;
    this.#chatting = false;
    this.chat.stop();
  }

  /** The player lives exactly while the visitor is in and there is a video to play in. */
  #follow(): void {
    const state = this.entry.state.get();
    this.#followChat(state.step === 'joined' && this.#unsubscribe.length > 0);
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
      token: () => this.#token(),
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
