import { describe, expect, it } from 'vitest';
import { readReach } from './rung-playlist';

const head = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-MAP:URI="../fedc/v-init-0.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:00.000Z
`;
const start = Date.UTC(2026, 10, 22, 10);
const endOf = (rest: string) => {
  const { endMs } = readReach(head + rest);
  return endMs === null ? null : (endMs - start) / 1_000;
};

describe('how far a rung reaches', () => {
  it('is nowhere before its first part', () => {
    expect(endOf('')).toBeNull();
  });

  it('is the end of its last part', () => {
    expect(
      endOf(`#EXT-X-PART:DURATION=0.500,URI="../fedc/v-7.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.500,URI="../fedc/v-7.1.m4s"
#EXTINF:1.000,
../fedc/v-7.m4s
#EXT-X-PART:DURATION=0.480,URI="../fedc/v-8.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="../fedc/v-8.1.m4s"
`),
    ).toBe(1.48);
  });

  it('starts anew at each date', () => {
    expect(
      endOf(`#EXTINF:2.000,
../fedc/v-7.m4s
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:20.000Z
#EXTINF:2.000,
../fedc/v-8.m4s
`),
    ).toBe(22);
  });

  it('does not count what is missing', () => {
    expect(
      endOf(`#EXTINF:2.000,
../fedc/v-7.m4s
#EXT-X-PART:DURATION=0.500,URI="gap.mp4",GAP=YES
#EXT-X-GAP
#EXTINF:2.000,
gap.mp4
`),
    ).toBe(2);
  });

  it('comes with the step of the list and its end', () => {
    expect(readReach(head)).toMatchObject({ stepSeconds: 0.5, ended: false });
    expect(readReach('#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-ENDLIST\n')).toEqual({
      endMs: null,
      stepSeconds: 4,
      ended: true,
    });
  });
});
