/**
 * The picture and what lies over it. Attributes of the `<video>` tell its state to people who look for a
 * cause and to tests: `data-state` (the phase, or `closed` before joining), `data-latency` (seconds), `data-stalls`.
 */
import { useEffect, useRef, type ReactNode } from 'react';
import { LiveBadge } from '@/components/ui/live-badge';
import { Icon } from '@/components/ui/icon';
import { useLanguage } from '@/i18n/locale';
import type { PlayerView } from './live-player';
import { PlayerControls } from './player-controls';
import { PlayerNotice, phaseTitles } from './player-notice';
import { useFullScreen } from './use-full-screen';
import { useIdle } from './use-idle';
import { usePlayerKeys } from './use-player-keys';
import { useSound } from './use-sound';

interface StageProps {
  /** null before the visitor is in the room. */
  view: PlayerView | null;
  /** Told of the video once it stands, and with null when it goes. Has to keep its identity. */
  onVideo: (video: HTMLVideoElement | null) => void;
  onTogglePlay: () => void;
  onSoundOn: () => void;
  /** Shown over the picture instead of the player's own notices. */
  children: ReactNode;
}

export function Stage({ view, onVideo, onTogglePlay, onSoundOn, children }: StageProps) {
  const { t } = useLanguage();
  const stage = useRef<HTMLElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const sound = useSound(video);
  const fullScreen = useFullScreen(stage, video);
  const idle = useIdle(stage);
  const playing = view?.phase === 'playing';
  const inFilm = view !== null && ['playing', 'paused', 'interrupted', 'reconnecting'].includes(view.phase);
  usePlayerKeys({
    togglePlay: () => inFilm && onTogglePlay(),
    toggleMute: sound.toggleMute,
    toggleFullScreen: fullScreen.toggle,
  });

  useEffect(() => {
    onVideo(video.current);
    return () => onVideo(null);
  }, [onVideo]);

  return (
    <section
      ref={stage}
      aria-label={t('player.region')}
      className={`relative isolate overflow-hidden bg-black ${idle && playing ? 'cursor-none' : ''}`}
    >
      <video
        ref={video}
        playsInline
        data-state={view?.phase ?? 'closed'}
        data-latency={view?.latencySeconds ?? undefined}
        data-stalls={view?.stalls ?? 0}
        onDoubleClick={fullScreen.toggle}
        className="absolute inset-0 size-full object-contain"
      />
      {view !== null && <PlayerNotice phase={view.phase} onPlay={onTogglePlay} />}
      {view !== null && view.soundBlocked && (
        <button
          type="button"
          onClick={onSoundOn}
          className="absolute top-4 left-4 flex min-h-11 animate-appear items-center gap-2 rounded-full bg-accent py-2 pr-5 pl-4 text-sm font-semibold text-ink hover:bg-accent-strong"
        >
          <Icon name="muted" className="size-5" />
          {t('player.soundOn')}
        </button>
      )}
      {inFilm && (
        <PlayerControls
          playing={playing}
          volume={sound.volume}
          muted={sound.muted}
          isFull={fullScreen.isFull}
          hidden={idle && playing}
          onTogglePlay={onTogglePlay}
          onToggleMute={sound.toggleMute}
          onVolume={sound.setVolume}
          onPictureInPicture={
            document.pictureInPictureEnabled ? () => togglePictureInPicture(video.current) : null
          }
          onFullScreen={fullScreen.toggle}
        >
          {playing && <LiveBadge live />}
          {view.latencySeconds !== null && (
            <span title={t('room.latencyTitle')} className="truncate text-xs text-white/70 tabular-nums">
              <span className="hidden sm:inline">
                {t('room.latency', { seconds: view.latencySeconds.toFixed(1) })}
              </span>
              <span className="sm:hidden">
                {t('common.seconds', { count: view.latencySeconds.toFixed(1) })}
              </span>
            </span>
          )}
        </PlayerControls>
      )}
      {children}
      <p role="status" className="sr-only">
        {view !== null && t(phaseTitles[view.phase])}
      </p>
    </section>
  );
}

function togglePictureInPicture(video: HTMLVideoElement | null): void {
  // Both are refused without media or a gesture; then nothing changes, as the viewer can see.
  if (document.pictureInPictureElement !== null) document.exitPictureInPicture().catch(() => undefined);
  else video?.requestPictureInPicture().catch(() => undefined);
}
