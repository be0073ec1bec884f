import type { Problem } from '@/lib/api';
import type { Translate } from '@/i18n/translate';

/** A failed call in words: the server's own where it has some, else ours by status. */
export function problemText(problem: Problem, t: Translate): string {
  if (problem.status === 0) return t('problem.unreachable');
  if (problem.status === 401) return t('problem.signedOut');
  if (problem.status === 429) return t('problem.tooMany');
  const fields = Object.values(problem.fields).filter((text) => text !== '');
  if (fields.length > 0) return fields.join(' ');
  if (problem.detail !== '') return problem.detail;
  return problem.title === '' ? t('problem.other', { status: problem.status }) : problem.title;
}
