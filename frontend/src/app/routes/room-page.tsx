import { useEffect, useState } from 'react';
import { address, leaveRooms, visitRoom } from '@/app/context';
import { Link } from '@/app/link';
import { LanguageSwitch } from '@/components/language-switch';
import { Icon } from '@/components/ui/icon';
import { LiveBadge } from '@/components/ui/live-badge';
import type { LivePlayer, PlayerView } from '@/features/player/live-player';
import { Stage } from '@/features/player/stage';
import { EntryNotice } from '@/features/session/entry-notice';
import { useLanguage } from '@/i18n/locale';
import type { Room } from '@/lib/api-types';
import { Store } from '@/lib/store';
import { useStore } from '@/lib/use-store';

const noView = new Store<PlayerView | null>(null);

function usePlayerView(player: LivePlayer | null): PlayerView | null {
  return useStore<PlayerView | null>(player === null ? noView : player.view);
}

export function RoomPage({ slug }: { slug: string }) {
  const [visit] = useState(() => visitRoom(slug));
  const state = useStore(visit.entry.state);
  const room = useStore(visit.room);
  const player = useStore(visit.player);
  const view = usePlayerView(player);

  useEffect(() => {
    visit.start();
    return () => visit.stop();
  }, [visit]);

  useEffect(() => {
    document.title = room === null ? 'StreamCircle' : `${room.name} · StreamCircle`;
  }, [room]);

  return (
    <div className="flex min-h-dvh flex-col sm:h-dvh">
      <RoomHeader
        room={room}
        nickname={state.step === 'joined' ? state.session.nickname : null}
        onRename={() => visit.entry.rename()}
      />
      <main className="grid h-[max(56.25vw,22rem)] sm:h-auto sm:min-h-0 sm:flex-1">
        <Stage
          view={state.step === 'joined' ? view : null}
          onVideo={visit.show}
          onTogglePlay={() => player?.togglePlay()}
          onSoundOn={() => player?.turnSoundOn()}
        >
          {state.step !== 'joined' && (
            <div className="absolute inset-0 grid place-items-center overflow-y-auto bg-ink/80">
              <EntryNotice entry={visit.entry} />
            </div>
          )}
        </Stage>
      </main>
    </div>
  );
}

interface HeaderProps {
  room: Room | null;
  nickname: string | null;
  onRename: () => void;
}

function RoomHeader({ room, nickname, onRename }: HeaderProps) {
  const { t } = useLanguage();
  return (
    <header className="flex h-14 shrink-0 items-center gap-3 px-3 sm:px-5">
      <Link
        to="/"
        onGo={(path) => {
          leaveRooms();
          address.go(path);
        }}
      >
        <img src="/icon.svg" alt={t('app.home')} width="28" height="28" className="shrink-0" />
      </Link>
      <h1 className="min-w-0 truncate font-semibold">{room?.name ?? 'StreamCircle'}</h1>
      {room !== null && <LiveBadge live={room.isLive && !room.interrupted} />}
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
      {nickname !== null && (
        <button
          type="button"
          onClick={onRename}
          title={t('room.rename')}
          className="hidden max-w-48 truncate rounded-lg px-2 py-1.5 text-sm text-muted hover:bg-raised hover:text-text sm:block"
        >
          {t('room.watchingAs', { nickname })}
        </button>
      )}
      <LanguageSwitch />
    </header>
  );
}
