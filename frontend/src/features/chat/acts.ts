/** Who may do what to whom, so that nobody is offered what the origin will refuse. The origin decides. */
import type { Role } from '@/lib/api-types';
import type { RosterEntry } from './wire';

type Person = Pick<RosterEntry, 'viewerId' | 'role'>;

const rank: Readonly<Record<Role, number>> = { viewer: 0, moderator: 1, host: 2 };

export function isStaff(me: Person | null): boolean {
  return me !== null && rank[me.role] > 0;
}

/** Silence and ban: those below, never oneself. */
export function mayModerate(me: Person | null, target: Person): boolean {
  return me !== null && me.viewerId !== target.viewerId && rank[me.role] > rank[target.role];
}

export function mayDelete(me: Person | null, author: Person): boolean {
  return me !== null && (me.viewerId === author.viewerId || rank[me.role] > rank[author.role]);
}

/** Speaks also where the room is locked or slow. */
export function speaksFreely(me: Person | null): boolean {
  return isStaff(me);
}
