import { useLanguage } from '@/i18n/locale';

export function LiveBadge({ live }: { live: boolean }) {
  const { t } = useLanguage();
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-semibold whitespace-nowrap ${
        live ? 'bg-accent/15 text-accent' : 'bg-raised text-muted'
      }`}
    >
      <span className={`size-1.5 rounded-full ${live ? 'animate-breathe bg-accent' : 'bg-muted/60'}`} />
      {live ? t('room.live') : t('room.offAir')}
    </span>
  );
}
