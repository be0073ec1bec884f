import { describe, expect, it } from 'vitest';
import { complete, insertChoice } from './completion';
import type { RosterEntry } from './wire';

const roster: RosterEntry[] = ['Zoë', 'Ann', 'Ann 2', 'Big Ann', 'Théo'].map((nickname) => ({
  viewerId: nickname,
  nickname,
  role: 'viewer',
}));
const emotes = [{ name: 'popcorn_party', url: '/emotes/cinema/a.png' }];
const labels = (text: string, caret = text.length) =>
  complete(text, caret, roster, emotes)?.choices.map((choice) => choice.label) ?? [];

describe('completion', () => {
  it('offers names, those that begin so first', () => {
    expect(labels('@an')).toEqual(['Ann', 'Ann 2', 'Big Ann']);
    expect(labels('hello @big a')).toEqual(['Big Ann']);
  });

  it('finds names without their accents', () => {
    expect(labels('@zoe')).toEqual(['Zoë']);
    expect(labels('@theo')).toEqual(['Théo']);
  });

  it('lets a finished name be', () => {
    expect(labels('@Zoë ')).toEqual([]);
    expect(labels('@Zoë how are you')).toEqual([]);
  });

  it('takes no address for a name', () => {
    expect(labels('mail me@an')).toEqual([]);
  });

  it("offers the room's emotes before emoji", () => {
    expect(labels(':popc')).toEqual([':popcorn_party:', 'popcorn']);
    expect(labels(':sourire')).toEqual(['grinning']);
  });

  it.each(['12:30', 'http://x', 'a:pop', ':popcorn:', ':'])('does not disturb %s', (text) => {
    expect(labels(text)).toEqual([]);
  });

  it('looks at the word under the caret alone', () => {
    expect(labels('@an and more', 3)).toEqual(['Ann', 'Ann 2', 'Big Ann']);
  });

  it('puts the choice in place of the word', () => {
    const text = 'hi @bi!';
    const found = complete(text, 6, roster, emotes);
    if (found?.choices[0] === undefined) throw new Error('nothing was offered');
    expect(insertChoice(text, found, found.choices[0])).toEqual({ text: 'hi @Big Ann !', caret: 12 });
  });
});
