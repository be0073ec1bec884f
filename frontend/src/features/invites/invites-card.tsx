import { useCallback, useState } from 'react';
import { PolledView } from '@/components/polled-view';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { Invite, NewInvite } from '@/lib/api-types';
import { useNow } from '@/lib/use-now';
import { usePolled } from '@/lib/use-polled';
import { InviteForm } from './invite-form';
import { InviteRow } from './invite-row';
import { inviteStanding } from './invite-standing';
import { MadeInvite } from './made-invite';

const REFRESH_MS = 10_000;

type Making = { step: 'no' } | { step: 'form' } | { step: 'made'; invite: NewInvite };

export function InvitesCard({ slug }: { slug: string }) {
  const { t } = useLanguage();
  const [making, setMaking] = useState<Making>({ step: 'no' });
  const ask = useCallback(() => call<Invite[]>('GET', `/api/rooms/${slug}/invites`), [slug]);
  const polled = usePolled(ask, REFRESH_MS);
  const nowMs = useNow();
  const done = () => {
    setMaking({ step: 'no' });
  };

  return (
    <Card
      title={t('invites.title')}
      action={
        making.step === 'no' && (
          <Button
            look="primary"
            onClick={() => {
              setMaking({ step: 'form' });
            }}
          >
            {t('invites.new')}
          </Button>
        )
      }
    >
      <div className="flex flex-col gap-5">
        {making.step === 'form' && (
          <InviteForm
            slug={slug}
            onCancel={done}
            onCreated={(invite) => {
              setMaking({ step: 'made', invite });
              polled.reload();
            }}
          />
        )}
        {making.step === 'made' && <MadeInvite invite={making.invite} onDone={done} />}
        <PolledView polled={polled}>
          {(invites) =>
            invites.length === 0 ? (
              <p className="text-sm text-muted">{t('invites.empty')}</p>
            ) : (
              <ul className="divide-y divide-line">
                {usableFirst(invites, nowMs).map((invite) => (
                  <InviteRow key={invite.id} invite={invite} nowMs={nowMs} onChanged={polled.reload} />
                ))}
              </ul>
            )
          }
        </PolledView>
      </div>
    </Card>
  );
}

function usableFirst(invites: readonly Invite[], nowMs: number): Invite[] {
  const spent = (invite: Invite) => Number(inviteStanding(invite, nowMs) !== 'good');
  return [...invites].sort((a, b) => spent(a) - spent(b) || b.createdAt.localeCompare(a.createdAt));
}
