import { useEffect, useState, type RefObject } from 'react';
import { recall, remember } from '@/lib/remembered';

/** Volume and mute of the video, which the browser's own keys and menus may change too. */
export function useSound(video: RefObject<HTMLVideoElement | null>) {
  const [sound, setSound] = useState({ volume: 1, muted: false });

  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    const kept = Number(recall('browser', 'volume') ?? Number.NaN);
    if (kept > 0 && kept <= 1) element.volume = kept;
    const read = () => {
      setSound({ volume: element.volume, muted: element.muted || element.volume === 0 });
      remember('browser', 'volume', String(element.volume));
    };
    element.addEventListener('volumechange', read);
    return () => element.removeEventListener('volumechange', read);
  }, [video]);

  const setVolume = (volume: number) => {
    if (video.current === null) return;
    video.current.volume = volume;
    video.current.muted = volume === 0;
  };
  const toggleMute = () => {
    if (video.current === null) return;
    if (sound.muted && video.current.volume === 0) video.current.volume = 0.5;
    video.current.muted = !sound.muted;
  };
  return { ...sound, setVolume, toggleMute };
}
