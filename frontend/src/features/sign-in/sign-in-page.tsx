import { useState } from 'react';
import { LanguageSwitch } from '@/components/language-switch';
import { ProblemNote } from '@/components/problem-note';
import { Brand } from '@/components/ui/brand';
import { Button } from '@/components/ui/button';
import { TextField } from '@/components/ui/field';
import { useLanguage } from '@/i18n/locale';
import { useSubmit } from '@/lib/use-submit';
import type { AdminSession } from './admin-session';

export function SignInPage({ session, refusedLink }: { session: AdminSession; refusedLink: boolean }) {
  const { t } = useLanguage();
  const [token, setToken] = useState('');
  const { busy, problem, run } = useSubmit<unknown>(() => undefined);
  const refused = problem === null ? refusedLink : problem.status === 401 || problem.status === 403;
  return (
    <div className="mx-auto flex min-h-dvh max-w-sm flex-col px-6">
      <header className="flex h-16 items-center justify-between">
        <Brand />
        <LanguageSwitch />
      </header>
      <main className="my-auto flex flex-col gap-5 py-10">
        <div>
          <h1 className="text-2xl font-semibold tracking-tight">{t('signIn.title')}</h1>
          <p className="mt-2 leading-relaxed text-muted">{t('signIn.text')}</p>
        </div>
        <form
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            void run(() => session.signIn(token.trim()));
          }}
        >
          <TextField
            label={t('signIn.token')}
            hint={t('signIn.where')}
            error={refused ? t('signIn.refused') : undefined}
            type="password"
            autoComplete="current-password"
            required
            value={token}
            onChange={(event) => {
              setToken(event.target.value);
            }}
          />
          {!refused && <ProblemNote problem={problem} />}
          <Button type="submit" look="primary" className="min-h-12" disabled={busy}>
            {t('signIn.submit')}
          </Button>
        </form>
      </main>
    </div>
  );
}
