/** A line over time as drawing commands. Pure. */

export interface ChartPoint {
  atMs: number;
  value: number;
}

export interface Chart {
  /** For the `d` of an SVG path; empty without points. */
  line: string;
  /** The same line closed along the bottom. */
  area: string;
  /** The value at the top edge. */
  top: number;
  least: number;
  most: number;
  last: number;
}

/** Points are this far apart at most within one line: a longer silence is a hole. */
const LONGEST_STEP_MS = 6_000;

/** The last `spanMs` before `nowMs` over `width` and `height`. */
export function draw(
  points: readonly ChartPoint[],
  nowMs: number,
  spanMs: number,
  width: number,
  height: number,
): Chart | null {
  const shown = points.filter(({ atMs }) => atMs >= nowMs - spanMs && atMs <= nowMs);
  const last = shown.at(-1);
  if (last === undefined) return null;
  const values = shown.map(({ value }) => value);
  const most = Math.max(...values);
  const top = niceTop(most);
  const x = (atMs: number) => round(((atMs - nowMs + spanMs) / spanMs) * width);
  const y = (value: number) => round(height - (value / top) * height);
  let line = '';
  let area = '';
  let startX = 0;
  let before: ChartPoint | null = null;
  for (const point of shown) {
    const begins = before === null || point.atMs - before.atMs > LONGEST_STEP_MS;
    if (begins) {
      if (before !== null) area += `L${x(before.atMs)} ${height}L${startX} ${height}Z`;
      startX = x(point.atMs);
    }
    const step = `${begins ? 'M' : 'L'}${x(point.atMs)} ${y(point.value)}`;
    line += step;
    area += step;
    before = point;
  }
  area += `L${x(last.atMs)} ${height}L${startX} ${height}Z`;
  return { line, area, top, least: Math.min(...values), most, last: last.value };
}

/** The next of 1, 2, 3, 5, 8 times a power of ten, so that the scale does not move with each point. */
export function niceTop(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 3, 5, 8, 10].find((factor) => factor * power >= value * 1.05) ?? 20;
  return step * power;
}

const round = (value: number) => Math.round(value * 10) / 10;
