/** The one address bar and the visit of the room it names, shared by the entry script and the pages. */
import { AddressBar } from '@/lib/router';
import { RoomVisit } from './room-visit';

export const address = new AddressBar();

let current: RoomVisit | null = null;

/** The running visit of this room, or a new one. Another room's visit ends. */
export function visitRoom(slug: string): RoomVisit {
  if (current?.slug !== slug) {
    current?.stop();
    current = new RoomVisit(slug, address);
  }
  return current;
}

export function leaveRooms(): void {
  current?.stop();
  current = null;
}
