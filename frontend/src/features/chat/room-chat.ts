/**
 * The chat of one visit, outside React: the socket's events go through the reducer, at most once a frame, and what the
 * viewer does goes out. Components read `state` and call the commands.
 */
import { call } from '@/lib/api';
import type { Room } from '@/lib/api-types';
import type { Sample } from '@/lib/origin-clock';
import { Store } from '@/lib/store';
import { emptyChat, reduceChat, type ChatAction, type ChatState, type OwnMessage } from './chat-state';
import { ChatSocket, type NewToken } from './chat-socket';
import { FrameBatch } from './frame-batch';
import { LINES_KEPT } from './lines';
import { socketUrl } from './socket-url';
import type { ChatMessage, ClientFrame, KickReason, ServerEvent } from './wire';

/** What the chat asks of the room around it. */
export interface ChatDoor {
  slug: string;
  token(): string;
  renew(): Promise<'renewed' | 'refused' | 'unreachable'>;
  /** The viewer is put out of the room, not of the chat alone. */
  putOut(reason: 'banned' | 'revoked' | 'roomGone'): void;
  /** Wall-clock time of the picture on screen. */
  mediaTimeMs(): number | null;
  timed(sample: Sample): void;
  /** The room as the chat knows it changed. */
  roomChanged(change: Partial<Room>): void;
  /** The broadcast began, broke off, came back or ended. */
  streamChanged(): void;
}

/** So many may wait for an answer: a relay holds no more of one socket. */
const MOST_UNANSWERED = 5;
/** The server knows a client id for five minutes: later, the same words would be said twice. */
const RESEND_FOR_MS = 4 * 60_000;
const PAGE = 50;

export type Older = 'idle' | 'loading' | 'failed';

export class RoomChat {
  readonly state = new Store<ChatState>(emptyChat);
  readonly older = new Store<Older>('idle');
  /** What stands in the composer: it outlives the panel. */
  readonly draft = new Store('');
  readonly #socket: ChatSocket;
  readonly #batch = new FrameBatch<ChatAction>((actions) => this.#apply(actions));

  constructor(
    private readonly door: ChatDoor,
    connect?: (url: string) => WebSocket,
  ) {
    this.#socket = new ChatSocket(
      {
        url: () => this.#url(),
        heard: (event) => this.#heard(event),
        lost: () => this.#do({ type: 'connection', connection: 'reconnecting' }),
        ended: (reason) => this.#ended(reason),
        renew: () => door.renew(),
        timed: (sample) => door.timed(sample),
      },
      connect,
    );
  }

  start(): void {
    addEventListener('online', this.#online);
    const { me } = this.state.get();
    this.#do({ type: 'connection', connection: me === null ? 'connecting' : 'reconnecting' });
    this.#socket.open();
  }

  stop(): void {
    removeEventListener('online', this.#online);
    this.#socket.close();
    this.#do({ type: 'connection', connection: 'closed' });
  }

  /** False when too much waits for an answer already; the text is better kept then. */
  say(text: string, replyTo: number | null): boolean {
    if (this.state.get().own.filter((own) => own.failed === null).length >= MOST_UNANSWERED) return false;
    const mediaTimeMs = this.door.mediaTimeMs();
    const own: OwnMessage = {
      clientId: newClientId(),
      text,
      replyTo,
      mediaTime: mediaTimeMs === null ? null : new Date(mediaTimeMs).toISOString(),
      saidAtMs: Date.now(),
      failed: null,
    };
    this.#do({ type: 'said', own });
    this.#send(sayFrame(own));
    return true;
  }

  sayAgain(clientId: string): void {
    const own = this.state.get().own.find((it) => it.clientId === clientId);
    if (own === undefined) return;
    const again = { ...own, failed: null };
    this.#do({ type: 'said', own: again });
    this.#send(sayFrame(again));
  }

  discard(clientId: string): void {
    this.#do({ type: 'discarded', clientId });
  }

  react(emoji: string): void {
    const mediaTimeMs = this.door.mediaTimeMs();
    const mediaTime = mediaTimeMs === null ? {} : { mediaTime: new Date(mediaTimeMs).toISOString() };
    this.#send({ type: 'react', emoji, ...mediaTime });
  }

  /** Acts of moderation, and deleting one's own. What the server refuses comes back as an error. */
  act(frame: ClientFrame): boolean {
    return this.#send(frame);
  }

  looked(away: boolean): void {
    if (this.state.get().away !== away) this.#do({ type: 'looked', away });
  }

  readonly floated = (key: number): void => this.#do({ type: 'floated', key });
  readonly closeNotice = (key: number): void => this.#do({ type: 'noticeClosed', key });
  readonly closeRefusal = (key: number): void => this.#do({ type: 'refusalClosed', key });

  /** Messages before the oldest that is here. */
  async loadOlder(): Promise<void> {
    const { lines, complete } = this.state.get();
    const oldest = lines[0];
    if (oldest === undefined || complete || this.older.get() === 'loading') return;
    if (lines.length >= LINES_KEPT * 2 - PAGE) return;
    this.older.set('loading');
    const path = `/api/rooms/${this.door.slug}/messages?limit=${PAGE}&before=${oldest.id}`;
    const answer = await call<ChatMessage[]>('GET', path);
    if (answer.ok) {
      const messages = answer.value;
      this.#do({ type: 'older', messages, complete: messages.length < PAGE });
    }
    this.older.set(answer.ok ? 'idle' : 'failed');
  }

  /** A token that the session got by joining: the socket goes on with it. */
  showToken(token: string): void {
    this.#send({ type: 'renew', token });
  }

  renewToken(): Promise<NewToken | null> {
    return this.#socket.renew();
  }

  /** After the socket was closed for good, on the viewer's own wish. */
  reopen(): void {
    this.#do({ type: 'connection', connection: 'reconnecting' });
    this.#socket.open();
  }

  readonly #online = () => this.#socket.hurry();

  #heard(event: ServerEvent): void {
    this.#batch.add({ type: 'event', event, nowMs: Date.now() });
    switch (event.type) {
      case 'hello':
        this.#batch.flush();
        this.door.roomChanged(event.room);
        this.#sayUnanswered();
        break;
      case 'room': {
        const { type: _, pinned: _pinned, emotes: _emotes, ...change } = event;
        this.door.roomChanged(change);
        break;
      }
      case 'presence':
        this.door.roomChanged({ viewerCount: event.count });
        break;
      case 'stream': {
        const { type: _, ...change } = event;
        this.door.roomChanged(change);
        this.door.streamChanged();
        break;
      }
      default:
    }
  }

  #ended(kicked: KickReason): void {
    this.#do({ type: 'connection', connection: 'closed', kicked });
    if (kicked === 'banned' || kicked === 'revoked' || kicked === 'roomGone') this.door.putOut(kicked);
  }

  /** What was said while the link was away, or whose answer was lost with it. */
  #sayUnanswered(): void {
    const now = Date.now();
    for (const own of this.state.get().own.filter((it) => it.failed === null)) {
      if (now - own.saidAtMs > RESEND_FOR_MS)
        this.#do({ type: 'failed', clientId: own.clientId, code: 'unavailable' });
      else this.#send(sayFrame(own));
    }
  }

  #send(frame: ClientFrame): boolean {
    return this.#socket.send(frame);
  }

  #url(): string {
    this.#batch.flush();
    return socketUrl({
      slug: this.door.slug,
      after: this.state.get().lines.at(-1)?.id ?? null,
      token: this.door.token(),
      relay: location.origin,
      page: location.origin,
    });
  }

  #do(action: ChatAction): void {
    this.#batch.add(action);
    this.#batch.flush();
  }

  #apply(actions: readonly ChatAction[]): void {
    this.state.set(actions.reduce(reduceChat, this.state.get()));
  }
}

function sayFrame(own: OwnMessage): ClientFrame {
  return {
    type: 'say',
    text: own.text,
    clientId: own.clientId,
    ...(own.mediaTime === null ? {} : { mediaTime: own.mediaTime }),
    ...(own.replyTo === null ? {} : { replyTo: own.replyTo }),
  };
}

/** `randomUUID` is missing on pages without TLS, as in a home network. */
function newClientId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
