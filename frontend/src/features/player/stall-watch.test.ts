import { describe, expect, it } from 'vitest';
import { StallWatch, type StallAction } from './stall-watch';

/** Samples four times a second for `seconds`, the edge advancing with time unless it is frozen. */
function run(
  watch: StallWatch,
  fromMs: number,
  seconds: number,
  changes: { excused?: boolean; edge?: number | null } = {},
) {
  const actions: [number, StallAction][] = [];
  for (let nowMs = fromMs; nowMs < fromMs + seconds * 1_000; nowMs += 250) {
    const edgeSeconds = changes.edge === undefined ? nowMs / 1_000 : changes.edge;
    const action = watch.sample({ nowMs, moved: false, excused: changes.excused ?? false, edgeSeconds });
    if (action !== null) actions.push([nowMs, action]);
  }
  return actions;
}

describe('a playhead that stands while the broadcast goes on', () => {
  it('is moved to the live position after 1.5 s, then replaced', () => {
    expect(run(new StallWatch(), 0, 6)).toEqual([
      [1_500, 'seek'],
      [4_750, 'recreate'],
    ]);
  });

  it('gets a fresh start once it moved', () => {
    const watch = new StallWatch();
    run(watch, 0, 2);
    watch.sample({ nowMs: 2_000, moved: true, excused: false, edgeSeconds: 2 });
    expect(run(watch, 2_250, 2)).toEqual([[3_750, 'seek']]);
  });
});

describe('nothing is done', () => {
  it('while the broadcast stands too', () => {
    expect(run(new StallWatch(), 0, 20, { edge: 5 })).toEqual([]);
  });

  it('while standing is right', () => {
    expect(run(new StallWatch(), 0, 20, { excused: true })).toEqual([]);
  });

  it('before a playlist is loaded', () => {
    expect(run(new StallWatch(), 0, 20, { edge: null })).toEqual([]);
  });
});
