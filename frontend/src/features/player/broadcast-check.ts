/** Tells a new broadcast from the old one, whose playlists may be served for a while after its end. */
import { playlistUrl } from './media-url';

/** `endedPath` is the folder of the ended broadcast; its last part names the broadcast. */
export async function isOtherBroadcast(slug: string, endedPath: string): Promise<boolean> {
  try {
    const answer = await fetch(playlistUrl(slug), { cache: 'no-store', credentials: 'same-origin' });
    const name = endedPath
      .split('/')
      .filter((part) => part !== '')
      .at(-1);
    return answer.ok && name !== undefined && !(await answer.text()).includes(`${name}/`);
  } catch {
    return false;
  }
}
