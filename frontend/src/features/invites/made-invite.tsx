import { lazy, Suspense } from 'react';
import { Button } from '@/components/ui/button';
import { CopyField } from '@/components/ui/copy-field';
import { useLanguage } from '@/i18n/locale';
import type { NewInvite } from '@/lib/api-types';

const QrCode = lazy(() => import('@/components/ui/qr-code'));

/** The link of a new invite, the only time it can be seen. */
export function MadeInvite({ invite, onDone }: { invite: NewInvite; onDone: () => void }) {
  const { t } = useLanguage();
  return (
    <div className="flex flex-col gap-5 rounded-xl border border-accent/40 bg-raised p-5 sm:flex-row">
      <div className="size-56 shrink-0 self-center">
        <Suspense fallback={null}>
          <QrCode text={invite.url} label={t('invites.qr')} />
        </Suspense>
      </div>
      <div className="flex min-w-0 flex-1 flex-col gap-4">
        <div>
          <h3 className="font-semibold">{t('invites.made')}</h3>
          <p className="mt-1 text-sm text-muted">{t('invites.madeText')}</p>
        </div>
        <CopyField label={t('invites.link')} value={invite.url} />
        <Button className="mt-auto self-start" onClick={onDone}>
          {t('common.done')}
        </Button>
      </div>
    </div>
  );
}
