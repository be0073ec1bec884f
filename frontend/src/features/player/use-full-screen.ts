import { useEffect, useState, type RefObject } from 'react';

/** iPhones have full screen for the video alone. */
interface AppleVideo extends HTMLVideoElement {
  webkitEnterFullscreen?: () => void;
}

export function useFullScreen(
  stage: RefObject<HTMLElement | null>,
  video: RefObject<HTMLVideoElement | null>,
) {
  const [isFull, setFull] = useState(false);

  useEffect(() => {
    const changed = () => {
      setFull(document.fullscreenElement !== null);
    };
    document.addEventListener('fullscreenchange', changed);
    return () => document.removeEventListener('fullscreenchange', changed);
  }, []);

  const toggle = () => {
    if (document.fullscreenElement !== null) {
      void document.exitFullscreen();
    } else if (document.fullscreenEnabled) {
      // Refused outside a gesture; then the page simply stays as it is.
      stage.current?.requestFullscreen().catch(() => undefined);
    } else {
      const apple: AppleVideo | null = video.current;
      apple?.webkitEnterFullscreen?.();
    }
  };
  return { isFull, toggle };
}
