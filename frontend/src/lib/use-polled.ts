/** A value asked of the API again and again while the component stands and the page is visible. */
import { useCallback, useEffect, useState } from 'react';
import type { ApiResult, Problem } from './api';

export interface Polled<T> {
  /** The last good answer; it stays while later calls fail. */
  value: T | null;
  /** Why the last call failed; null when it did not. */
  problem: Problem | null;
  reload: () => void;
}

interface Answer<T> {
  value: T | null;
  problem: Problem | null;
}

/** `ask` has to keep its identity (module function or `useCallback`): a new one starts over. */
export function usePolled<T>(ask: () => Promise<ApiResult<T>>, intervalMs: number): Polled<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ value: null, problem: null });
  const [round, setRound] = useState(0);

  useEffect(() => {
    let stopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async () => {
      if (!document.hidden) {
        const result = await ask();
        if (stopped) return;
        setAnswer((old) =>
          result.ok ? { value: result.value, problem: null } : { value: old.value, problem: result.problem },
        );
      }
      timer = setTimeout(() => void run(), intervalMs);
    };
    void run();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [ask, intervalMs, round]);

  const reload = useCallback(() => {
    setRound((n) => n + 1);
  }, []);
  return { ...answer, reload };
}
