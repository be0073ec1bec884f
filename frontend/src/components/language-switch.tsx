import { isLocale, localeNames, switchLanguage, useLanguage } from '@/i18n/locale';

export function LanguageSwitch() {
  const { locale, t } = useLanguage();
  return (
    <select
      aria-label={t('app.language')}
      value={locale}
      onChange={(event) => {
        if (isLocale(event.target.value)) switchLanguage(event.target.value);
      }}
      className="h-10 rounded-lg bg-transparent px-1 text-sm text-muted hover:text-text [&>option]:bg-panel"
    >
      {Object.entries(localeNames).map(([code, name]) => (
        <option key={code} value={code} aria-label={name}>
          {code.toUpperCase()}
        </option>
      ))}
    </select>
  );
}
