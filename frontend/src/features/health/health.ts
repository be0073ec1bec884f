/** Reads the health answer: what has a place of its own on the page. The rest are rows (see health-rows). Pure. */
import { isRecord } from '@/lib/shape';

export interface HistoryPoint {
  atMs: number;
  videoKbps: number;
  audioKbps: number;
  fps: number;
}

export interface SoundHealth {
  index: number;
  codec: string;
  channels: number;
  kbps: number | null;
  /** dB of full scale; null where it is not measured. */
  levelDb: number | null;
  silentSeconds: number;
}

export type RungState = 'off' | 'starting' | 'running' | 'dropped' | 'failed';

/** Why a rung was dropped; `other` where the server has a reason that this page does not know. */
export type DropReason = 'busy' | 'fruitless' | 'crowded' | 'other';

export interface RungHealth {
  rung: string;
  state: RungState;
  /** Of a dropped one. */
  reason: DropReason;
  /** Relays with viewers of it; how many viewers those have is not told. */
  relays: number;
  /** Seconds of media made in a second; null until something was made. */
  speed: number | null;
  restarts: number;
}

export interface LadderHealth {
  /** Version; null: there is none, or none yet. */
  ffmpeg: string | null;
  /** Whether there is one is still being found out. */
  looking: boolean;
  encoder: string | null;
  rungs: readonly RungHealth[];
}

export interface Health {
  /** For how long the streamer is away; null while something comes. */
  awaySeconds: number | null;
  /** The slate is shown meanwhile. */
  isSlateShown: boolean;
  /** Of the stream itself, in plain words. */
  warnings: readonly string[];
  hasPicture: boolean;
  history: readonly HistoryPoint[];
  /** null where the server does not tell. */
  sounds: readonly SoundHealth[] | null;
  ladder: LadderHealth | null;
  unsupported: readonly { isVideo: boolean; codec: string }[];
}

const STATES: readonly RungState[] = ['off', 'starting', 'running', 'dropped', 'failed'];
const REASONS: readonly DropReason[] = ['busy', 'fruitless', 'crowded'];

export function readHealth(answer: unknown): Health {
  const health = isRecord(answer) ? answer : {};
  const sounds = Array.isArray(health.audioTracks) ? records(health.audioTracks).map(readSound) : null;
  return {
    awaySeconds: number(health.awaySeconds),
    isSlateShown: isRecord(health.slate) && health.slate.state === 'showing',
    warnings: Array.isArray(health.warnings)
      ? health.warnings.filter((warning) => typeof warning === 'string')
      : [],
    hasPicture: isRecord(health.video),
    history: records(health.history).flatMap(readPoint),
    sounds,
    ladder: isRecord(health.ladder) ? readLadder(health.ladder) : null,
    unsupported: records(health.unsupported).map(({ track, codec }) => ({
      isVideo: track === 'video',
      codec: text(codec) ?? '',
    })),
  };
}

function readPoint(point: Record<string, unknown>): HistoryPoint[] {
  const atMs = typeof point.at === 'number' ? point.at : Date.parse(text(point.at) ?? '');
  if (!Number.isFinite(atMs)) return [];
  const { videoKbps, audioKbps, fps } = point;
  return [
    { atMs, videoKbps: number(videoKbps) ?? 0, audioKbps: number(audioKbps) ?? 0, fps: number(fps) ?? 0 },
  ];
}

function readSound(sound: Record<string, unknown>, place: number): SoundHealth {
  return {
    index: number(sound.index) ?? place,
    codec: text(sound.codec) ?? '',
    channels: number(sound.channels) ?? 0,
    kbps: number(sound.kbps),
    levelDb: number(sound.levelDb),
    silentSeconds: number(sound.silentSeconds) ?? 0,
  };
}

function readLadder(ladder: Record<string, unknown>): LadderHealth {
  return {
    ffmpeg: text(ladder.ffmpeg),
    looking: ladder.looking === true,
    encoder: text(ladder.encoder),
    rungs: records(ladder.rungs).map((rung) => ({
      rung: text(rung.rung) ?? '',
      state: STATES.find((state) => state === rung.state) ?? 'off',
      reason: REASONS.find((reason) => reason === rung.reason) ?? 'other',
      relays: number(rung.watchers) ?? 0,
      speed: number(rung.speed),
      restarts: number(rung.restarts) ?? 0,
    })),
  };
}

const records = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
