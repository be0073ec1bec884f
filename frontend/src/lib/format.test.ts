import { describe, expect, it } from 'vitest';
import { formatAgo, formatBytes, formatDateTime } from './format';

describe('numbers and times for people', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_500, '1.5 kB'],
    [234_567_890, '235 MB'],
    [18_234_567_890, '18.2 GB'],
    [5e15, '5,000 TB'],
  ])('%d bytes', (bytes, text) => {
    expect(formatBytes(bytes, 'en')).toBe(text);
  });

  it('tells how long ago something was, and never in the future', () => {
    const now = Date.parse('2026-11-22T10:00:00.000Z');
    expect(formatAgo('2026-11-22T09:57:00.000Z', now, 'en')).toBe('3 minutes ago');
    expect(formatAgo('2026-11-20T10:00:00.000Z', now, 'en')).toBe('2 days ago');
    expect(formatAgo('2026-11-22T10:00:02.000Z', now, 'en')).toBe('now');
  });

  it('shows a text that is no time as it is', () => {
    expect(formatDateTime('soon', 'en')).toBe('soon');
    expect(formatAgo('soon', 0, 'en')).toBe('soon');
  });
});
