import type Hls from 'hls.js';
import { Events, type FragLoadingData } from 'hls.js';
import { describe, expect, it, vi } from 'vitest';
import { PartwiseTimeline } from './hls-captions';

/** Counts how often the caption that is being written is forgotten. */
function resetsOver(parts: readonly (readonly [sn: number, part: number | null])[]): number {
  const reset = vi.fn();
  const timeline = Object.create(
    (PartwiseTimeline as unknown as new (hls: Hls) => object).prototype as object,
  ) as { onFragLoading(event: Events.FRAG_LOADING, loading: FragLoadingData): void };
  const parser = { reset };
  Object.assign(timeline, {
    enabled: true,
    cea608Parser1: parser,
    cea608Parser2: { reset: vi.fn() },
    lastSn: -1,
    lastPartIndex: -1,
    lastCc: 0,
  });
  for (const [sn, index] of parts) {
    const loading = { frag: { type: 'main', sn, cc: 0 }, part: index === null ? null : { index } };
    timeline.onFragLoading(Events.FRAG_LOADING, loading as unknown as FragLoadingData);
  }
  return reset.mock.calls.length;
}

describe('a caption', () => {
  it('is written over the parts of a segment and into the next one', () => {
    expect(
      resetsOver([
        [0, 0],
        [0, 1],
        [0, 2],
        [1, 0],
        [1, 1],
      ]),
    ).toBe(0);
  });

  it('is forgotten where something is left out', () => {
    expect(
      resetsOver([
        [0, 0],
        [0, 2],
      ]),
    ).toBe(1);
    expect(
      resetsOver([
        [0, 0],
        [4, 0],
      ]),
    ).toBe(1);
  });

  it('is written over whole segments', () => {
    expect(
      resetsOver([
        [0, null],
        [1, null],
      ]),
    ).toBe(0);
  });
});
