/** The captions within the picture (CEA-608 and -708), which the engine brings as text tracks of the `<video>`. */
import { recall, remember } from '@/lib/remembered';
import { Store } from '@/lib/store';

export interface CaptionTrack {
  id: string;
  label: string;
  language: string;
}

export interface CaptionsView {
  tracks: readonly CaptionTrack[];
  /** null: off. */
  current: string | null;
}

const KEY = 'captions';
const OFF = 'off';

export class Captions {
  readonly view = new Store<CaptionsView>({ tracks: [], current: null });
  /** Kept for the next visit: who needs captions needs them each time. */
  #wanted = recall('browser', KEY) ?? OFF;
  readonly #stop = new AbortController();

  /** `engineTurnsOff`: the engine disables the tracks of a broadcast that is over; else all begin so. */
  constructor(
    private readonly video: HTMLVideoElement,
    private readonly engineTurnsOff: boolean,
  ) {
    const { signal } = this.#stop;
    const look = () => this.#look();
    for (const name of ['addtrack', 'removetrack', 'change']) {
      video.textTracks.addEventListener(name, look, { signal });
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  choose(id: string | null): void {
    this.#wanted = id ?? OFF;
    remember('browser', KEY, this.#wanted);
    this.#look();
  }

  toggle(): void {
    const { tracks, current } = this.view.get();
    this.choose(current === null ? (tracks[0]?.id ?? null) : null);
  }

  #look(): void {
    const tracks = [...this.video.textTracks].filter(
      ({ kind, mode }) =>
        (kind === 'captions' || kind === 'subtitles') && !(this.engineTurnsOff && mode === 'disabled'),
    );
    // A new engine may make its tracks anew: the last one of a name is the one that gets the text.
    const named = new Map(tracks.map((track) => [idOf(track), track]));
    const current = named.has(this.#wanted) ? this.#wanted : null;
    for (const track of tracks) {
      const mode = track === named.get(current ?? '') ? 'showing' : 'hidden';
      if (track.mode !== mode) track.mode = mode;
    }
    const view = {
      tracks: [...named].map(([id, { label, language }]) => ({ id, label, language })),
      current,
    };
    if (JSON.stringify(view) !== JSON.stringify(this.view.get())) this.view.set(view);
  }
}

const idOf = ({ label, language }: TextTrack) => `${language}/${label}`;
