import { MessageCard } from '@/components/ui/message-card';
import { Spinner } from '@/components/ui/spinner';
import type { AdminSession } from '@/features/sign-in/admin-session';
import { SignInPage } from '@/features/sign-in/sign-in-page';
import { useLanguage } from '@/i18n/locale';
import { dashboardRoute, type AddressBar, type DashboardRoute } from '@/lib/router';
import { useStore } from '@/lib/use-store';
import { AdminRoomPage } from './admin-room-page';
import { RelaysPage } from './relays-page';
import { RoomsPage } from './rooms-page';
import { Shell } from './shell';

export function DashboardApp({ session, address }: { session: AdminSession; address: AddressBar }) {
  const { t } = useLanguage();
  const state = useStore(session.state);
  const route = dashboardRoute(useStore(address.fragment));
  switch (state) {
    case 'in':
      return (
        <Shell route={route} onSignOut={() => void session.signOut()}>
          <Page route={route} />
        </Shell>
      );
    case 'out':
    case 'refusedLink':
      return <SignInPage session={session} refusedLink={state === 'refusedLink'} />;
    case 'checking':
    case 'unreachable':
      return (
        <div
          role="status"
          className="grid min-h-dvh animate-appear-late place-items-center content-center gap-4 px-6 text-center text-muted"
        >
          <Spinner />
          {state === 'unreachable' && <p>{t('problem.unreachable')}</p>}
        </div>
      );
  }
}

function Page({ route }: { route: DashboardRoute }) {
  const { t } = useLanguage();
  switch (route.page) {
    case 'rooms':
      return <RoomsPage />;
    case 'room':
      return <AdminRoomPage key={route.slug} slug={route.slug} />;
    case 'relays':
      return <RelaysPage />;
    case 'unknown':
      return (
        <MessageCard title={t('unknownPage.title')} text={t('rooms.unknown')}>
          <a href="#/rooms" className="text-accent">
            {t('rooms.back')}
          </a>
        </MessageCard>
      );
  }
}
