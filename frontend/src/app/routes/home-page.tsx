import { useEffect } from 'react';
import { address } from '@/app/context';
import { Link } from '@/app/link';
import { LanguageSwitch } from '@/components/language-switch';
import { Brand } from '@/components/ui/brand';
import { RoomList } from '@/features/rooms/room-list';
import { useLanguage } from '@/i18n/locale';
import { roomPath } from '@/lib/router';

export function HomePage() {
  const { t } = useLanguage();
  useEffect(() => {
    document.title = 'StreamCircle';
  }, []);
  return (
    <div className="mx-auto flex min-h-dvh max-w-5xl flex-col px-5">
      <header className="flex h-16 items-center justify-between">
        <Brand />
        <LanguageSwitch />
      </header>
      <main className="flex-1 py-8 sm:py-14">
        <h1 className="text-3xl font-semibold tracking-tight sm:text-4xl">{t('home.title')}</h1>
        <p className="mt-2 mb-8 text-muted">{t('app.tagline')}</p>
        <RoomList
          link={(slug, card) => (
            <Link
              to={roomPath(slug)}
              onGo={(path) => address.go(path)}
              className="group block h-full rounded-2xl"
            >
              {card}
            </Link>
          )}
        />
      </main>
    </div>
  );
}
