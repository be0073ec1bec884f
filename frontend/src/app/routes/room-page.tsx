import { useEffect, useState } from 'react';
import { visitRoom } from '@/app/context';
import { RoomHeader, WatchingAs } from '@/app/room-header';
import type { LivePlayer, PlayerView } from '@/features/player/live-player';
import { Stage } from '@/features/player/stage';
import { EntryNotice } from '@/features/session/entry-notice';
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
  const nickname = state.step === 'joined' ? state.session.nickname : null;
  const rename = () => visit.entry.rename();

  useEffect(() => {
    visit.start();
    return () => visit.stop();
  }, [visit]);

  useEffect(() => {
    document.title = room === null ? 'StreamCircle' : `${room.name} · StreamCircle`;
  }, [room]);

  return (
    <div className="flex min-h-dvh flex-col sm:h-dvh">
      <RoomHeader room={room}>
        {nickname !== null && (
          <WatchingAs nickname={nickname} onRename={rename} className="hidden max-w-72 sm:block" />
        )}
      </RoomHeader>
      <main className="grid h-[max(56.25vw,22rem)] sm:h-auto sm:min-h-0 sm:flex-1">
        <Stage
          view={state.step === 'joined' ? view : null}
          onVideo={visit.show}
          onTogglePlay={() => player?.togglePlay()}
          onSoundOn={() => player?.turnSoundOn()}
        >
          {state.step !== 'joined' && (
            <div className="absolute inset-0 grid place-items-center overflow-y-auto bg-radial from-panel to-ink to-70%">
              <EntryNotice entry={visit.entry} />
            </div>
          )}
        </Stage>
      </main>
      {nickname !== null && (
        <footer className="flex flex-col items-start gap-1 px-2 py-3 sm:hidden">
          {room !== null && <p className="px-2 text-lg font-semibold text-balance">{room.name}</p>}
          <WatchingAs nickname={nickname} onRename={rename} className="max-w-full" />
        </footer>
      )}
    </div>
  );
}
