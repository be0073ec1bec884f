import { describe, expect, it } from 'vitest';
import { inviteRequest } from './invite-request';
import { inviteStanding } from './invite-standing';

describe('the request for an invite', () => {
  it('leaves out what was left empty', () => {
    const draft = { label: '  ', role: 'viewer', expiresInSeconds: '', maxSeats: '' };
    expect(inviteRequest(draft)).toEqual({ role: 'viewer' });
  });

  it('carries numbers as numbers', () => {
    const draft = { label: ' Friends ', role: 'host', expiresInSeconds: '3600', maxSeats: '20' };
    expect(inviteRequest(draft)).toEqual({
      label: 'Friends',
      role: 'host',
      expiresInSeconds: 3600,
      maxSeats: 20,
    });
  });
});

describe('an invite', () => {
  const at = (iso: string) => Date.parse(iso);

  it('is good until it expires, or for ever', () => {
    const invite = { revokedAt: null, expiresAt: '2026-11-22T10:00:00.000Z' };
    expect(inviteStanding(invite, at('2026-11-22T09:59:59.000Z'))).toBe('good');
    expect(inviteStanding(invite, at('2026-11-22T10:00:00.000Z'))).toBe('expired');
    expect(inviteStanding({ revokedAt: null, expiresAt: null }, at('2036-01-01T00:00:00.000Z'))).toBe('good');
  });

  it('is withdrawn even when it has expired since', () => {
    const invite = { revokedAt: '2026-11-21T10:00:00.000Z', expiresAt: '2026-11-22T10:00:00.000Z' };
    expect(inviteStanding(invite, at('2026-11-23T00:00:00.000Z'))).toBe('revoked');
  });
});
