/**
 * Gets a visitor into a room and keeps them in: joins, asks for a nickname when none is known, renews the
 * viewer token before it ends. React shows `state`; the player calls `renew` and `refuse`.
 * Not here: media, chat, and the clock (only differences of local time are used).
 *
 * Renewing by join is the first choice, for it alone sets the cookie that says who this browser is.
 */
import { call } from '@/lib/api';
import type { JoinReply } from '@/lib/api-types';
import { Backoff } from '@/lib/backoff';
import { recall, remember } from '@/lib/remembered';
import { Store } from '@/lib/store';
import { readJoinFailure, renewDelayMs, type EntryState, type Refusal } from './entry-state';
import { keptInvite } from './invite';

export type RenewOutcome = 'renewed' | 'refused' | 'unreachable';

/** Another way to a newer token, for when the join does not answer; null when that fails, too. */
export type OtherRenewal = () => Promise<{ token: string; expiresAt: string } | null>;

const NICKNAME_KEY = 'nickname';

export class RoomEntry {
  readonly state: Store<EntryState>;
  readonly #backoff = new Backoff(1_000, 30_000);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewing: Promise<RenewOutcome> | null = null;
  /** Answers of attempts older than this one no longer count. */
  #attempt = 0;

  constructor(
    readonly slug: string,
    private readonly renewOtherwise: OtherRenewal = () => Promise.resolve(null),
  ) {
    const nickname = recall('browser', NICKNAME_KEY);
    this.state = new Store<EntryState>(nickname === null ? asking('') : { step: 'joining', nickname });
  }

  /** Joins with the nickname used last, or waits for the form. */
  start(): void {
    const state = this.state.get();
    if (state.step === 'joining') void this.join(state.nickname);
    if (state.step === 'joined') this.#renewLater(state.session);
  }

  stop(): void {
    this.#attempt += 1;
    clearTimeout(this.#timer);
  }

  /** Tries again from the start, with an invite that may have changed. */
  restart(): void {
    const nickname = recall('browser', NICKNAME_KEY);
    if (nickname === null) this.state.set(asking(''));
    else void this.join(nickname);
  }

  /** The nickname form again, with the last one in it. */
  rename(): void {
    this.stop();
    this.state.set(asking(recall('browser', NICKNAME_KEY) ?? ''));
  }

  async join(nickname: string): Promise<void> {
    clearTimeout(this.#timer);
    const attempt = ++this.#attempt;
    this.state.set({ step: 'joining', nickname });
    const { invite, answer } = await this.#post(nickname);
    if (attempt !== this.#attempt) return;
    if (answer.ok) {
      remember('browser', NICKNAME_KEY, nickname);
      this.#enter(answer.value);
      return;
    }
    const failure = readJoinFailure(answer.problem, invite !== null);
    switch (failure.kind) {
      case 'nickname':
        this.state.set({ step: 'asking', nickname, rejected: true });
        return;
      case 'refused':
        this.refuse(failure.refusal);
        return;
      case 'tooMany':
        this.#retryLater(nickname, 'tooMany', failure.retryInMs ?? this.#backoff.nextMs());
        return;
      case 'unreachable':
        this.#retryLater(nickname, 'unreachable', this.#backoff.nextMs());
    }
  }

  /** Asks for a new viewer token now; calls while one is under way share its outcome. */
  renew(): Promise<RenewOutcome> {
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  refuse(refusal: Refusal): void {
    this.stop();
    this.state.set({ step: 'refused', refusal });
  }

  async #renew(): Promise<RenewOutcome> {
    const state = this.state.get();
    if (state.step !== 'joined') return 'refused';
    const attempt = this.#attempt;
    const { invite, answer } = await this.#post(state.session.nickname);
    if (attempt !== this.#attempt) return 'unreachable';
    if (answer.ok) {
      this.#enter(answer.value);
      return 'renewed';
    }
    const failure = readJoinFailure(answer.problem, invite !== null);
    // Seats can be full for a moment while this viewer's own seat is being counted anew: not a reason to leave.
    if (failure.kind === 'refused' && failure.refusal !== 'full') {
      this.refuse(failure.refusal);
      return 'refused';
    }
    const other = await this.renewOtherwise();
    if (attempt !== this.#attempt) return 'unreachable';
    if (other !== null) {
      await takeAsCookie(this.slug, other.token);
      this.#enter({ ...state.session, ...other });
      return 'renewed';
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.renew(), this.#backoff.nextMs());
    return 'unreachable';
  }

  async #post(nickname: string) {
    const invite = keptInvite(this.slug);
    const body = invite === null ? { nickname } : { nickname, invite };
    const answer = await call<JoinReply>('POST', `/api/rooms/${this.slug}/join`, body);
    return { invite, answer };
  }

  #enter(session: JoinReply): void {
    this.#backoff.reset();
    this.state.set({ step: 'joined', session });
    this.#renewLater(session);
  }

  #renewLater(session: JoinReply): void {
    clearTimeout(this.#timer);
    const delay = renewDelayMs(Date.now(), Date.parse(session.expiresAt));
    this.#timer = setTimeout(() => void this.renew(), delay);
  }

  #retryLater(nickname: string, cause: 'unreachable' | 'tooMany', retryInMs: number): void {
    this.state.set({ step: 'delayed', cause, retryInMs });
    this.#timer = setTimeout(() => void this.join(nickname), retryInMs);
  }
}

/** A playlist asked for with a token sets it as the cookie of the media that follow. */
async function takeAsCookie(slug: string, token: string): Promise<void> {
  await call('GET', `/live/${slug}/index.m3u8?token=${encodeURIComponent(token)}`);
}

function asking(nickname: string): EntryState {
  return { step: 'asking', nickname, rejected: false };
}
