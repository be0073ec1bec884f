/**
 * Which quality is wanted, which one plays, and what has to be done to come from one to the other: a pure reducer.
 * A rung that nobody watches is not made by the origin ("cold"), so a change to one starts with warming it up.
 */
import { isPlayable, SOUND_ONLY, SOURCE, type Offer, type Quality } from './offers';

/** A quality, or `auto`. */
export type Choice = Quality;

export const AUTO: Choice = 'auto';

export interface QualityState {
  offers: readonly Offer[];
  choice: Choice;
  /** What Auto would like; null: the best there is. */
  aim: Quality | null;
  /** What the engine was told to load; null before it plays. */
  playing: Quality | null;
  /** Warmed up, and so safe to change to. */
  warm: Quality | null;
  /** Rungs that did not come when asked for, or went away. */
  missing: readonly Quality[];
}

export type QualityEvent =
  /** A multivariant playlist was read by a new engine, which waits to be told what to play. */
  | { type: 'offered'; offers: readonly Offer[] }
  | { type: 'chosen'; choice: Choice }
  | { type: 'aimed'; quality: Quality | null }
  | { type: 'warmed'; quality: Quality }
  | { type: 'told'; quality: Quality }
  | { type: 'missing'; quality: Quality }
  | { type: 'missingForgotten' }
  | { type: 'closed' };

/** What the driver has to do next. */
export type QualityStep =
  | { do: 'nothing' }
  /** The sound alone has a multivariant playlist of its own: it takes another engine. */
  | { do: 'reopen' }
  | { do: 'warm'; quality: Quality }
  | { do: 'play'; quality: Quality }
  | { do: 'giveUp' };

export const nothingOffered = (choice: Choice): QualityState => ({
  offers: [],
  choice,
  aim: null,
  playing: null,
  warm: null,
  missing: [],
});

export function reduceQuality(state: QualityState, event: QualityEvent): QualityState {
  switch (event.type) {
    case 'offered':
      return { ...state, offers: event.offers, playing: null, warm: null, missing: [], aim: null };
    case 'chosen':
      // Asked for by hand, a rung gets another chance.
      return {
        ...state,
        choice: event.choice,
        aim: null,
        missing: state.missing.filter((quality) => quality !== event.choice),
      };
    case 'aimed':
      return { ...state, aim: event.quality };
    case 'warmed':
      return { ...state, warm: event.quality };
    case 'told':
      return { ...state, playing: event.quality, warm: null };
    case 'missing':
      return {
        ...state,
        missing: [...state.missing.filter((quality) => quality !== event.quality), event.quality],
        warm: state.warm === event.quality ? null : state.warm,
        aim: state.aim === event.quality ? null : state.aim,
      };
    case 'missingForgotten':
      return state.missing.length === 0 ? state : { ...state, missing: [] };
    case 'closed':
      return { ...state, playing: null, warm: null };
  }
}

/** What should play; null when this browser plays nothing of it. */
export function goalOf(state: QualityState): Quality | null {
  const usable = state.offers.filter((offer) => isPlayable(offer) && !state.missing.includes(offer.quality));
  const wanted = state.choice === AUTO ? state.aim : state.choice;
  if (usable.some(({ quality }) => quality === wanted)) return wanted;
  // Sound without picture is never what somebody gets who did not ask for it.
  return usable.find(({ quality }) => quality !== SOUND_ONLY)?.quality ?? null;
}

/** `soundOnly`: the engine stands on the playlist of the sound alone. */
export function stepOf(state: QualityState, soundOnly: boolean): QualityStep {
  if (state.offers.length === 0) return { do: 'nothing' };
  const goal = goalOf(state);
  if (goal === null) return { do: 'giveUp' };
  if ((goal === SOUND_ONLY) !== soundOnly) return { do: 'reopen' };
  if (goal === state.playing) return { do: 'nothing' };
  if (goal === SOURCE || goal === SOUND_ONLY || goal === state.warm) return { do: 'play', quality: goal };
  // The source plays while a rung gets ready.
  const source = state.offers.find(({ quality }) => quality === SOURCE);
  if (state.playing === null && source !== undefined && isPlayable(source))
    return { do: 'play', quality: SOURCE };
  return { do: 'warm', quality: goal };
}
