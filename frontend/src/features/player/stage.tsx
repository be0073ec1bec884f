/**
 * The picture and what lies over it. Attributes of the `<video>` tell its state to people who look for a
 * cause and to tests: `data-state` (the phase, or `closed` before joining), `data-latency` (seconds), `data-stalls`.
 */
import { useEffect, useRef, type ReactNode } from 'react';
import { LiveBadge } from '@/components/ui/live-badge';
import { Icon } from '@/components/ui/icon';
import { useLanguage } from '@/i18n/locale';
import { Store } from '@/lib/store';
import { useStore } from '@/lib/use-store';
import type { LivePlayer } from './live-player';
import { PlayerControls } from './player-controls';
import { PlayerMenus } from './player-menus';
import { PlayerNotice, phaseTitles } from './player-notice';
import type { PlayerView } from './player-view';
import { useFullScreen } from './use-full-screen';
import { useIdle } from './use-idle';
import { usePlayerKeys } from './use-player-keys';
import { useSound } from './use-sound';

interface StageProps {
  /** null before the visitor is in the room. */
  player: LivePlayer | null;
  /** Told of the video once it stands, and with null when it goes. Has to keep its identity. */
  onVideo: (video: HTMLVideoElement | null) => void;
  /** Shown over the picture, besides the player's own notices. */
  children: ReactNode;
}

const noView = new Store<PlayerView | null>(null);

export function Stage({ player, onVideo, children }: StageProps) {
  const { t } = useLanguage();
  const view = useStore<PlayerView | null>(player?.view ?? noView);
  const stage = useRef<HTMLElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const sound = useSound(video);
  const fullScreen = useFullScreen(stage, video);
  const idle = useIdle(stage);
  const playing = view?.phase === 'playing';
  const inFilm = view !== null && ['playing', 'paused', 'interrupted', 'reconnecting'].includes(view.phase);
  usePlayerKeys({
    togglePlay: () => inFilm && player?.togglePlay(),
    toggleMute: sound.toggleMute,
    toggleFullScreen: fullScreen.toggle,
    toggleCaptions: () => player?.captions.toggle(),
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
      {view !== null && player !== null && <Notice player={player} view={view} />}
      {view !== null && view.soundBlocked && (
        <button
          type="button"
          onClick={() => player?.turnSoundOn()}
          className="absolute top-4 left-4 flex min-h-11 animate-appear items-center gap-2 rounded-full bg-accent py-2 pr-5 pl-4 text-sm font-semibold text-ink hover:bg-accent-strong"
        >
          <Icon name="muted" className="size-5" />
          {t('player.soundOn')}
        </button>
      )}
      {inFilm && player !== null && (
        <PlayerControls
          playing={playing}
          volume={sound.volume}
          muted={sound.muted}
          isFull={fullScreen.isFull}
          hidden={idle && playing}
          onTogglePlay={() => player.togglePlay()}
          onToggleMute={sound.toggleMute}
          onVolume={sound.setVolume}
          onPictureInPicture={
            document.pictureInPictureEnabled ? () => togglePictureInPicture(video.current) : null
          }
          onFullScreen={fullScreen.toggle}
          menus={<Menus player={player} />}
        >
          {playing && (
            // On a phone the header tells, and the room is needed for the menus.
            <span className="hidden sm:inline">
              <LiveBadge live interrupted={view.interrupted} />
            </span>
          )}
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

function Notice({ player, view }: { player: LivePlayer; view: PlayerView }) {
  const quality = useStore(player.quality.view);
  return (
    <PlayerNotice
      view={view}
      quality={quality}
      onPlay={() => player.togglePlay()}
      onQuality={(choice) => player.quality.choose(choice)}
    />
  );
}

function Menus({ player }: { player: LivePlayer }) {
  return (
    <PlayerMenus
      quality={useStore(player.quality.view)}
      sounds={useStore(player.sounds)}
      captions={useStore(player.captions.view)}
      onQuality={(choice) => player.quality.choose(choice)}
      onSound={(sound) => player.playSound(sound)}
      onCaptions={(id) => player.captions.choose(id)}
    />
  );
}

function togglePictureInPicture(video: HTMLVideoElement | null): void {
  // Both are refused without media or a gesture; then nothing changes, as the viewer can see.
  if (document.pictureInPictureElement !== null) document.exitPictureInPicture().catch(() => undefined);
  else video?.requestPictureInPicture().catch(() => undefined);
}
