/** One call at a time made by a form or a button: whether it runs, and why it failed. */
import { useState } from 'react';
import type { ApiResult, Problem } from './api';

export interface Submit<T> {
  busy: boolean;
  problem: Problem | null;
  run: (ask: () => Promise<ApiResult<T>>) => Promise<void>;
}

export function useSubmit<T>(done: (value: T) => void): Submit<T> {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const run = async (ask: () => Promise<ApiResult<T>>) => {
    setBusy(true);
    setProblem(null);
    const result = await ask();
    setBusy(false);
    if (result.ok) done(result.value);
    else setProblem(result.problem);
  };
  return { busy, problem, run };
}
