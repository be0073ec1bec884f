import { describe, expect, it } from 'vitest';
import type { Role } from '@/lib/api-types';
import { isStaff, mayDelete, mayModerate } from './acts';

const person = (role: Role, viewerId: string = role) => ({ viewerId, role });
const roles: readonly Role[] = ['viewer', 'moderator', 'host'];

describe('acts on others', () => {
  it.each([
    ['viewer', []],
    ['moderator', ['viewer']],
    ['host', ['viewer', 'moderator']],
  ] as const)('of a %s reach those below', (role, below) => {
    const me = person(role, 'me');
    expect(roles.filter((other) => mayModerate(me, person(other)))).toEqual(below);
    expect(roles.filter((other) => mayDelete(me, person(other)))).toEqual(below);
  });

  it('never reach oneself, but for deleting', () => {
    for (const role of roles) {
      const me = person(role);
      expect(mayModerate(me, me)).toBe(false);
      expect(mayDelete(me, me)).toBe(true);
    }
  });

  it('are for nobody before the room said who one is', () => {
    expect(mayDelete(null, person('viewer'))).toBe(false);
    expect(isStaff(null)).toBe(false);
  });
});
