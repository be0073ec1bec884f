import { expect, it } from 'vitest';
import { bestOffset, sampleOf } from './origin-clock';

it('trusts the sample with the shortest round trip', () => {
  const samples = [
    { offsetMs: 90, roundTripMs: 200 },
    { offsetMs: 12, roundTripMs: 20 },
    { offsetMs: -40, roundTripMs: 120 },
  ];
  expect(bestOffset(samples)).toBe(12);
});

it('takes the local clock until a sample is there', () => {
  expect(bestOffset([])).toBe(0);
});

it('takes the time that the answer took out of the round trip', () => {
  expect(sampleOf(1_000, 5_010, 5_012, 1_022)).toEqual({ offsetMs: 4_000, roundTripMs: 20 });
});
