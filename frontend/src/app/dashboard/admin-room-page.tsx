import { useCallback } from 'react';
import { PolledView } from '@/components/polled-view';
import { Card } from '@/components/ui/card';
import { LockedBadge } from '@/components/ui/locked-badge';
import { LiveBadge } from '@/components/ui/live-badge';
import { StreamForm } from '@/features/broadcast/stream-form';
import { HealthCard } from '@/features/health/health-card';
import { InvitesCard } from '@/features/invites/invites-card';
import { ObsCard } from '@/features/rooms/obs-card';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { AdminRoom } from '@/lib/api-types';
import { usePolled } from '@/lib/use-polled';
import { ChatCards, DeleteRoom } from './chat-cards';
import { PageHead } from './page-head';

const REFRESH_MS = 3_000;

export function AdminRoomPage({ slug }: { slug: string }) {
  const { t } = useLanguage();
  const ask = useCallback(() => call<AdminRoom>('GET', `/api/rooms/${slug}`), [slug]);
  const polled = usePolled(ask, REFRESH_MS);
  return (
    <>
      <a href="#/rooms" className="-mb-3 self-start text-sm text-muted hover:text-text">
        ← {t('rooms.back')}
      </a>
      <PolledView polled={polled}>
        {(room) => (
          <div className="flex flex-col gap-6">
            <PageHead
              title={
                <>
                  {room.name} <LiveBadge live={room.isLive} interrupted={room.interrupted} />
                  {room.locked && <LockedBadge />}
                </>
              }
              text={t('common.viewers', { count: room.viewerCount })}
            >
              <a
                href={room.watchUrl}
                target="_blank"
                rel="noreferrer"
                className="inline-flex min-h-10 items-center rounded-lg border border-line bg-raised px-4 text-sm hover:bg-line"
              >
                {t('rooms.watch')} ↗
              </a>
            </PageHead>
            <div className="grid grid-cols-1 items-start gap-6 lg:grid-cols-2">
              <div className="contents lg:flex lg:flex-col lg:gap-6">
                <ObsCard room={room} onChanged={polled.reload} />
                <div className="order-1">
                  <Card title={t('stream.title')}>
                    <StreamForm room={room} onChanged={polled.reload} />
                  </Card>
                </div>
              </div>
              <HealthCard slug={slug} isLive={room.isLive} />
            </div>
            <InvitesCard slug={slug} />
            <ChatCards room={room} onChanged={polled.reload} />
            <DeleteRoom
              slug={slug}
              onDeleted={() => {
                location.hash = '#/rooms';
              }}
            />
          </div>
        )}
      </PolledView>
    </>
  );
}
