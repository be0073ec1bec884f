import { useEffect, useState, type RefObject } from 'react';

const IDLE_MS = 3_000;

/** True when nothing was pointed at, touched or typed in the element for a while. */
export function useIdle(element: RefObject<HTMLElement | null>): boolean {
  const [idle, setIdle] = useState(false);

  useEffect(() => {
    const target = element.current;
    if (target === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wake = () => {
      setIdle(false);
      clearTimeout(timer);
      timer = setTimeout(() => {
        setIdle(true);
      }, IDLE_MS);
    };
    const stop = new AbortController();
    for (const name of ['pointermove', 'pointerdown', 'keydown', 'focusin'] as const) {
      target.addEventListener(name, wake, { signal: stop.signal, passive: true });
    }
    wake();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [element]);

  return idle;
}
