/**
 * Which page an address names. The viewer app uses paths (`/r/{slug}`); the dashboard uses the
 * fragment (`#/rooms/{slug}`), so the origin serves one file at `/` and knows no page names.
 */
import { Store } from './store';

export type ViewerRoute = { page: 'home' } | { page: 'room'; slug: string } | { page: 'unknown' };

export type DashboardRoute =
  { page: 'rooms' } | { page: 'room'; slug: string } | { page: 'relays' } | { page: 'unknown' };

/** The slug's own form; anything else cannot be a room. */
const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;

export function viewerRoute(path: string): ViewerRoute {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 0 || path === '/index.html') return { page: 'home' };
  const [first, slug] = parts;
  if (parts.length === 2 && first === 'r' && slug !== undefined && SLUG.test(slug))
    return { page: 'room', slug };
  return { page: 'unknown' };
}

export function dashboardRoute(fragment: string): DashboardRoute {
  const parts = fragment
    .replace(/^#/, '')
    .split('/')
    .filter((part) => part !== '');
  const [first, slug] = parts;
  if (first === undefined || (first === 'rooms' && parts.length === 1)) return { page: 'rooms' };
  if (first === 'rooms' && parts.length === 2 && slug !== undefined && SLUG.test(slug))
    return { page: 'room', slug };
  if (first === 'relays' && parts.length === 1) return { page: 'relays' };
  return { page: 'unknown' };
}

export const roomPath = (slug: string) => `/r/${slug}`;
export const dashboardRoomPath = (slug: string) => `#/rooms/${slug}`;

/** The address bar as a store of `pathname` and fragment. */
export class AddressBar {
  readonly path = new Store(location.pathname);
  readonly fragment = new Store(location.hash);

  constructor() {
    const read = () => {
      this.path.set(location.pathname);
      this.fragment.set(location.hash);
    };
    addEventListener('popstate', read);
    addEventListener('hashchange', read);
  }

  go(path: string): void {
    history.pushState(null, '', path);
    this.path.set(location.pathname);
    this.fragment.set(location.hash);
    scrollTo(0, 0);
  }

  /** Takes the fragment out of the address bar and the history: it may be a secret. */
  dropFragment(): void {
    history.replaceState(null, '', location.pathname + location.search);
    this.fragment.set('');
  }
}
