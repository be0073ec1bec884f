import { ProblemNote } from '@/components/problem-note';
import { ConfirmButton } from '@/components/ui/confirm-button';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { Relay } from '@/lib/api-types';
import { formatAgo, formatBytes } from '@/lib/format';
import { useSubmit } from '@/lib/use-submit';

interface RelayRowProps {
  relay: Relay;
  nowMs: number;
  onChanged: () => void;
}

const stateLooks: Readonly<Record<Relay['state'], string>> = {
  online: 'bg-accent/15 text-accent',
  offline: 'bg-danger/10 text-danger',
  pending: 'bg-raised text-muted',
};

export function RelayRow({ relay, nowMs, onChanged }: RelayRowProps) {
  const { t, locale } = useLanguage();
  const { busy, problem, run } = useSubmit<unknown>(onChanged);
  const place = [relay.region, relay.url, relay.version]
    .filter((text) => text !== null && text !== '')
    .join(' · ');
  return (
    <li className="flex flex-col gap-4 rounded-2xl border border-line bg-panel p-5">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-48">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <h2 className="truncate font-semibold">{relay.name}</h2>
            <span
              className={`rounded-full px-2.5 py-0.5 text-xs font-semibold whitespace-nowrap ${stateLooks[relay.state]}`}
            >
              {t(`relays.${relay.state}`)}
            </span>
          </div>
          <p className="truncate text-sm text-muted">{place}</p>
        </div>
        <ConfirmButton
          label={t('relays.remove')}
          question={t('relays.removeAsk')}
          confirm={t('relays.removeConfirm')}
          busy={busy}
          onConfirm={() => void run(() => call('DELETE', `/api/relays/${encodeURIComponent(relay.id)}`))}
        />
      </div>
      <ProblemNote problem={problem} />
      <dl className="grid grid-cols-2 gap-x-6 gap-y-3 text-sm sm:grid-cols-5">
        <Figure label={t('relays.viewers')} value={String(relay.viewers)} />
        <Figure label={t('relays.roomsServed')} value={String(relay.rooms)} />
        <Figure
          label={t('relays.rtt')}
          value={
            relay.rttMs === null
              ? '–'
              : `${new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(relay.rttMs)} ms`
          }
        />
        <Figure label={t('relays.egress')} value={formatBytes(relay.egressBytes, locale)} />
        <Figure
          label={t('relays.seen')}
          value={relay.lastSeenAt === null ? t('common.never') : formatAgo(relay.lastSeenAt, nowMs, locale)}
        />
      </dl>
    </li>
  );
}

function Figure({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <dt className="text-xs text-muted">{label}</dt>
      <dd className="tabular-nums">{value}</dd>
    </div>
  );
}
