import { useLanguage } from '@/i18n/locale';
import type { LadderHealth, RungHealth } from './health';

/** How the qualities are that the server makes. */
export function LadderTable({ ladder }: { ladder: LadderHealth }) {
  const { t } = useLanguage();
  if (ladder.looking) return <p className="text-sm text-muted">{t('health.ladderLooking')}</p>;
  if (ladder.ffmpeg === null) return <p className="text-sm text-accent">{t('health.ladderOff')}</p>;
  if (ladder.rungs.length === 0) return <p className="text-sm text-muted">{t('health.ladderNone')}</p>;
  return (
    <div className="flex flex-col gap-2">
      <div className="overflow-x-auto">
        <table className="w-full text-left text-sm">
          <thead className="text-xs text-muted">
            <tr className="*:py-1 *:pr-4 *:font-normal">
              <th scope="col">{t('health.rung')}</th>
              <th scope="col">{t('health.rung.state')}</th>
              <th scope="col" className="text-right">
                {t('health.rung.relays')}
              </th>
              <th scope="col" className="text-right">
                {t('health.rung.speed')}
              </th>
              <th scope="col" className="pr-0 text-right">
                {t('health.rung.restarts')}
              </th>
            </tr>
          </thead>
          <tbody>
            {ladder.rungs.map((rung) => (
              <RungRow key={rung.rung} rung={rung} />
            ))}
          </tbody>
        </table>
      </div>
      {ladder.encoder !== null && (
        <p className="text-xs text-muted">
          {t('health.ladderBy', { version: ladder.ffmpeg, encoder: ladder.encoder })}
        </p>
      )}
    </div>
  );
}

const dots = {
  off: 'bg-muted/60',
  starting: 'bg-accent animate-breathe',
  running: 'bg-accent',
  dropped: 'bg-danger',
  failed: 'bg-danger',
} as const;

function RungRow({ rung }: { rung: RungHealth }) {
  const { t, locale } = useLanguage();
  const speed = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const isBad = rung.state === 'dropped' || rung.state === 'failed';
  return (
    <tr className="border-t border-line tabular-nums *:py-2 *:pr-4">
      <th scope="row" className="font-medium">
        {rung.rung}
      </th>
      <td className={isBad ? 'text-danger' : rung.state === 'off' ? 'text-muted' : ''}>
        <span
          aria-hidden="true"
          className={`mr-2 inline-block size-1.5 rounded-full align-middle ${dots[rung.state]}`}
        />
        {t(rung.state === 'dropped' ? `health.rung.dropped.${rung.reason}` : `health.rung.${rung.state}`)}
      </td>
      <td className="text-right">{rung.relays}</td>
      <td className="text-right">{rung.speed === null ? '–' : `${speed.format(rung.speed)}×`}</td>
      <td className="pr-0 text-right">{rung.restarts}</td>
    </tr>
  );
}
