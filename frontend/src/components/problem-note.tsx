import { useLanguage } from '@/i18n/locale';
import type { Problem } from '@/lib/api';
import { problemText } from './problem-text';

/** Why a call failed, where it was made. Nothing while it did not. */
export function ProblemNote({ problem }: { problem: Problem | null }) {
  const { t } = useLanguage();
  if (problem === null) return null;
  return (
    <p role="alert" className="rounded-lg bg-danger/10 px-3 py-2 text-sm text-danger">
      {problemText(problem, t)}
    </p>
  );
}
