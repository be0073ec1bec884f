import { describe, expect, it } from 'vitest';
import { playlistUrl, withToken } from './media-url';

const page = 'https://watch.example.org';

describe('the pass to media', () => {
  it("is the cookie on the page's own relay", () => {
    expect(withToken(playlistUrl('cinema'), 'T', page)).toBe('/live/cinema/index.m3u8');
    expect(withToken(`${page}/live/cinema/e/v-1.m4s`, 'T', page)).toBe(`${page}/live/cinema/e/v-1.m4s`);
  });

  it('is the token in the query on another relay, beside what is there', () => {
    expect(withToken('https://paris.example.org/live/c/e/video.m3u8?_HLS_msn=4', 'a.b', page)).toBe(
      'https://paris.example.org/live/c/e/video.m3u8?_HLS_msn=4&token=a.b',
    );
  });
});
