import { useCallback, type ReactNode } from 'react';
import { PolledView } from '@/components/polled-view';
import { Card } from '@/components/ui/card';
import { isTextKey, useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import { useNow } from '@/lib/use-now';
import { usePolled } from '@/lib/use-polled';
import { cardState, soundState, type CardState } from './card-state';
import { readHealth, type HistoryPoint } from './health';
import { readRows, rowLabel, type HealthRow } from './health-rows';
import { LadderTable } from './ladder-table';
import { SoundLevels } from './sound-levels';
import { TrendChart } from './trend-chart';

const REFRESH_MS = 3_000;

export function HealthCard({ slug, isLive }: { slug: string; isLive: boolean }) {
  const { t } = useLanguage();
  return (
    <Card title={t('health.title')}>
      <HealthView slug={slug} isLive={isLive} />
    </Card>
  );
}

export function HealthView({ slug, isLive }: { slug: string; isLive: boolean }) {
  const ask = useCallback(() => call<unknown>('GET', `/api/rooms/${slug}/health`), [slug]);
  const polled = usePolled(ask, REFRESH_MS);
  return (
    <PolledView polled={polled}>{(answer) => <HealthBody answer={answer} isLive={isLive} />}</PolledView>
  );
}

function HealthBody({ answer, isLive }: { answer: unknown; isLive: boolean }) {
  const { t, locale } = useLanguage();
  const nowMs = useNow(REFRESH_MS);
  const { rows, warnings } = readRows(answer);
  const health = readHealth(answer);
  const { history, ladder, unsupported } = health;
  const state = cardState(health, isLive, [
    ...warnings,
    ...(warnings.length > 0
      ? []
      : unsupported.map(({ isVideo, codec }) =>
          t(isVideo ? 'health.unsupportedVideo' : 'health.unsupportedAudio', { codec }),
        )),
  ]);
  if (state.kind === 'off') return <p className="text-sm text-muted">{t('health.none')}</p>;
  const sound = soundState(health);
  const count = (value: number) =>
    new Intl.NumberFormat(locale, { maximumFractionDigits: value < 100 ? 1 : 0 }).format(value);
  const kbps = (value: number) => t('health.kbps', { count: count(value) });
  // Clocks of two computers: the newest point is as good a now as ours.
  const endMs = history.at(-1)?.atMs ?? nowMs;
  const line = (pick: (point: HistoryPoint) => number) =>
    history.map((point) => ({ atMs: point.atMs, value: pick(point) }));
  return (
    <div className="flex flex-col gap-6">
      <Told state={state} />
      {history.length > 0 && (
        <Part title={t('health.charts')}>
          <div className="flex flex-col gap-4">
            <TrendChart
              name={t('health.chart.video')}
              points={line((point) => point.videoKbps)}
              nowMs={endMs}
              format={kbps}
            />
            <div className="grid gap-4 sm:grid-cols-2">
              <TrendChart
                name={t('health.chart.fps')}
                points={line((point) => point.fps)}
                nowMs={endMs}
                format={count}
              />
              <TrendChart
                name={t('health.chart.audio')}
                points={line((point) => point.audioKbps)}
                nowMs={endMs}
                format={kbps}
              />
            </div>
          </div>
        </Part>
      )}
      {sound !== null && (
        <Part title={t('health.sounds')}>
          <SoundLevels sound={sound} />
        </Part>
      )}
      {ladder !== null && (
        <Part title={t('health.ladder')}>
          <LadderTable ladder={ladder} />
        </Part>
      )}
      <Part title={t('health.more')}>
        <dl className="grid grid-cols-2 gap-x-6 gap-y-3 text-sm sm:grid-cols-3">
          {rows.map((row) => (
            <Row key={row.key} row={row} />
          ))}
        </dl>
      </Part>
    </div>
  );
}

/** How it is in a word, and what to change. */
function Told({ state }: { state: Exclude<CardState, { kind: 'off' }> }) {
  const { t, locale } = useLanguage();
  const { kind, told } = state;
  if (kind === 'on' && told.length === 0) return <p className="text-sm text-muted">{t('health.good')}</p>;
  return (
    <div className="flex flex-col gap-2">
      {kind === 'away' && (
        <p className="rounded-lg bg-danger/10 px-3 py-2 text-sm leading-relaxed text-pretty text-danger">
          {t(state.isSlateShown ? 'health.awaySlate' : 'health.away', {
            seconds: new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(state.seconds),
          })}
        </p>
      )}
      {told.length > 0 && (
        <ul className="flex flex-col gap-2">
          {told.map((warning) => (
            <li
              key={warning}
              className="rounded-lg bg-accent/10 px-3 py-2 text-sm leading-relaxed text-pretty text-accent"
            >
              {warning}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-2.5 text-sm font-medium">{title}</h3>
      {children}
    </section>
  );
}

function Row({ row }: { row: HealthRow }) {
  const { t, locale } = useLanguage();
  const known = `health.${row.key}`;
  const [label, unit] = isTextKey(known) ? [t(known), ''] : rowLabel(row.key);
  const shown =
    typeof row.value === 'boolean'
      ? t(row.value ? 'health.yes' : 'health.no')
      : typeof row.value === 'number'
        ? new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(row.value)
        : row.value;
  return (
    <div className="min-w-0">
      <dt className="text-xs text-muted">{label}</dt>
      <dd className="truncate tabular-nums">
        {shown} {unit}
      </dd>
    </div>
  );
}
