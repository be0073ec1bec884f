/** Which language the page speaks: the one chosen before, else the first of the browser's that there is. */
import { recall, remember } from '@/lib/remembered';
import { Store } from '@/lib/store';
import { useStore } from '@/lib/use-store';
import { en } from './en';
import { fr } from './fr';
import { translator, type Catalogue, type PlainTextKey, type Translate } from './translate';

export const catalogues = { en, fr } satisfies Record<string, Catalogue>;
export type Locale = keyof typeof catalogues;
export const localeNames: Readonly<Record<Locale, string>> = { en: 'English', fr: 'Français' };

export function isLocale(text: string | null): text is Locale {
  return text !== null && Object.hasOwn(catalogues, text);
}

/** Whether there is a text without placeholders under this key: for names that come from the server. */
export function isTextKey(key: string): key is PlainTextKey {
  return Object.hasOwn(en, key);
}

export function chooseLocale(remembered: string | null, preferred: readonly string[]): Locale {
  if (isLocale(remembered)) return remembered;
  for (const tag of preferred) {
    const language = tag.toLowerCase().split('-')[0] ?? '';
    if (isLocale(language)) return language;
  }
  return 'en';
}

interface Language {
  locale: Locale;
  t: Translate;
}

const languageOf = (locale: Locale): Language => ({ locale, t: translator(catalogues[locale], locale) });

const current = new Store(languageOf('en'));

export function startLanguage(): void {
  speak(chooseLocale(recall('browser', 'locale'), navigator.languages));
}

export function switchLanguage(locale: Locale): void {
  remember('browser', 'locale', locale);
  speak(locale);
}

function speak(locale: Locale): void {
  document.documentElement.lang = locale;
  current.set(languageOf(locale));
}

export function useLanguage(): Language {
  return useStore(current);
}
