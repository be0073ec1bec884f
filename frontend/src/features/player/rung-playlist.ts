/** How far the media of a rung's playlist reaches. Pure; reads the few tags it takes. */

export interface RungReach {
  /** Wall-clock time at which the listed media ends, milliseconds since 1970; null where nothing is listed yet. */
  endMs: number | null;
  /** What the distance to the edge has to be at least, seconds. */
  stepSeconds: number;
  ended: boolean;
}

export function readReach(playlist: string): RungReach {
  let stepSeconds = 2;
  let endMs: number | null = null;
  let ended = false;
  /** Where the open segment starts, and how much of it its parts hold. */
  let segmentMs: number | null = null;
  let partsMs = 0;
  let gap = false;
  const reach = (ms: number) => {
    endMs = endMs === null ? ms : Math.max(endMs, ms);
  };
  for (const line of playlist.split(/\r?\n/)) {
    if (line.startsWith('#EXT-X-TARGETDURATION:')) stepSeconds = Number(line.slice(22)) || stepSeconds;
    else if (line.startsWith('#EXT-X-PART-INF:')) stepSeconds = decimal(line, 'PART-TARGET') ?? stepSeconds;
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) {
      const at = Date.parse(line.slice(25));
      if (Number.isFinite(at)) segmentMs = at;
    } else if (line.startsWith('#EXT-X-PART:')) {
      partsMs += (decimal(line, 'DURATION') ?? 0) * 1_000;
      if (segmentMs !== null && !/[:,]GAP=YES/.test(line)) reach(segmentMs + partsMs);
    } else if (line === '#EXT-X-GAP') gap = true;
    else if (line.startsWith('#EXTINF:')) {
      partsMs = 0;
      if (segmentMs === null) continue;
      segmentMs += (Number.parseFloat(line.slice(8)) || 0) * 1_000;
      if (!gap) reach(segmentMs);
      gap = false;
    } else if (line === '#EXT-X-ENDLIST') ended = true;
  }
  return { endMs, stepSeconds, ended };
}

function decimal(line: string, name: string): number | null {
  const value = Number(new RegExp(`[:,]${name}=([0-9.]+)`).exec(line)?.[1] ?? Number.NaN);
  return Number.isFinite(value) ? value : null;
}
