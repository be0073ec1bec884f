/** What a multivariant playlist offers, in the viewer's terms. Pure. */
import { codecList } from './codecs';

/** `source`, a rung by its name (`720p`), or `audio` for the sound alone. */
export type Quality = string;

export const SOURCE: Quality = 'source';
export const SOUND_ONLY: Quality = 'audio';

/** A line of the multivariant playlist. */
export interface Variant {
  url: string;
  bitRate: number;
  height: number;
  frameRate: number;
  /** As the playlist names them. */
  codecs: string;
}

export interface Offer {
  quality: Quality;
  /** 0 where the playlist does not tell. */
  height: number;
  frameRate: number;
  bitRate: number;
  /** Codecs this browser does not play; it cannot show the offer unless there are none. */
  unplayable: readonly string[];
}

/** The name of a variant is that of its playlist: `video.m3u8` is the source, `720p.m3u8` a rung. */
export function qualityOf(url: string, hasPicture: boolean): Quality {
  const file = url.split(/[?#]/)[0]?.split('/').at(-1) ?? '';
  const stem = file.replace(/\.m3u8$/, '');
  // A stream that has nothing but sound is its own source.
  if (stem === 'video' || (stem === 'audio' && !hasPicture)) return SOURCE;
  return stem;
}

/** The source first, then the rungs from the largest to the smallest, the sound alone last. */
export function readOffers(variants: readonly Variant[], plays: (codec: string) => boolean): Offer[] {
  const hasPicture = variants.some(({ url }) => !/\/?audio\.m3u8(?:[?#]|$)/.test(url));
  const offers = variants.map((variant): Offer => ({
    quality: qualityOf(variant.url, hasPicture),
    height: variant.height,
    frameRate: variant.frameRate,
    bitRate: variant.bitRate,
    unplayable: codecList(variant.codecs).filter((codec) => !plays(codec)),
  }));
  const rank = ({ quality, height }: Offer) =>
    quality === SOURCE
      ? Number.NEGATIVE_INFINITY
      : quality === SOUND_ONLY
        ? Number.POSITIVE_INFINITY
        : -height;
  return offers.sort((a, b) => {
    const [first, second] = [rank(a), rank(b)];
    return first === second ? b.bitRate - a.bitRate : first - second;
  });
}

export const isPlayable = (offer: Offer): boolean => offer.unplayable.length === 0;
