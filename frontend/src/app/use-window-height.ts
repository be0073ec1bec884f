import { useEffect } from 'react';

const SHORT_PX = 560;

/**
 * Keeps `--window-height` at what is really seen: on phones the keyboard lies over the page, and `dvh` knows nothing of it.
 * Marks the page while that is little, for the `short:` styles.
 */
export function useWindowHeight(): void {
  useEffect(() => {
    const seen = window.visualViewport;
    if (seen === null) return;
    const root = document.documentElement;
    const measure = () => {
      // Zoomed in, the visible part says nothing about the keyboard.
      if (seen.scale > 1.01) return;
      root.style.setProperty('--window-height', `${Math.round(seen.height)}px`);
      root.toggleAttribute('data-short', seen.height < SHORT_PX);
      // Safari pushes the page up to the focused field, which is in sight anyway.
      if (seen.offsetTop > 0) scrollTo(0, 0);
    };
    measure();
    seen.addEventListener('resize', measure);
    return () => {
      seen.removeEventListener('resize', measure);
      root.style.removeProperty('--window-height');
      root.removeAttribute('data-short');
    };
  }, []);
}
