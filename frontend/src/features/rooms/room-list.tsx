import type { ReactNode } from 'react';
import { Button } from '@/components/ui/button';
import { LiveBadge } from '@/components/ui/live-badge';
import { MessageCard } from '@/components/ui/message-card';
import { problemText } from '@/components/problem-text';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { Room } from '@/lib/api-types';
import { usePolled } from '@/lib/use-polled';

const fetchRooms = () => call<Room[]>('GET', '/api/rooms');
const REFRESH_MS = 5_000;

/** The listed rooms, those on air first. `link` wraps a card in the link to its room. */
export function RoomList({ link }: { link: (slug: string, card: ReactNode) => ReactNode }) {
  const { t } = useLanguage();
  const { value: rooms, problem, reload } = usePolled(fetchRooms, REFRESH_MS);

  if (rooms === null) {
    if (problem === null) return <Placeholders />;
    return (
      <div role="alert">
        <MessageCard title={t('home.failedTitle')} text={problemText(problem, t)}>
          <Button look="primary" onClick={reload}>
            {t('common.retry')}
          </Button>
        </MessageCard>
      </div>
    );
  }
  if (rooms.length === 0) return <MessageCard title={t('home.emptyTitle')} text={t('home.emptyText')} />;
  const sorted = [...rooms].sort(
    (a, b) => Number(b.isLive) - Number(a.isLive) || a.name.localeCompare(b.name),
  );
  return (
    <ul className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
      {sorted.map((room) => (
        <li key={room.slug}>{link(room.slug, <RoomCard room={room} />)}</li>
      ))}
    </ul>
  );
}

function RoomCard({ room }: { room: Room }) {
  const { t, locale } = useLanguage();
  const since =
    room.isLive && room.startedAt !== null
      ? new Intl.DateTimeFormat(locale, { timeStyle: 'short' }).format(new Date(room.startedAt))
      : null;
  return (
    <article
      className={`flex h-full flex-col gap-6 rounded-2xl border bg-panel p-5 transition-colors group-hover:bg-raised ${
        room.isLive ? 'border-accent/40' : 'border-line'
      }`}
    >
      <div className="flex items-start justify-between gap-3">
        <h2 className="text-lg leading-snug font-semibold text-balance">{room.name}</h2>
        <LiveBadge live={room.isLive} interrupted={room.interrupted} />
      </div>
      <div className="mt-auto flex items-center justify-between gap-3 text-sm text-muted">
        <span>
          {room.isLive && t('common.viewers', { count: room.viewerCount })}
          {since !== null && ` · ${t('home.since', { time: since })}`}
          {!room.isLive && room.access === 'invite' && t('home.inviteOnly')}
        </span>
        <span className="font-semibold whitespace-nowrap text-accent">
          {room.isLive ? t('home.watch') : t('home.enter')} →
        </span>
      </div>
    </article>
  );
}

function Placeholders() {
  const { t } = useLanguage();
  return (
    <div
      role="status"
      aria-label={t('common.loading')}
      className="grid animate-appear-late gap-4 sm:grid-cols-2 lg:grid-cols-3"
    >
      {[0, 1, 2].map((n) => (
        <div key={n} className="h-36 animate-breathe rounded-2xl bg-panel" />
      ))}
    </div>
  );
}
