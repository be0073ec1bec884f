/** Looking up a text and filling its placeholders. The keys and the placeholders of each are checked by type. */
import type { en } from './en';

type English = typeof en;
interface Plural {
  one: string;
  other: string;
}

export type TextKey = keyof English;
export type Catalogue = { readonly [K in TextKey]: English[K] extends string ? string : Plural };

type Placeholders<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholders<Rest> : never;
type NamesIn<K extends TextKey> = Placeholders<English[K] extends { other: infer S } ? S : English[K]>;

/** Keys whose text needs no values. */
export type PlainTextKey = { [K in TextKey]: [NamesIn<K>] extends [never] ? K : never }[TextKey];

export type TextArgs<K extends TextKey> = [NamesIn<K>] extends [never]
  ? []
  : [values: Readonly<Record<NamesIn<K>, string | number>>];

export type Translate = <K extends TextKey>(key: K, ...args: TextArgs<K>) => string;

export function translator(catalogue: Catalogue, locale: string): Translate {
  const plural = new Intl.PluralRules(locale);
  return (key, ...args) => {
    const values: Readonly<Record<string, string | number>> = args[0] ?? {};
    const entry = catalogue[key];
    const text =
      typeof entry === 'string'
        ? entry
        : entry[plural.select(Number(values.count)) === 'one' ? 'one' : 'other'];
    return fill(text, values);
  };
}

export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : String(value);
  });
}
