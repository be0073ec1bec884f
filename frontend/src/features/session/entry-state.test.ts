import { describe, expect, it } from 'vitest';
import { readJoinFailure, renewDelayMs } from './entry-state';

const problem = (status: number, retryAfterSeconds: number | null = null) => ({
  status,
  title: '',
  detail: '',
  fields: {},
  retryAfterSeconds,
});

describe('a refused join', () => {
  it.each([
    [401, true, { kind: 'refused', refusal: 'inviteInvalid' }],
    [401, false, { kind: 'refused', refusal: 'inviteMissing' }],
    [403, true, { kind: 'refused', refusal: 'forbidden' }],
    [404, true, { kind: 'refused', refusal: 'unknownRoom' }],
    [409, true, { kind: 'refused', refusal: 'full' }],
    [422, true, { kind: 'nickname' }],
    [400, true, { kind: 'refused', refusal: 'failed' }],
    [0, true, { kind: 'unreachable' }],
    [503, true, { kind: 'unreachable' }],
  ])('with status %d, invite shown: %s', (status, hadInvite, failure) => {
    expect(readJoinFailure(problem(status), hadInvite)).toEqual(failure);
  });

  it('because of too many requests waits as long as it is told', () => {
    expect(readJoinFailure(problem(429, 7), true)).toEqual({ kind: 'tooMany', retryInMs: 7_000 });
    expect(readJoinFailure(problem(429), true)).toEqual({ kind: 'tooMany', retryInMs: null });
  });
});

describe('a viewer token', () => {
  it('is renewed at 60 % of its life', () => {
    expect(renewDelayMs(1_000, 601_000)).toBe(360_000);
  });

  it('is not renewed in a rush when its invite is about to end', () => {
    expect(renewDelayMs(0, 2_000)).toBe(5_000);
  });

  it.each([-3_600_000, 3_600_000, Number.NaN])(
    'is taken for a new one by a clock that is wrong (%d)',
    (left) => {
      expect(renewDelayMs(0, left)).toBe(360_000);
    },
  );
});
