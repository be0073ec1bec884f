import { describe, expect, it } from 'vitest';
import { chooseRecovery, type Recovery, type Trouble } from './recovery';

const trouble = (changes: Partial<Trouble>): Trouble => ({
  fatal: true,
  kind: 'network',
  about: 'other',
  status: null,
  ...changes,
});

describe('recovery from an error of the player', () => {
  it.each<[string, Partial<Trouble>, Recovery]>([
    ['an expired token, before hls.js gives up', { status: 401, fatal: false }, 'renew'],
    ['an expired token on the multivariant playlist', { status: 401, about: 'multivariant' }, 'renew'],
    ['a viewer who was put out', { status: 403, fatal: false }, 'refused'],
    ['a playlist that is gone', { status: 404, about: 'playlist', fatal: false }, 'askRoom'],
    ['a room off air', { status: 404, about: 'multivariant' }, 'askRoom'],
    ['a part that left the window', { status: 404, fatal: false }, 'none'],
    ['an error hls.js retries by itself', { status: 503, fatal: false }, 'none'],
    ['a dead relay', { status: 0 }, 'reload'],
    ['a dead relay at the start', { status: 0, about: 'multivariant' }, 'recreate'],
    ['broken media', { kind: 'media' }, 'recoverMedia'],
    ['anything else', { kind: 'other' }, 'recreate'],
  ])('%s', (_, changes, recovery) => {
    expect(chooseRecovery(trouble(changes), false)).toBe(recovery);
  });

  it('makes a new player when media broke again soon', () => {
    expect(chooseRecovery(trouble({ kind: 'media' }), true)).toBe('recreate');
  });
});
