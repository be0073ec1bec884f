/** What to do about an error of hls.js. Pure, so that the table can be tested without a browser. */

export interface Trouble {
  fatal: boolean;
  kind: 'network' | 'media' | 'other';
  /** The error is about the multivariant playlist, a media playlist, or anything else. */
  about: 'multivariant' | 'playlist' | 'other';
  /** HTTP status, 0 without an answer, null where no request was involved. */
  status: number | null;
}

export type Recovery =
  | 'none'
  /** The viewer token is no longer good: get a new one, then go on loading. */
  | 'renew'
  /** This viewer was put out. */
  | 'refused'
  /** The playlist is gone: ask the room whether the broadcast is over or has a new address. */
  | 'askRoom'
  | 'reload'
  | 'recoverMedia'
  | 'recreate';

export function chooseRecovery(trouble: Trouble, mediaRecoveredLately: boolean): Recovery {
  if (trouble.status === 401) return 'renew';
  if (trouble.status === 403) return 'refused';
  if (trouble.status === 404 && trouble.about !== 'other') return 'askRoom';
  if (!trouble.fatal) return 'none';
  if (trouble.kind === 'network') {
    // hls.js cannot load a multivariant playlist again once it failed: that takes a new instance.
    return trouble.about === 'multivariant' ? 'recreate' : 'reload';
  }
  if (trouble.kind === 'media') return mediaRecoveredLately ? 'recreate' : 'recoverMedia';
  return 'recreate';
}
