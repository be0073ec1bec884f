import { describe, expect, it } from 'vitest';
import { pictureFault, rungChoices, sameLabels, soundLabels, soundRows, withRung } from './stream-settings';

describe('the ladder', () => {
  it('offers the usual rungs, and what else is set', () => {
    expect(rungChoices([])).toEqual(['1080p', '720p', '480p', '360p', 'audio']);
    expect(rungChoices(['144p', 'audio'])).toEqual(['1080p', '720p', '480p', '360p', '144p', 'audio']);
  });

  it('stays in order, whatever is put in and taken out', () => {
    expect(withRung(['480p', 'audio'], '720p', true)).toEqual(['720p', '480p', 'audio']);
    expect(withRung(['720p', '480p', 'audio'], 'audio', false)).toEqual(['720p', '480p']);
    expect(withRung(['720p'], '720p', true)).toEqual(['720p']);
  });
});

describe('the names of the sounds', () => {
  it('always leave a row to fill in', () => {
    expect(soundRows([])).toEqual([{ name: '', language: '' }]);
    expect(soundRows([{ name: 'VO', language: null }])).toEqual([{ name: 'VO', language: '' }]);
  });

  it('keep their numbers over an empty row, and lose those at the end', () => {
    const rows = [
      { name: '', language: '' },
      { name: ' Français ', language: 'fr' },
      { name: '  ', language: '' },
    ];
    expect(soundLabels(rows)).toEqual([
      { name: null, language: null },
      { name: 'Français', language: 'fr' },
    ]);
  });

  it('are the same where nothing of them is different', () => {
    expect(sameLabels([], [{ name: null, language: null }])).toBe(true);
    expect(sameLabels([{ name: 'VO', language: null }], [])).toBe(false);
  });
});

describe('a picture', () => {
  it.each([
    [{ type: 'image/png', size: 100 }, null],
    [{ type: 'image/gif', size: 100 }, 'wrongType'],
    [{ type: 'image/jpeg', size: 3_000_000 }, 'tooLarge'],
  ] as const)('%j is %s', (file, fault) => {
    expect(pictureFault(file)).toBe(fault);
  });
});
