/** Where the chat socket is. On the page's own relay the cookie is the pass; another origin needs the token in the query. */

export interface SocketAddress {
  slug: string;
  /** Newest message that is here; null for a first visit. */
  after: number | null;
  token: string;
  /** Origin of the relay. */
  relay: string;
  page: string;
}

export function socketUrl({ slug, after, token, relay, page }: SocketAddress): string {
  const url = new URL(`/ws/rooms/${slug}`, relay);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  if (after !== null) url.searchParams.set('after', String(after));
  if (new URL(relay).origin !== page) url.searchParams.set('token', token);
  return url.href;
}
