/**
 * The invite of a room link. It rides in the fragment, so it reaches no server log; from there it moves
 * into the tab's storage, so that it leaves the address bar and a reload still works.
 */
import { recall, remember } from '@/lib/remembered';

/** Longest invite that is looked at: a JWT of this project has about 400 characters. */
const MAX_INVITE_LENGTH = 4096;

export function inviteInFragment(fragment: string): string | null {
  const invite = new URLSearchParams(fragment.replace(/^#/, '')).get('invite');
  return invite === null || invite === '' || invite.length > MAX_INVITE_LENGTH ? null : invite;
}

export function keepInvite(slug: string, invite: string): void {
  remember('tab', `invite.${slug}`, invite);
}

export function keptInvite(slug: string): string | null {
  return recall('tab', `invite.${slug}`);
}
