import type { ReactNode } from 'react';
import { Button } from '@/components/ui/button';
import { Icon } from '@/components/ui/icon';
import { MessageCard } from '@/components/ui/message-card';
import { Spinner } from '@/components/ui/spinner';
import type { TextKey } from '@/i18n/translate';
import { useLanguage } from '@/i18n/locale';
import { familyOf } from './codecs';
import { isPlayable, SOUND_ONLY } from './offers';
import type { PlayerPhase } from './player-facts';
import type { PlayerView } from './player-view';
import type { QualityView } from './quality-control';
import type { Choice } from './quality-state';

/** What each phase is called when it is read out. */
export const phaseTitles = {
  starting: 'player.starting',
  waiting: 'player.waitingTitle',
  playing: 'player.playing',
  paused: 'player.paused',
  interrupted: 'player.interruptedTitle',
  reconnecting: 'player.reconnecting',
  ended: 'player.endedTitle',
  unplayable: 'player.unplayableTitle',
} as const satisfies Record<PlayerPhase, TextKey>;

interface PlayerNoticeProps {
  view: PlayerView;
  quality: QualityView;
  onPlay: () => void;
  onQuality: (choice: Choice) => void;
}

/** What lies over the picture when it does not simply play. */
export function PlayerNotice({ view, quality, onPlay, onQuality }: PlayerNoticeProps) {
  const { t } = useLanguage();
  switch (view.phase) {
    case 'playing':
      return (
        <>
          {quality.playing === SOUND_ONLY && <SoundOnly />}
          {view.interrupted && <StandIn low={view.soundBlocked} />}
        </>
      );
    case 'unplayable':
      return <Unplayable quality={quality} onQuality={onQuality} />;
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
          {view.lostForGood ? (
            <MessageCard title={t('player.lostTitle')} text={t('player.lostText')} />
          ) : (
            <MessageCard title={t('player.endedTitle')} text={t('player.endedText')} />
          )}
        </Layer>
      );
  }
}

/** Over the slate, or over the rest of a lost publisher. */
function StandIn({ low }: { low: boolean }) {
  const { t } = useLanguage();
  return (
    <div
      className={`pointer-events-none absolute inset-x-0 flex animate-appear-late justify-center px-3 ${
        low ? 'top-18' : 'top-3 sm:top-4'
      }`}
    >
      <p
        role="status"
        className="flex items-center gap-2.5 rounded-2xl bg-black/75 py-2 pr-4 pl-3.5 text-center text-sm text-pretty backdrop-blur-sm"
      >
        <span aria-hidden="true" className="size-2 shrink-0 animate-breathe rounded-full bg-accent" />
        {t('player.willBeBack')}
      </p>
    </div>
  );
}

function SoundOnly() {
  const { t } = useLanguage();
  return (
    <div className="pointer-events-none absolute inset-0 grid place-content-center justify-items-center gap-3 bg-radial from-panel to-ink to-70% text-muted">
      <Icon name="sound" className="size-12" />
      <p>{t('quality.audio')}</p>
    </div>
  );
}

/** Why there is no picture, and what helps: for each codec that this browser does not play. */
function Unplayable({ quality, onQuality }: { quality: QualityView; onQuality: (choice: Choice) => void }) {
  const { t } = useLanguage();
  const families = [...new Set(quality.unplayable.map(familyOf))];
  const sound = quality.offers.find((offer) => offer.quality === SOUND_ONLY);
  return (
    <Layer veil="curtain">
      <div role="alert" className="pointer-events-auto max-h-full overflow-y-auto">
        <div className="mx-auto flex max-w-lg flex-col items-center gap-2 px-4 py-2 text-center sm:gap-3 sm:px-6">
          <h2 className="font-semibold text-balance sm:text-xl">{t('player.unplayableTitle')}</h2>
          {families.map((family) => (
            <p
              key={family}
              className="text-sm leading-snug text-pretty text-text/80 sm:text-base sm:leading-relaxed"
            >
              {t(`codec.${family}`)}
            </p>
          ))}
          {sound !== undefined && isPlayable(sound) && (
            <Button onClick={() => onQuality(SOUND_ONLY)}>{t('player.listen')}</Button>
          )}
          <p className="text-xs leading-relaxed text-pretty text-muted sm:text-sm">
            {t('player.unplayableHost')}
            <span className="hidden sm:inline"> ({quality.unplayable.join(', ')})</span>
          </p>
        </div>
      </div>
    </Layer>
  );
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
