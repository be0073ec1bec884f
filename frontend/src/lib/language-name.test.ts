import { describe, expect, it } from 'vitest';
import { languageName } from './language-name';

describe('the name of a language', () => {
  it.each([
    ['fr', 'en', 'French'],
    ['fr', 'fr', 'Français'],
    ['und', 'en', ''],
    ['', 'en', ''],
    ['not a tag', 'en', ''],
  ])('%s in %s is "%s"', (tag, locale, name) => {
    expect(languageName(tag, locale)).toBe(name);
  });
});
