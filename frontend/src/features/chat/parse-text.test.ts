import { describe, expect, it } from 'vitest';
import { isJumbo, parseText } from './parse-text';

const emotes = new Map([['popcorn', '/emotes/cinema/a.gif']]);
const parse = (text: string, names: string[] = []) =>
  parseText(text, names, emotes).map((part) => `${part.kind}=${part.text}`);

describe('the text of a message', () => {
  it('is text', () => {
    expect(parse('<b onclick="x()">hi</b>')).toEqual(['text=<b onclick="x()">hi</b>']);
    expect(parse('')).toEqual([]);
  });

  it.each([
    ['see https://example.org/a?b=c#d.', ['text=see ', 'link=https://example.org/a?b=c#d', 'text=.']],
    ['(https://en.org/A_(b))', ['text=(', 'link=https://en.org/A_(b)', 'text=)']],
    ['HTTPS://EXAMPLE.ORG', ['link=HTTPS://EXAMPLE.ORG']],
    ['javascript:alert(1) data:text/html,x', ['text=javascript:alert(1) data:text/html,x']],
    ['http://', ['text=http://']],
  ])('has links: %s', (text, parts) => {
    expect(parse(text)).toEqual(parts);
  });

  it('has the emotes that the room has', () => {
    expect(parse('yes :popcorn::popcorn: :nope: 10:popcorn:')).toEqual([
      'text=yes ',
      'emote=:popcorn:',
      'emote=:popcorn:',
      'text= :nope: 10',
      'emote=:popcorn:',
    ]);
  });

  it('has mentions, the longest name first', () => {
    expect(parse('@ann 2, and @Ann', ['Ann', 'Ann 2'])).toEqual([
      'mention=@ann 2',
      'text=, and ',
      'mention=@Ann',
    ]);
    expect(parse('@Ann', [])).toEqual(['text=@Ann']);
  });

  it.each([
    ['🎉', true],
    [':popcorn: 🍿 👨‍👩‍👧', true],
    ['🎉🎉🎉🎉', false],
    ['12', false],
    ['ok 🎉', false],
    ['', false],
  ])('is large when it is only a few signs: %s', (text, large) => {
    expect(isJumbo(parseText(text, [], emotes))).toBe(large);
  });
});
