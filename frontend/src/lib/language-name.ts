/** `fr` -> `French`, in the reader's language; nothing for what is no language. */
export function languageName(tag: string, locale: string): string {
  if (tag === '' || tag === 'und') return '';
  try {
    const name = new Intl.DisplayNames([locale], { type: 'language', fallback: 'none' }).of(tag) ?? '';
    return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
  } catch {
    return '';
  }
}
