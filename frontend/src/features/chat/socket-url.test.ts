import { expect, it } from 'vitest';
import { socketUrl } from './socket-url';

const page = 'https://relay.example';

it("trusts the cookie on the page's own relay", () => {
  expect(socketUrl({ slug: 'cinema', after: null, token: 'T', relay: page, page })).toBe(
    'wss://relay.example/ws/rooms/cinema',
  );
});

it('carries the token to a relay of another origin, and what was seen last', () => {
  const relay = 'http://10.0.0.2:8080';
  expect(socketUrl({ slug: 'cinema', after: 12, token: 'T.x', relay, page })).toBe(
    'ws://10.0.0.2:8080/ws/rooms/cinema?after=12&token=T.x',
  );
});
