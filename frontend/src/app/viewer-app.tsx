import { Button } from '@/components/ui/button';
import { MessageCard } from '@/components/ui/message-card';
import { useLanguage } from '@/i18n/locale';
import { viewerRoute } from '@/lib/router';
import { useStore } from '@/lib/use-store';
import { address } from './context';
import { HomePage } from './routes/home-page';
import { RoomPage } from './routes/room-page';

export function ViewerApp() {
  const route = viewerRoute(useStore(address.path));
  switch (route.page) {
    case 'home':
      return <HomePage />;
    case 'room':
      return <RoomPage key={route.slug} slug={route.slug} />;
    case 'unknown':
      return <UnknownPage />;
  }
}

function UnknownPage() {
  const { t } = useLanguage();
  return (
    <main className="grid min-h-dvh place-items-center">
      <MessageCard title={t('unknownPage.title')} text={t('unknownPage.text')}>
        <Button look="primary" onClick={() => address.go('/')}>
          {t('app.home')}
        </Button>
      </MessageCard>
    </main>
  );
}
