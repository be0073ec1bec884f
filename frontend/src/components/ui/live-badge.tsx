import { useLanguage } from '@/i18n/locale';

interface LiveBadgeProps {
  live: boolean;
  /** The publisher is lost and expected back. */
  interrupted?: boolean;
}

export function LiveBadge({ live, interrupted = false }: LiveBadgeProps) {
  const { t } = useLanguage();
  const onAir = live && !interrupted;
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-semibold whitespace-nowrap ${
        onAir ? 'bg-accent/15 text-accent' : 'bg-raised text-muted'
      }`}
    >
      <span className={`size-1.5 rounded-full ${onAir ? 'animate-breathe bg-accent' : 'bg-muted/60'}`} />
      {t(onAir ? 'room.live' : live ? 'room.interrupted' : 'room.offAir')}
    </span>
  );
}
