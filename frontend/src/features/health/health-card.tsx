import { useCallback } from 'react';
import { PolledView } from '@/components/polled-view';
import { Card } from '@/components/ui/card';
import { isTextKey, useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import { usePolled } from '@/lib/use-polled';
import { readHealth, rowLabel, type HealthRow } from './health-rows';

const REFRESH_MS = 3_000;

export function HealthCard({ slug, isLive }: { slug: string; isLive: boolean }) {
  const { t } = useLanguage();
  const ask = useCallback(() => call<unknown>('GET', `/api/rooms/${slug}/health`), [slug]);
  const polled = usePolled(ask, REFRESH_MS);
  return (
    <Card title={t('health.title')}>
      <PolledView polled={polled}>{(answer) => <HealthBody answer={answer} isLive={isLive} />}</PolledView>
    </Card>
  );
}

function HealthBody({ answer, isLive }: { answer: unknown; isLive: boolean }) {
  const { t } = useLanguage();
  const { rows, warnings } = readHealth(answer);
  if (!isLive) return <p className="text-sm text-muted">{t('health.none')}</p>;
  return (
    <>
      {warnings.length === 0 ? (
        <p className="text-sm text-muted">{t('health.good')}</p>
      ) : (
        <ul className="flex flex-col gap-2">
          {warnings.map((warning) => (
            <li
              key={warning}
              className="rounded-lg bg-accent/10 px-3 py-2 text-sm leading-relaxed text-accent"
            >
              {warning}
            </li>
          ))}
        </ul>
      )}
      <dl className="grid grid-cols-2 gap-x-6 gap-y-3 text-sm sm:grid-cols-3">
        {rows.map((row) => (
          <Row key={row.key} row={row} />
        ))}
      </dl>
    </>
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
