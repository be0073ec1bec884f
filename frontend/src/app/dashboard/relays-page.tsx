import { useState } from 'react';
import { PolledView } from '@/components/polled-view';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { MessageCard } from '@/components/ui/message-card';
import { RelayForm } from '@/features/relays/relay-form';
import { RelayRow } from '@/features/relays/relay-row';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { Relay } from '@/lib/api-types';
import { useNow } from '@/lib/use-now';
import { usePolled } from '@/lib/use-polled';
import { PageHead } from './page-head';

const fetchRelays = () => call<Relay[]>('GET', '/api/relays');
const REFRESH_MS = 3_000;

export function RelaysPage() {
  const { t } = useLanguage();
  const [adding, setAdding] = useState(false);
  const polled = usePolled(fetchRelays, REFRESH_MS);
  const nowMs = useNow();
  return (
    <>
      <PageHead title={t('dashboard.relays')} text={t('relays.text')}>
        {!adding && (
          <Button
            look="primary"
            onClick={() => {
              setAdding(true);
            }}
          >
            {t('relays.new')}
          </Button>
        )}
      </PageHead>
      {adding && (
        <Card title={t('relays.new')}>
          <RelayForm
            onCreated={polled.reload}
            onDone={() => {
              setAdding(false);
            }}
          />
        </Card>
      )}
      <PolledView polled={polled}>
        {(relays) =>
          relays.length === 0 ? (
            <MessageCard title={t('relays.emptyTitle')} text={t('relays.emptyText')} />
          ) : (
            <ul className="flex flex-col gap-4">
              {relays.map((relay) => (
                <RelayRow key={relay.id} relay={relay} nowMs={nowMs} onChanged={polled.reload} />
              ))}
            </ul>
          )
        }
      </PolledView>
    </>
  );
}
