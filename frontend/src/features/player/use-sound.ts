import { useEffect, useState, type RefObject } from 'react';
import { recall, remember } from '@/lib/remembered';

/** Volume and mute of the video, which the browser's own keys and menus may change too. */
export function useSound(video: RefObject<HTMLVideoElement | null>) {
  const [sound, setSound] = useState({ volume: 1, muted: false });

  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    restoreVolume(element);
    const read = () => {
      setSound({ volume: element.volume, muted: element.muted || element.volume === 0 });
      remember('browser', 'volume', String(element.volume));
    };
    element.addEventListener('volumechange', read);
    return () => element.removeEventListener('volumechange', read);
  }, [video]);

  return {
    ...sound,
    setVolume: (volume: number) => setVolume(video.current, volume),
    toggleMute: () => toggleMute(video.current),
  };
}

function restoreVolume(video: HTMLVideoElement): void {
  const kept = Number(recall('browser', 'volume') ?? Number.NaN);
  if (kept > 0 && kept <= 1) video.volume = kept;
}

function setVolume(video: HTMLVideoElement | null, volume: number): void {
  if (video === null) return;
  video.volume = volume;
  video.muted = volume === 0;
}

function toggleMute(video: HTMLVideoElement | null): void {
  if (video === null) return;
  const silent = video.muted || video.volume === 0;
  if (silent && video.volume === 0) video.volume = 0.5;
  video.muted = !silent;
}
