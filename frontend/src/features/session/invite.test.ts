import { expect, it } from 'vitest';
import { inviteInFragment } from './invite';

it.each([
  ['#invite=abc.def-g_h', 'abc.def-g_h'],
  ['invite=abc', 'abc'],
  ['#x=1&invite=abc', 'abc'],
  ['#invite=', null],
  ['', null],
  [`#invite=${'a'.repeat(5_000)}`, null],
])('reads the invite of a link: %.30s', (fragment, invite) => {
  expect(inviteInFragment(fragment)).toBe(invite);
});
