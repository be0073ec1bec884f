import { describe, expect, it } from 'vitest';
import { emoteNameOf, isEmoteName, wordsOf } from './words';

describe('what hosts type', () => {
  it('makes a list of words, each once', () => {
    expect(wordsOf('  foo \n\nbar\r\nfoo\n')).toEqual(['foo', 'bar']);
    expect(wordsOf('')).toEqual([]);
  });

  it.each([
    ['Party Parrot.gif', 'Party_Parrot'],
    ['été.png', 'ete'],
    ['--.png', ''],
    [`${'a'.repeat(40)}.png`, 'a'.repeat(32)],
  ])('makes a name for an emote: %s', (file, name) => {
    expect(emoteNameOf(file)).toBe(name);
  });

  it('is no name for an emote', () => {
    expect(['a', 'é'.repeat(3), 'a b', '<b>', ':a:', ''].filter(isEmoteName)).toEqual([]);
  });
});
