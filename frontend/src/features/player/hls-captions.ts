/** Captions that hls.js finds within the picture, as text tracks of the `<video>`, without the file that hls.js would load for each. */
import Hls, { Events, type FragLoadingData } from 'hls.js';

type Timeline = NonNullable<typeof Hls.DefaultConfig.timelineController>;

/** What the base class keeps to itself. */
interface Inside {
  lastSn: number;
  lastPartIndex: number;
  onFragLoading(event: Events.FRAG_LOADING, loading: FragLoadingData): void;
}

const Base = Hls.DefaultConfig.timelineController as unknown as new (hls: Hls) => Inside;

/**
 * hls.js 1.7.3 takes each part of a segment for a jump and forgets the caption that was being written: with parts of half
 * a second, hardly one would be left whole.
 */
class Partwise extends Base {
  override onFragLoading(event: Events.FRAG_LOADING, loading: FragLoadingData): void {
    const { frag, part } = loading;
    const follows = frag.sn === this.lastSn && part?.index === this.lastPartIndex + 1;
    if ((frag.type as string) === 'main' && follows) this.lastSn -= 1;
    super.onFragLoading(event, loading);
  }
}

export const PartwiseTimeline = Partwise as unknown as Timeline;

/** Answers how to take them away again. */
export function bringCaptions(hls: Hls, video: HTMLVideoElement): () => void {
  const tracks = new Map<string, TextTrack>();
  hls.on(Events.NON_NATIVE_TEXT_TRACKS_FOUND, (_, found) => {
    for (const { _id: id, kind, label, closedCaptions } of found.tracks) {
      if (id === undefined || kind !== 'captions' || tracks.has(id)) continue;
      tracks.set(id, textTrack(video, label, closedCaptions?.lang ?? ''));
    }
  });
  hls.on(Events.CUES_PARSED, (_, { track, cues }) => {
    const into = tracks.get(track);
    for (const cue of cues as VTTCue[]) into?.addCue(cue);
  });
  return () => {
    for (const track of tracks.values()) {
      for (const cue of [...(track.cues ?? [])]) track.removeCue(cue);
      track.mode = 'disabled';
    }
  };
}

/** Text tracks once added stay for good, so that those of an earlier engine are used again. */
function textTrack(video: HTMLVideoElement, label: string, language: string): TextTrack {
  const known = [...video.textTracks].find((track) => track.label === label && track.language === language);
  const track = known ?? video.addTextTrack('captions', label, language);
  track.mode = 'hidden';
  return track;
}
