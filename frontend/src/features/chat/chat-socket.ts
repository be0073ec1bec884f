/**
 * Keeps one chat socket open: connects, comes back after a loss, notices a dead link, renews the viewer token.
 * Not here: what the events mean (chat-state), what has to be said again (room-chat).
 */
import { Backoff } from '@/lib/backoff';
import { localNowMs, sampleOf, type Sample } from '@/lib/origin-clock';
import { readEvent, type ClientFrame, type KickReason, type ServerEvent } from './wire';

export interface NewToken {
  token: string;
  expiresAt: string;
}

/** What the socket asks of the chat around it. */
export interface SocketDoor {
  /** Address for the next connection. */
  url(): string;
  heard(event: ServerEvent): void;
  lost(): void;
  /** It stays closed until `open` is called. */
  ended(reason: KickReason): void;
  /** The pass may be spent: gets a new one. After `refused` the owner stops this socket. */
  renew(): Promise<'renewed' | 'refused' | 'unreachable'>;
  timed(sample: Sample): void;
}

const FIRST_DELAY_MS = 300;
const LONGEST_DELAY_MS = 10_000;
export const PING_MS = 20_000;
const RENEW_TIMEOUT_MS = 5_000;
/** A handshake that fails may mean a spent token, or a relay that is down: the door is asked no more often than this. */
const RENEW_GAP_MS = 15_000;

const reasons: Readonly<Record<number, KickReason>> = {
  1001: 'goingAway',
  1008: 'misbehaved',
  1013: 'tooSlow',
  4401: 'expired',
  4403: 'revoked',
  4404: 'roomGone',
  4409: 'replaced',
};
const final: readonly KickReason[] = ['banned', 'revoked', 'roomGone', 'misbehaved', 'replaced'];

export class ChatSocket {
  #socket: WebSocket | null = null;
  #greeted = false;
  #kicked: KickReason | null = null;
  #pingSentMs: number | null = null;
  #heardSincePing = true;
  #lastRenewMs = Number.NEGATIVE_INFINITY;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #pinger: ReturnType<typeof setInterval> | undefined;
  #awaiting: ((token: NewToken | null) => void) | null = null;
  #running = false;
  readonly #backoff = new Backoff(FIRST_DELAY_MS, LONGEST_DELAY_MS);

  constructor(
    private readonly door: SocketDoor,
    private readonly connect: (url: string) => WebSocket = (url) => new WebSocket(url),
  ) {}

  open(): void {
    this.#running = true;
    clearTimeout(this.#retry);
    this.#drop();
    const socket = this.connect(this.door.url());
    this.#socket = socket;
    this.#greeted = false;
    this.#kicked = null;
    socket.onmessage = ({ data }) => this.#hear(data);
    socket.onclose = ({ code }) => void this.#closed(code);
  }

  close(): void {
    this.#running = false;
    clearTimeout(this.#retry);
    this.#drop();
  }

  /** The network is back: no reason to wait for the next try. */
  hurry(): void {
    if (this.#running && this.#socket === null) this.open();
  }

  /** False when there is nobody to hear it now. */
  send(frame: ClientFrame): boolean {
    if (!this.#greeted || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Asks for a newer token; null when none came. */
  renew(): Promise<NewToken | null> {
    this.#awaiting?.(null);
    if (!this.send({ type: 'renew' })) return Promise.resolve(null);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#awaiting?.(null), RENEW_TIMEOUT_MS);
      this.#awaiting = (token) => {
        clearTimeout(timer);
        this.#awaiting = null;
        resolve(token);
      };
    });
  }

  #hear(data: unknown): void {
    const event = typeof data === 'string' ? readEvent(data) : null;
    this.#heardSincePing = true;
    if (event === null) return;
    switch (event.type) {
      case 'hello':
        this.#greeted = true;
        this.#backoff.reset();
        this.#startPinging();
        break;
      case 'kicked':
        this.#kicked = event.reason;
        break;
      case 'pong':
        if (this.#pingSentMs !== null)
          this.door.timed(sampleOf(this.#pingSentMs, event.t1, event.t2, localNowMs()));
        break;
      case 'token':
        this.#awaiting?.(event);
        break;
      default:
    }
    this.door.heard(event);
  }

  #startPinging(): void {
    clearInterval(this.#pinger);
    this.#heardSincePing = true;
    this.#pinger = setInterval(() => this.#ping(), PING_MS);
    this.#ping();
  }

  #ping(): void {
    if (!this.#heardSincePing) {
      // Not even the last ping was answered: the connection is dead, whatever the browser believes.
      void this.#closed(1006);
      return;
    }
    this.#heardSincePing = false;
    this.#pingSentMs = localNowMs();
    this.send({ type: 'ping', t0: this.#pingSentMs });
  }

  #drop(): void {
    clearInterval(this.#pinger);
    this.#awaiting?.(null);
    const socket = this.#socket;
    this.#socket = null;
    this.#pingSentMs = null;
    if (socket === null) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  async #closed(code: number): Promise<void> {
    const reason = this.#kicked ?? reasons[code] ?? null;
    const refused = !this.#greeted && reason === null;
    this.#drop();
    if (reason !== null && final.includes(reason)) {
      this.#running = false;
      this.door.ended(reason);
      return;
    }
    this.door.lost();
    // A browser does not say why a handshake failed: the join does.
    if (reason === 'expired' || (refused && performance.now() - this.#lastRenewMs > RENEW_GAP_MS)) {
      this.#lastRenewMs = performance.now();
      await this.door.renew();
    }
    if (!this.#running || this.#socket !== null) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.open(), this.#backoff.nextMs());
  }
}
