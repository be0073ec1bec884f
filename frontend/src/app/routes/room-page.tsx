import { useEffect, useState } from 'react';
import { ChatToggle } from '@/app/chat-toggle';
import { visitRoom } from '@/app/context';
import { RoomHeader, WatchingAs } from '@/app/room-header';
import { RoomTools } from '@/app/room-tools';
import { useWindowHeight } from '@/app/use-window-height';
import { ChatPanel } from '@/features/chat/chat-panel';
import { FloatingReactions } from '@/features/chat/floating-reactions';
import { Stage } from '@/features/player/stage';
import { EntryNotice } from '@/features/session/entry-notice';
import { recall, remember } from '@/lib/remembered';
import { useStore } from '@/lib/use-store';

const CHAT_KEY = 'chat';

export function RoomPage({ slug }: { slug: string }) {
  const [visit] = useState(() => visitRoom(slug));
  const state = useStore(visit.entry.state);
  const room = useStore(visit.room);
  const player = useStore(visit.player);
  const [chatShown, setChatShown] = useState(() => recall('browser', CHAT_KEY) !== 'hidden');
  const joined = state.step === 'joined';
  const nickname = joined ? state.session.nickname : null;
  const showChat = (shown: boolean) => {
    remember('browser', CHAT_KEY, shown ? 'shown' : 'hidden');
    setChatShown(shown);
  };
  const rename = () => visit.entry.rename();
  useWindowHeight();

  useEffect(() => {
    visit.start();
    return () => visit.stop();
  }, [visit]);

  useEffect(() => {
    document.title = room === null ? 'StreamCircle' : `${room.name} · StreamCircle`;
  }, [room]);

  return (
    <div className="flex h-[var(--window-height,100dvh)] flex-col">
      <RoomHeader room={room}>
        {nickname !== null && (
          <WatchingAs nickname={nickname} onRename={rename} className="hidden max-w-72 sm:block" />
        )}
        {joined && !chatShown && <ChatToggle chat={visit.chat} onShow={() => showChat(true)} />}
      </RoomHeader>
      <main
        className={`grid min-h-0 flex-1 ${
          joined
            ? `grid-rows-[auto_minmax(0,1fr)] md:grid-rows-1 ${chatShown ? 'md:grid-cols-[minmax(0,1fr)_20rem] xl:grid-cols-[minmax(0,1fr)_23rem]' : ''}`
            : ''
        }`}
      >
        <div
          className={
            joined
              ? `grid min-h-0 ${chatShown ? 'aspect-video max-h-[45vh] min-w-full max-md:short:max-h-40' : 'row-span-2'} md:row-span-1 md:aspect-auto md:max-h-none`
              : 'grid min-h-0'
          }
        >
          <Stage player={joined ? player : null} onVideo={visit.show}>
            {joined && <FloatingReactions chat={visit.chat} />}
            {!joined && (
              <div className="absolute inset-0 grid place-items-center overflow-y-auto bg-radial from-panel to-ink to-70%">
                <EntryNotice entry={visit.entry} />
              </div>
            )}
          </Stage>
        </div>
        {joined && (
          <ChatPanel
            chat={visit.chat}
            hidden={!chatShown}
            onHide={() => showChat(false)}
            onRename={rename}
            tools={<RoomTools slug={slug} chat={visit.chat} />}
          />
        )}
      </main>
    </div>
  );
}
