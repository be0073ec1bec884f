import type { ReactNode } from 'react';
import { LanguageSwitch } from '@/components/language-switch';
import { Icon } from '@/components/ui/icon';
import { LockedBadge } from '@/components/ui/locked-badge';
import { LiveBadge } from '@/components/ui/live-badge';
import { useLanguage } from '@/i18n/locale';
import type { Room } from '@/lib/api-types';
import { address, leaveRooms } from './context';
import { Link } from './link';

/** The room's name and state; `children` stand before the language switch. */
export function RoomHeader({ room, children }: { room: Room | null; children: ReactNode }) {
  const { t } = useLanguage();
  return (
    <header
      className={`flex h-14 shrink-0 items-center gap-3 px-3 sm:px-5 ${room === null ? '' : 'max-md:short:hidden'}`}
    >
      <Link
        to="/"
        className="shrink-0 rounded-lg"
        onGo={(path) => {
          leaveRooms();
          address.go(path);
        }}
      >
        <img src="/icon.svg" alt={t('app.home')} width="28" height="28" />
      </Link>
      <h1 className="min-w-0 truncate font-semibold">{room?.name ?? 'StreamCircle'}</h1>
      {room !== null && <LiveBadge live={room.isLive} interrupted={room.interrupted} />}
      {room?.locked === true && <LockedBadge />}
      <span className="flex-1" />
      {room?.isLive === true && (
        <span
          className="flex items-center gap-1.5 text-sm text-muted tabular-nums"
          title={t('common.viewers', { count: room.viewerCount })}
        >
          <Icon name="people" className="size-5" />
          <span aria-hidden="true">{room.viewerCount}</span>
          <span className="sr-only">{t('common.viewers', { count: room.viewerCount })}</span>
        </span>
      )}
      {children}
      <LanguageSwitch />
    </header>
  );
}

interface WatchingAsProps {
  nickname: string;
  onRename: () => void;
  className: string;
}

export function WatchingAs({ nickname, onRename, className }: WatchingAsProps) {
  const { t } = useLanguage();
  return (
    <button
      type="button"
      onClick={onRename}
      title={t('room.rename')}
      className={`truncate rounded-lg px-2 py-1.5 text-sm text-muted hover:bg-raised hover:text-text ${className}`}
    >
      {t('room.watchingAs', { nickname })}
    </button>
  );
}
