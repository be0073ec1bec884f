import { describe, expect, it } from 'vitest';
import { lengthOf, oneLine, secondsToWait } from './draft';

describe('the text being written', () => {
  it('is one line', () => {
    expect(oneLine('one  \r\n two\n\nthree\tfour ')).toBe('one two three four ');
  });

  it('is counted in characters, as the server does', () => {
    expect(lengthOf('  e\u0301🎉 ')).toBe(2);
  });
});

describe('slow mode', () => {
  it('counts down from the last message', () => {
    expect(secondsToWait(10_000, 5, 12_500)).toBe(3);
    expect(secondsToWait(10_000, 5, 15_000)).toBe(0);
    expect(secondsToWait(null, 5, 0)).toBe(0);
    expect(secondsToWait(10_000, 0, 10_000)).toBe(0);
  });
});
