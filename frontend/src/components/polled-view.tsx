import type { ReactNode } from 'react';
import { useLanguage } from '@/i18n/locale';
import type { Polled } from '@/lib/use-polled';
import { ProblemNote } from './problem-note';
import { Button } from './ui/button';

interface PolledViewProps<T> {
  polled: Polled<T>;
  children: (value: T) => ReactNode;
}

/** A polled value with its loading and error states; a value once seen stays while later calls fail. */
export function PolledView<T>({ polled, children }: PolledViewProps<T>) {
  const { t } = useLanguage();
  const { value, problem, reload } = polled;
  if (value === null && problem === null) {
    return (
      <div role="status" className="h-24 animate-appear-late text-sm text-muted">
        {t('common.loading')}
      </div>
    );
  }
  return (
    <div className="flex flex-col gap-4">
      {problem !== null && (
        <div className="flex flex-wrap items-center gap-3">
          <ProblemNote problem={problem} />
          <Button onClick={reload}>{t('common.retry')}</Button>
        </div>
      )}
      {value !== null && children(value)}
    </div>
  );
}
