/** Addresses of media. On the page's own relay the cookie is the pass; another origin needs the token in the query. */

export function playlistUrl(slug: string, soundOnly = false): string {
  return `/live/${slug}/${soundOnly ? 'audio' : 'index'}.m3u8`;
}

/** `url` as this viewer has to ask for it: unchanged on the page's origin, with `?token=` on another relay. */
export function withToken(url: string, token: string, pageOrigin: string): string {
  const target = new URL(url, pageOrigin);
  if (target.origin === pageOrigin) return url;
  target.searchParams.set('token', token);
  return target.href;
}
