import type { Invite } from '@/lib/api-types';

export type Standing = 'good' | 'expired' | 'revoked';

/** Whether an invite still opens the door; withdrawing counts before expiry, since someone decided it. */
export function inviteStanding(invite: Pick<Invite, 'revokedAt' | 'expiresAt'>, nowMs: number): Standing {
  if (invite.revokedAt !== null) return 'revoked';
  return invite.expiresAt !== null && Date.parse(invite.expiresAt) <= nowMs ? 'expired' : 'good';
}
