import type { ReactNode } from 'react';
import { Icon } from '@/components/ui/icon';
import { MessageCard } from '@/components/ui/message-card';
import { Spinner } from '@/components/ui/spinner';
import type { TextKey } from '@/i18n/translate';
import { useLanguage } from '@/i18n/locale';
import type { PlayerPhase } from './player-facts';

/** What each phase is called when it is read out. */
export const phaseTitles = {
  starting: 'player.starting',
  waiting: 'player.waitingTitle',
  playing: 'player.playing',
  paused: 'player.paused',
  interrupted: 'player.interruptedTitle',
  reconnecting: 'player.reconnecting',
  ended: 'player.endedTitle',
} as const satisfies Record<PlayerPhase, TextKey>;

/** What lies over the picture when it does not simply play. */
export function PlayerNotice({ phase, onPlay }: { phase: PlayerPhase; onPlay: () => void }) {
  const { t } = useLanguage();
  switch (phase) {
    case 'playing':
      return null;
    case 'starting':
      return (
        <Layer late>
          <Spinner />
        </Layer>
      );
    case 'waiting':
      return (
        <Layer veil="curtain">
          <MessageCard title={t('player.waitingTitle')} text={t('player.waitingText')}>
            <span aria-hidden="true" className="size-3 animate-breathe rounded-full bg-accent" />
          </MessageCard>
        </Layer>
      );
    case 'paused':
      return (
        <Layer>
          <button
            type="button"
            aria-label={t('player.play')}
            onClick={onPlay}
            className="pointer-events-auto grid size-20 place-items-center rounded-full bg-black/60 text-white backdrop-blur-sm hover:bg-black/80"
          >
            <Icon name="play" className="size-10" />
          </button>
        </Layer>
      );
    case 'interrupted':
      return (
        <Layer late veil="dim">
          <MessageCard title={t('player.interruptedTitle')} text={t('player.interruptedText')}>
            <Spinner />
          </MessageCard>
        </Layer>
      );
    case 'reconnecting':
      return (
        <Layer late>
          <span className="flex items-center gap-3 rounded-full bg-black/70 py-2 pr-5 pl-3 text-sm backdrop-blur-sm">
            <Spinner />
            {t('player.reconnecting')}
          </span>
        </Layer>
      );
    case 'ended':
      return (
        <Layer veil="dim">
          <MessageCard title={t('player.endedTitle')} text={t('player.endedText')} />
        </Layer>
      );
  }
}

const veils = {
  none: '',
  dim: 'bg-black/80',
  curtain: 'bg-radial from-panel to-ink to-70%',
} as const;

interface LayerProps {
  children: ReactNode;
  /** A short pause is over before the notice is seen. */
  late?: boolean;
  /** What is left to see of the picture. */
  veil?: keyof typeof veils;
}

function Layer({ children, late = false, veil = 'none' }: LayerProps) {
  return (
    <div
      className={`pointer-events-none absolute inset-0 grid place-items-center ${veils[veil]} ${
        late ? 'animate-appear-late' : 'animate-appear'
      }`}
    >
      {children}
    </div>
  );
}
