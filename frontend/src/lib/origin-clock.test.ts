import { expect, it } from 'vitest';
import { bestOffset } from './origin-clock';

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
