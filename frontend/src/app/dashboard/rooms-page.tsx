import { useState } from 'react';
import { PolledView } from '@/components/polled-view';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { MessageCard } from '@/components/ui/message-card';
import { AdminRoomList } from '@/features/rooms/admin-room-list';
import { NewRoomForm } from '@/features/rooms/new-room-form';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { AdminRoom } from '@/lib/api-types';
import { dashboardRoomPath } from '@/lib/router';
import { usePolled } from '@/lib/use-polled';
import { PageHead } from './page-head';

const fetchRooms = () => call<AdminRoom[]>('GET', '/api/rooms');
const REFRESH_MS = 3_000;

export function RoomsPage() {
  const { t } = useLanguage();
  const [making, setMaking] = useState(false);
  const polled = usePolled(fetchRooms, REFRESH_MS);
  return (
    <>
      <PageHead title={t('dashboard.rooms')}>
        {!making && (
          <Button
            look="primary"
            onClick={() => {
              setMaking(true);
            }}
          >
            {t('rooms.new')}
          </Button>
        )}
      </PageHead>
      {making && (
        <Card title={t('rooms.newTitle')}>
          <NewRoomForm
            onCreated={(room) => {
              location.hash = dashboardRoomPath(room.slug);
            }}
            onCancel={() => {
              setMaking(false);
            }}
          />
        </Card>
      )}
      <PolledView polled={polled}>
        {(rooms) =>
          rooms.length === 0 ? (
            <MessageCard title={t('rooms.emptyTitle')} text={t('rooms.emptyText')} />
          ) : (
            <AdminRoomList rooms={rooms} />
          )
        }
      </PolledView>
    </>
  );
}
