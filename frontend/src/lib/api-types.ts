/** Shapes of the HTTP API (see the project's API page). Times are RFC 3339 strings in UTC. */

export interface Room {
  slug: string;
  name: string;
  access: 'invite' | 'open';
  listed: boolean;
  locked: boolean;
  isLive: boolean;
  /** The publisher is lost for now; the stream is still open. */
  interrupted: boolean;
  startedAt: string | null;
  viewerCount: number;
  slowModeSeconds: number;
}

export interface AdminRoom extends Room {
  streamKey: string;
  ingestUrl: string;
  watchUrl: string;
  playlistUrl: string;
}

export type Role = 'viewer' | 'moderator' | 'host';

export interface JoinedRelay {
  id: string;
  name: string;
  url: string;
}

export interface JoinReply {
  token: string;
  viewerId: string;
  nickname: string;
  role: Role;
  room: Room;
  expiresAt: string;
  relays: JoinedRelay[];
}

export interface Invite {
  id: string;
  room: string;
  label: string | null;
  role: Role;
  createdAt: string;
  notBefore: string | null;
  expiresAt: string | null;
  maxSeats: number | null;
  seatsUsed: number;
  relays: string[] | null;
  revokedAt: string | null;
}

/** The token and the link exist only in the answer that made the invite. */
export interface NewInvite extends Invite {
  token: string;
  url: string;
}

export interface Relay {
  id: string;
  name: string;
  region: string | null;
  url: string | null;
  state: 'pending' | 'online' | 'offline';
  rooms: number;
  viewers: number;
  egressBytes: number;
  rttMs: number | null;
  lastSeenAt: string | null;
  version: string | null;
}

export interface NewRelay {
  id: string;
  joinToken: string;
  command: string;
}
