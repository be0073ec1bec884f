import type { ReactNode } from 'react';
import { Icon, type IconName } from '@/components/ui/icon';
import { useLanguage } from '@/i18n/locale';

interface ControlsProps {
  playing: boolean;
  volume: number;
  muted: boolean;
  isFull: boolean;
  hidden: boolean;
  /** Captions, sounds, qualities. */
  menus: ReactNode;
  /** Shown between the sound and the picture's buttons. */
  children: ReactNode;
  onTogglePlay: () => void;
  onToggleMute: () => void;
  onVolume: (volume: number) => void;
  onPictureInPicture: (() => void) | null;
  onFullScreen: () => void;
}

export function PlayerControls(props: ControlsProps) {
  const { t } = useLanguage();
  return (
    <div
      className={`absolute inset-x-0 bottom-0 flex items-center gap-0.5 bg-linear-to-t sm:gap-1 from-black/80 to-transparent px-2 pt-12 pb-[max(0.5rem,env(safe-area-inset-bottom))] transition-opacity duration-200 focus-within:opacity-100 sm:px-4 ${
        props.hidden ? 'opacity-0' : ''
      }`}
    >
      <IconButton
        icon={props.playing ? 'pause' : 'play'}
        label={props.playing ? t('player.pause') : t('player.play')}
        onClick={props.onTogglePlay}
      />
      <IconButton
        icon={props.muted ? 'muted' : 'sound'}
        label={props.muted ? t('player.unmute') : t('player.mute')}
        onClick={props.onToggleMute}
      />
      <input
        type="range"
        min="0"
        max="1"
        step="0.05"
        aria-label={t('player.volume')}
        value={props.muted ? 0 : props.volume}
        onChange={(event) => props.onVolume(Number(event.target.value))}
        className="hidden w-24 accent-accent sm:block"
      />
      <div className="flex min-w-0 flex-1 items-center gap-3 px-1 sm:px-3">{props.children}</div>
      {props.menus}
      {props.onPictureInPicture !== null && (
        <IconButton icon="pip" label={t('player.pictureInPicture')} onClick={props.onPictureInPicture} />
      )}
      <IconButton
        icon={props.isFull ? 'shrink' : 'expand'}
        label={props.isFull ? t('player.leaveFullScreen') : t('player.fullScreen')}
        onClick={props.onFullScreen}
      />
    </div>
  );
}

function IconButton({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={onClick}
      className="grid size-11 shrink-0 place-items-center rounded-lg text-white/90 hover:bg-white/10 hover:text-white"
    >
      <Icon name={icon} />
    </button>
  );
}
