import { describe, expect, it } from 'vitest';
import { dashboardRoute, viewerRoute } from './router';

describe('addresses of the viewer app', () => {
  it.each([
    ['/', { page: 'home' }],
    ['/index.html', { page: 'home' }],
    ['/r/cinema', { page: 'room', slug: 'cinema' }],
    ['/r/late-show-2/', { page: 'room', slug: 'late-show-2' }],
    ['/r', { page: 'unknown' }],
    ['/r/Cinema', { page: 'unknown' }],
    ['/r/-x', { page: 'unknown' }],
    ['/r/a/b', { page: 'unknown' }],
    ['/r/%2e%2e', { page: 'unknown' }],
    [`/r/${'a'.repeat(65)}`, { page: 'unknown' }],
  ])('%s', (path, route) => {
    expect(viewerRoute(path)).toEqual(route);
  });
});

describe('addresses of the dashboard', () => {
  it.each([
    ['', { page: 'rooms' }],
    ['#/', { page: 'rooms' }],
    ['#/rooms', { page: 'rooms' }],
    ['#/rooms/cinema', { page: 'room', slug: 'cinema' }],
    ['#/relays', { page: 'relays' }],
    ['#/relays/x', { page: 'unknown' }],
    ['#token=abc', { page: 'unknown' }],
  ])('%s', (fragment, route) => {
    expect(dashboardRoute(fragment)).toEqual(route);
  });
});
