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

/** What a room's hosts see of it, and may change. */
export interface HostRoom extends Room {
  links: 'everyone' | 'moderators';
  blockedWords: string[];
  /** Messages are kept so long; null: as long as the room. */
  retentionDays: number | null;
  /** Qualities besides the source, such as `720p`; `audio` is the sound alone. */
  ladder: string[];
  slate: SlateChoice;
  /** There is a picture at `/api/rooms/{slug}/slate`. */
  hasSlatePicture: boolean;
  /** By number of the publisher's track. */
  audioTracks: AudioTrackLabel[];
}

/** What stands in for a publisher that was lost. */
export type SlateChoice = 'off' | 'card' | 'picture';

export interface AudioTrackLabel {
  name: string | null;
  /** BCP 47. */
  language: string | null;
}

export interface AdminRoom extends HostRoom {
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

export interface EmoteInfo {
  /** Without colons. */
  name: string;
  url: string;
  width: number;
  height: number;
}

export interface Ban {
  viewerId: string;
  nickname: string;
  bannedAt: string;
  /** Nickname of who did it. */
  bannedBy: string;
  reason?: string;
}

export interface AuditEntry {
  id: number;
  at: string;
  /** The operator has no viewer id. */
  by: { viewerId: string | null; nickname: string; role: Role };
  action: string;
  target?: { viewerId: string; nickname: string };
  detail?: string;
  reason?: string;
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
