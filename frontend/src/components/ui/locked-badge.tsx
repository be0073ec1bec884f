import { useLanguage } from '@/i18n/locale';
import { Icon } from './icon';

export function LockedBadge() {
  const { t } = useLanguage();
  return (
    <span
      title={t('room.lockHint')}
      className="inline-flex items-center gap-1 rounded-full bg-raised px-2 py-0.5 text-xs font-semibold whitespace-nowrap text-muted"
    >
      <Icon name="lock" className="size-3.5" />
      {t('room.locked')}
    </span>
  );
}
