import { useCallback, useState } from 'react';
import { PolledView } from '@/components/polled-view';
import { Dialog } from '@/components/ui/dialog';
import { IconButton } from '@/components/ui/icon-button';
import { Tabs } from '@/components/ui/tabs';
import { StreamForm } from '@/features/broadcast/stream-form';
import { isStaff } from '@/features/chat/acts';
import type { RoomChat } from '@/features/chat/room-chat';
import { HealthView } from '@/features/health/health-card';
import { AuditList } from '@/features/moderation/audit-list';
import { BansList } from '@/features/moderation/bans-list';
import { ChatRules } from '@/features/moderation/chat-rules';
import { EmotesEditor } from '@/features/moderation/emotes-editor';
import { ExportLink } from '@/features/moderation/export-link';
import { LockAndSlow } from '@/features/moderation/lock-and-slow';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { HostRoom } from '@/lib/api-types';
import { usePolled, type Polled } from '@/lib/use-polled';
import { useSelected } from '@/lib/use-store';

/** The room's settings for moderators, and all that hosts have besides. Nothing for others. */
export function RoomTools({ slug, chat }: { slug: string; chat: RoomChat }) {
  const { t } = useLanguage();
  const [open, setOpen] = useState(false);
  const staff = useSelected(chat.state, (state) => isStaff(state.me));
  const isHost = useSelected(chat.state, (state) => state.me?.role === 'host');
  if (!staff) return null;
  return (
    <>
      <IconButton icon="tune" label={t('room.tools')} aria-haspopup="dialog" onClick={() => setOpen(true)} />
      {open && (
        <Dialog title={t('room.tools')} wide={isHost} onClose={() => setOpen(false)}>
          {isHost ? <HostTools slug={slug} chat={chat} /> : <Calming chat={chat} />}
        </Dialog>
      )}
    </>
  );
}

function HostTools({ slug, chat }: { slug: string; chat: RoomChat }) {
  const { t } = useLanguage();
  return (
    <Tabs
      label={t('room.tools')}
      tabs={[
        {
          label: t('room.chatCard'),
          content: () => (
            <div className="flex flex-col gap-5 divide-y divide-line *:not-last:pb-5">
              <Calming chat={chat} />
              <Rules slug={slug} />
              <ExportLink slug={slug} />
            </div>
          ),
        },
        { label: t('stream.tab'), content: () => <Stream slug={slug} /> },
        { label: t('health.title'), content: () => <Incoming slug={slug} /> },
        {
          label: t('room.emotes'),
          content: () => <EmotesEditor slug={slug} imageUrl={(emote) => emote.url} />,
        },
        { label: t('room.bans'), content: () => <BansList slug={slug} /> },
        { label: t('room.audit'), content: () => <AuditList slug={slug} /> },
      ]}
    />
  );
}

/** Over the socket, so that moderators have it, too. */
function Calming({ chat }: { chat: RoomChat }) {
  const locked = useSelected(chat.state, (state) => state.room?.locked ?? false);
  const slowModeSeconds = useSelected(chat.state, (state) => state.room?.slowModeSeconds ?? 0);
  return (
    <LockAndSlow
      locked={locked}
      slowModeSeconds={slowModeSeconds}
      onLock={(wanted) => chat.act({ type: 'lock', locked: wanted })}
      onSlow={(seconds) => chat.act({ type: 'slowMode', seconds })}
    />
  );
}

const REFRESH_MS = 10_000;

function useRoom(slug: string): Polled<HostRoom> {
  const ask = useCallback(() => call<HostRoom>('GET', `/api/rooms/${slug}`), [slug]);
  return usePolled(ask, REFRESH_MS);
}

function Rules({ slug }: { slug: string }) {
  const polled = useRoom(slug);
  return (
    <PolledView polled={polled}>{(room) => <ChatRules room={room} onChanged={polled.reload} />}</PolledView>
  );
}

function Stream({ slug }: { slug: string }) {
  const polled = useRoom(slug);
  return (
    <PolledView polled={polled}>{(room) => <StreamForm room={room} onChanged={polled.reload} />}</PolledView>
  );
}

function Incoming({ slug }: { slug: string }) {
  const polled = useRoom(slug);
  return <PolledView polled={polled}>{(room) => <HealthView slug={slug} isLive={room.isLive} />}</PolledView>;
}
