import { describe, expect, it } from 'vitest';
import { AutoQuality, type LineSample } from './auto-quality';
import type { Offer } from './offers';

const offer = (quality: string, bitRate: number): Offer => ({
  quality,
  height: 0,
  frameRate: 30,
  bitRate,
  unplayable: [],
});
const offers = [
  offer('source', 6_000_000),
  offer('720p', 3_000_000),
  offer('480p', 1_200_000),
  offer('audio', 128_000),
];

class Evening {
  readonly #auto = new AutoQuality();
  #nowMs = 0;
  #stalls = 0;
  playing = 'source';
  bandwidth: number | null = 20_000_000;
  missing: string[] = [];

  /** Lets time pass, a sample each second; follows each aim. Answers what was aimed at. */
  pass(seconds: number): string[] {
    const aims: string[] = [];
    for (let i = 0; i < seconds; i += 1) {
      this.#nowMs += 1_000;
      const { playing, bandwidth, missing } = this;
      const line: LineSample = {
        nowMs: this.#nowMs,
        playing,
        offers,
        missing,
        bandwidth,
        stalls: this.#stalls,
      };
      const aim = this.#auto.sample(line);
      if (aim === null) continue;
      aims.push(aim);
      this.playing = aim;
    }
    return aims;
  }

  stall(): string[] {
    this.#stalls += 1;
    return this.pass(3);
  }
}

describe('Auto', () => {
  it('stays with the source on a good line, whatever stalls the stream itself has', () => {
    const evening = new Evening();
    evening.pass(20);
    expect([...evening.stall(), ...evening.stall(), ...evening.stall()]).toEqual([]);
  });

  it('goes down to what fits after two stalls on a thin line', () => {
    const evening = new Evening();
    evening.bandwidth = 4_000_000;
    evening.pass(20);
    expect(evening.stall()).toEqual([]);
    expect(evening.stall()).toEqual(['720p']);
  });

  it('forgets a stall that was long ago', () => {
    const evening = new Evening();
    evening.bandwidth = 4_000_000;
    evening.pass(20);
    expect([...evening.stall(), ...evening.pass(30), ...evening.stall()]).toEqual([]);
  });

  it('takes the smallest rung when nothing fits, and never the sound alone', () => {
    const evening = new Evening();
    evening.bandwidth = 200_000;
    evening.pass(20);
    expect([...evening.stall(), ...evening.stall()]).toEqual(['480p']);
    expect([...evening.pass(20), ...evening.stall(), ...evening.stall()]).toEqual([]);
  });

  it('passes over a rung that is missing', () => {
    const evening = new Evening();
    evening.bandwidth = 4_000_000;
    evening.missing = ['720p'];
    evening.pass(20);
    expect([...evening.stall(), ...evening.stall()]).toEqual(['480p']);
  });

  it('goes up again after half a minute of calm, later each time that was wrong', () => {
    const evening = new Evening();
    evening.bandwidth = 4_000_000;
    evening.pass(20);
    evening.stall();
    evening.stall();
    evening.bandwidth = 9_000_000;
    expect(evening.pass(25)).toEqual([]);
    expect(evening.pass(10)).toEqual(['source']);
    evening.bandwidth = 4_000_000;
    evening.pass(12);
    expect([...evening.stall(), ...evening.stall()]).toEqual(['720p']);
    evening.bandwidth = 9_000_000;
    expect(evening.pass(50)).toEqual([]);
    expect(evening.pass(15)).toEqual(['source']);
  });

  it('does nothing before the line is known', () => {
    const evening = new Evening();
    evening.bandwidth = null;
    expect([...evening.pass(20), ...evening.stall(), ...evening.stall()]).toEqual([]);
  });
});
