import { describe, expect, it } from 'vitest';
import { en } from './en';
import { fr } from './fr';
import { catalogues, chooseLocale } from './locale';
import { fill, translator } from './translate';

const texts = (entry: string | { one: string; other: string }) =>
  typeof entry === 'string' ? [entry] : [entry.one, entry.other];
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

describe('catalogues', () => {
  it('have the same keys', () => {
    expect(Object.keys(fr).sort()).toEqual(Object.keys(en).sort());
  });

  it.each(Object.keys(en) as (keyof typeof en)[])('have the same placeholders in %s', (key) => {
    const wanted = placeholders(texts(en[key])[0] ?? '');
    for (const catalogue of Object.values(catalogues)) {
      for (const text of texts(catalogue[key])) {
        expect(text).not.toBe('');
        expect(placeholders(text)).toEqual(wanted);
      }
    }
  });
});

describe('texts', () => {
  it('follow the plural rules of their language', () => {
    const english = translator(en, 'en');
    const french = translator(fr, 'fr');
    expect(english('common.viewers', { count: 0 })).toBe('0 viewers');
    expect(english('common.viewers', { count: 1 })).toBe('1 viewer');
    expect(french('common.viewers', { count: 0 })).toBe('0 spectateur');
    expect(french('common.viewers', { count: 2 })).toBe('2 spectateurs');
  });

  it('keep a placeholder that got no value', () => {
    expect(fill('{a} and {b}', { a: 1 })).toBe('1 and {b}');
  });
});

describe('the language', () => {
  it('is the one chosen before', () => {
    expect(chooseLocale('fr', ['en-GB'])).toBe('fr');
  });

  it("is else the first of the browser's that there is", () => {
    expect(chooseLocale(null, ['de-DE', 'fr-CA', 'en'])).toBe('fr');
    expect(chooseLocale('xx', ['EN-us'])).toBe('en');
  });

  it('is English for everyone else', () => {
    expect(chooseLocale(null, ['de', 'ja'])).toBe('en');
  });
});
