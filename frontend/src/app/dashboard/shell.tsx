import type { ReactNode } from 'react';
import { LanguageSwitch } from '@/components/language-switch';
import { Brand } from '@/components/ui/brand';
import { Button } from '@/components/ui/button';
import { useLanguage } from '@/i18n/locale';
import type { DashboardRoute } from '@/lib/router';

interface ShellProps {
  route: DashboardRoute;
  onSignOut: () => void;
  children: ReactNode;
}

export function Shell({ route, onSignOut, children }: ShellProps) {
  const { t } = useLanguage();
  return (
    <div className="mx-auto flex min-h-dvh max-w-5xl flex-col px-4 sm:px-6">
      <header className="flex flex-wrap items-center justify-between gap-x-4 border-b border-line py-3">
        <Brand />
        <nav
          aria-label={t('dashboard.menu')}
          className="order-last flex w-full gap-1 pt-2 sm:order-none sm:w-auto sm:flex-1 sm:pt-0 sm:pl-4"
        >
          <Tab
            to="#/rooms"
            current={route.page === 'rooms' || route.page === 'room'}
            label={t('dashboard.rooms')}
          />
          <Tab to="#/relays" current={route.page === 'relays'} label={t('dashboard.relays')} />
        </nav>
        <div className="flex items-center gap-1">
          <LanguageSwitch />
          <Button look="quiet" className="px-2" onClick={onSignOut}>
            {t('dashboard.signOut')}
          </Button>
        </div>
      </header>
      <main className="flex flex-1 flex-col gap-6 py-6 sm:py-10">{children}</main>
    </div>
  );
}

function Tab({ to, current, label }: { to: string; current: boolean; label: string }) {
  return (
    <a
      href={to}
      aria-current={current ? 'page' : undefined}
      className={`inline-flex min-h-10 items-center rounded-lg px-3 text-sm ${current ? 'bg-raised text-text' : 'text-muted hover:text-text'}`}
    >
      {label}
    </a>
  );
}
