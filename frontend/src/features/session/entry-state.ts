/** Where a visitor stands at the door of a room, and what each refusal of the server means for them. */
import type { JoinReply } from '@/lib/api-types';
import type { Problem } from '@/lib/api';

export type Refusal =
  'inviteMissing' | 'inviteInvalid' | 'forbidden' | 'banned' | 'revoked' | 'unknownRoom' | 'full' | 'failed';

export type EntryState =
  /** The nickname form; `rejected`: the server did not take this one. */
  | { step: 'asking'; nickname: string; rejected: boolean }
  | { step: 'joining'; nickname: string }
  | { step: 'joined'; session: JoinReply }
  | { step: 'refused'; refusal: Refusal }
  /** No answer, or too many requests: tried again by itself after `retryInMs`. */
  | { step: 'delayed'; cause: 'unreachable' | 'tooMany'; retryInMs: number };

export type JoinFailure =
  | { kind: 'nickname' }
  | { kind: 'refused'; refusal: Refusal }
  | { kind: 'tooMany'; retryInMs: number | null }
  | { kind: 'unreachable' };

export function readJoinFailure(problem: Problem, hadInvite: boolean): JoinFailure {
  switch (problem.status) {
    case 401:
      return { kind: 'refused', refusal: hadInvite ? 'inviteInvalid' : 'inviteMissing' };
    case 403:
      return { kind: 'refused', refusal: 'forbidden' };
    case 404:
      return { kind: 'refused', refusal: 'unknownRoom' };
    case 409:
      return { kind: 'refused', refusal: 'full' };
    case 422:
      return { kind: 'nickname' };
    case 429:
      return {
        kind: 'tooMany',
        retryInMs: problem.retryAfterSeconds === null ? null : problem.retryAfterSeconds * 1000,
      };
    default:
      // A relay that lost its origin answers 5xx to a join; it comes back like a dead network does.
      if (problem.status === 0 || problem.status >= 500) return { kind: 'unreachable' };
      return { kind: 'refused', refusal: 'failed' };
  }
}

/** Viewer tokens live ten minutes at most; a clock that says otherwise is wrong. */
const LONGEST_TOKEN_LIFE_MS = 10 * 60_000;

/**
 * When to renew a token that expires at `expiresAtMs`: after 60 % of what is left of its life.
 * With a local clock too wrong to tell, a full life is assumed; the 401 of a media request corrects that.
 */
export function renewDelayMs(nowMs: number, expiresAtMs: number): number {
  const left = expiresAtMs - nowMs;
  const plausible = left > 0 && left <= LONGEST_TOKEN_LIFE_MS * 1.1;
  return Math.max(5_000, (plausible ? left : LONGEST_TOKEN_LIFE_MS) * 0.6);
}
