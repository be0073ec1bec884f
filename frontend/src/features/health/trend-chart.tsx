import { useId, useState, type PointerEvent } from 'react';
import { useLanguage } from '@/i18n/locale';
import { draw, type ChartPoint } from './chart';

interface TrendChartProps {
  name: string;
  points: readonly ChartPoint[];
  nowMs: number;
  /** A value with its unit. */
  format: (value: number) => string;
}

const SPAN_MS = 5 * 60_000;
const WIDTH = 300;
const HEIGHT = 64;

/** One measure over the last five minutes; the pointer reads single values off it. */
export function TrendChart({ name, points, nowMs, format }: TrendChartProps) {
  const { t, locale } = useLanguage();
  const fill = useId();
  const [at, setAt] = useState<ChartPoint | null>(null);
  const chart = draw(points, nowMs, SPAN_MS, WIDTH, HEIGHT);
  if (chart === null) {
    return (
      <div>
        <Title name={name} value="" />
        <p className="grid h-16 place-items-center rounded-lg bg-ink text-xs text-muted">
          {t('health.chart.none')}
        </p>
      </div>
    );
  }
  const place = (atMs: number) => ((atMs - nowMs + SPAN_MS) / SPAN_MS) * 100;
  const point = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const atMs = nowMs - SPAN_MS + ((event.clientX - box.left) / box.width) * SPAN_MS;
    setAt(nearest(points, atMs));
  };
  const values = { now: format(chart.last), least: format(chart.least), most: format(chart.most) };
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });
  return (
    <div>
      <Title
        name={at === null ? name : `${name}, ${clock.format(at.atMs)}`}
        value={format(at?.value ?? chart.last)}
      />
      <div
        role="img"
        aria-label={t('health.chart.summary', { name, ...values })}
        onPointerMove={point}
        onPointerLeave={() => setAt(null)}
        className="relative h-16 overflow-hidden rounded-lg bg-ink"
      >
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          aria-hidden="true"
          className="absolute inset-0 size-full text-accent"
        >
          <defs>
            <linearGradient id={fill} x1="0" x2="0" y1="0" y2="1">
              <stop offset="0" stopColor="currentColor" stopOpacity="0.3" />
              <stop offset="1" stopColor="currentColor" stopOpacity="0.02" />
            </linearGradient>
          </defs>
          <path d={`M0 ${HEIGHT / 2}H${WIDTH}`} className="stroke-line" vectorEffect="non-scaling-stroke" />
          <path d={chart.area} fill={`url(#${fill})`} />
          <path
            d={chart.line}
            fill="none"
            stroke="currentColor"
            strokeWidth="1.5"
            strokeLinejoin="round"
            vectorEffect="non-scaling-stroke"
          />
        </svg>
        <span aria-hidden="true" className="absolute top-1 left-1.5 text-[0.625rem] text-muted tabular-nums">
          {format(chart.top)}
        </span>
        {at !== null && (
          <span
            aria-hidden="true"
            className="absolute inset-y-0 w-px bg-text/60"
            style={{ left: `${place(at.atMs)}%` }}
          />
        )}
      </div>
    </div>
  );
}

function Title({ name, value }: { name: string; value: string }) {
  return (
    <div className="mb-1 flex items-baseline justify-between gap-3 text-xs">
      <span className="truncate text-muted">{name}</span>
      <span className="shrink-0 text-sm tabular-nums">{value}</span>
    </div>
  );
}

function nearest(points: readonly ChartPoint[], atMs: number): ChartPoint | null {
  return points.reduce<ChartPoint | null>(
    (best, point) =>
      best === null || Math.abs(point.atMs - atMs) < Math.abs(best.atMs - atMs) ? point : best,
    null,
  );
}
