import { LiveBadge } from '@/components/ui/live-badge';
import { useLanguage } from '@/i18n/locale';
import type { AdminRoom } from '@/lib/api-types';
import { dashboardRoomPath } from '@/lib/router';

export function AdminRoomList({ rooms }: { rooms: readonly AdminRoom[] }) {
  const { t } = useLanguage();
  const sorted = [...rooms].sort(
    (a, b) => Number(b.isLive) - Number(a.isLive) || a.name.localeCompare(b.name),
  );
  return (
    <ul className="divide-y divide-line overflow-hidden rounded-2xl border border-line bg-panel">
      {sorted.map((room) => (
        <li key={room.slug}>
          <a
            href={dashboardRoomPath(room.slug)}
            className="flex min-h-18 items-center gap-4 px-5 py-3 -outline-offset-2 hover:bg-raised"
          >
            <div className="min-w-0 flex-1">
              <div className="truncate font-semibold">{room.name}</div>
              <div className="truncate text-sm text-muted">
                {room.slug} · {room.access === 'invite' ? t('rooms.accessInvite') : t('rooms.accessOpen')} ·{' '}
                {room.listed ? t('rooms.listedYes') : t('rooms.listedNo')}
              </div>
            </div>
            {room.isLive && (
              <span className="hidden text-sm text-muted tabular-nums sm:block">
                {t('common.viewers', { count: room.viewerCount })}
              </span>
            )}
            <LiveBadge live={room.isLive} interrupted={room.interrupted} />
          </a>
        </li>
      ))}
    </ul>
  );
}
