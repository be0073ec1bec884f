import { useLanguage } from '@/i18n/locale';
import { formatDay } from '@/lib/format';
import type { Line } from './lines';

const rule =
  'mx-3 mt-3 mb-1 flex items-center gap-3 text-xs before:h-px before:flex-1 after:h-px after:flex-1';

/** Below it stands what was said while nobody looked. */
export function UnreadMarker() {
  const { t } = useLanguage();
  return (
    <div
      role="separator"
      aria-label={t('chat.unreadMarker')}
      className={`${rule} font-semibold text-accent before:bg-accent/50 after:bg-accent/50`}
    >
      {t('chat.unreadMarker')}
    </div>
  );
}

export function DayMarker({ iso }: { iso: string }) {
  const { locale } = useLanguage();
  const day = formatDay(iso, locale);
  return (
    <div role="separator" aria-label={day} className={`${rule} text-muted before:bg-line after:bg-line`}>
      {day}
    </div>
  );
}

export function isOtherDay(line: Line, before: Line | undefined): boolean {
  if (before === undefined) return false;
  return new Date(line.sentAt).toDateString() !== new Date(before.sentAt).toDateString();
}
