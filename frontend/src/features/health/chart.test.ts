import { describe, expect, it } from 'vitest';
import { draw, niceTop } from './chart';

describe('a chart', () => {
  const points = (...pairs: [atMs: number, value: number][]) =>
    pairs.map(([atMs, value]) => ({ atMs, value }));

  it('runs from left to right, with the largest value below the top', () => {
    expect(draw(points([0, 0], [5_000, 50], [10_000, 100]), 10_000, 10_000, 100, 40)).toEqual({
      line: 'M0 40L50 30L100 20',
      area: 'M0 40L50 30L100 20L100 40L0 40Z',
      top: 200,
      least: 0,
      most: 100,
      last: 100,
    });
  });

  it('has a hole where nothing was measured', () => {
    const chart = draw(points([0, 100], [2_000, 100], [18_000, 100], [20_000, 100]), 20_000, 20_000, 100, 40);
    expect(chart?.line).toBe('M0 20L10 20M90 20L100 20');
    expect(chart?.area).toBe('M0 20L10 20L10 40L0 40ZM90 20L100 20L100 40L90 40Z');
  });

  it('leaves out what is over, and is nothing without points', () => {
    expect(draw(points([0, 900], [20_000, 100]), 20_000, 10_000, 100, 40)?.most).toBe(100);
    expect(draw([], 0, 10_000, 100, 40)).toBeNull();
  });

  it.each([
    [0, 1],
    [30, 50],
    [2_500, 3_000],
    [6_100, 8_000],
    [97, 200],
  ])('for %d reaches up to %d', (value, top) => {
    expect(niceTop(value)).toBe(top);
  });
});
