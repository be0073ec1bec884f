//! An upload made into the picture that viewers get: decoded under limits, scaled, encoded anew.
//!
//! What the file calls itself does not count; what it decodes to does. Nothing of the upload but pixels and delays goes on, so no
//! comment, profile or second format that hides in it.

mod gif_frames;

use std::{io::Cursor, time::Duration};

use data_encoding::HEXLOWER;
use image::{
    AnimationDecoder, Delay, DynamicImage, Frame, Frames, ImageDecoder, ImageError, ImageFormat, Limits, RgbaImage,
    codecs::{
        gif::{GifDecoder, GifEncoder, Repeat},
        png::{PngDecoder, PngEncoder},
        webp::WebPDecoder,
    },
    error::LimitErrorKind,
    imageops::{self, FilterType},
};
use sha2::{Digest, Sha256};

/// Largest width and height that are decoded.
const MAX_SIDE: u32 = 2048;

/// Most memory that decoding takes.
const MAX_DECODE_LEN: u64 = 64 << 20;

/// Most frames of an animation.
const MAX_FRAMES: usize = 120;

/// Most pixels of all frames together, as decoded.
const MAX_PIXELS: u64 = 48 << 20;

/// Largest width and height that viewers get; and what an animation is scaled to that is too long so.
const SIDES: [u32; 4] = [128, 96, 64, 48];

/// Longest picture that viewers get, in bytes.
const MAX_LEN: usize = 256 << 10;

/// Shorter delays are meant as none, and browsers make this of them.
const LEAST_DELAY: Duration = Duration::from_millis(20);
const USUAL_DELAY: Duration = Duration::from_millis(100);

/// How much a GIF's colours are looked for: 1 is best, 30 is fastest.
const GIF_SPEED: i32 = 10;

/// Bytes in which an SVG has to begin.
const SVG_START_LEN: usize = 4096;

/// What viewers get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// `HASH.png` or `HASH.gif`, where the hash is of the bytes.
    pub file: String,
    pub bytes: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

/// Why an upload makes no emote or slate; for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("is an SVG, which is a program rather than a picture: send a PNG, WebP or GIF")]
    Svg,
    #[error("is no PNG, WebP or GIF")]
    Unknown,
    #[error("is no PNG, JPEG or WebP")]
    NoSlate,
    #[error("is larger than 4096 pixels in width or height")]
    LargeSlate,
    #[error("is broken: it cannot be decoded to its end")]
    Broken,
    #[error("is larger than {MAX_SIDE} pixels in width or height")]
    TooLarge,
    #[error("has more than {MAX_FRAMES} frames")]
    TooManyFrames,
    #[error("has too many pixels in all its frames together: make it smaller or shorter")]
    TooManyPixels,
    #[error("is too long an animation to be sent to viewers: make it shorter or simpler")]
    TooLong,
}

/// A frame, scaled to fit.
struct Still {
    image: RgbaImage,
    delay: Duration,
}

pub(super) fn make(upload: &[u8]) -> Result<Picture, Unfit> {
    let stills = decode(upload)?;
    match stills.as_slice() {
        [] => Err(Unfit::Broken),
        [one] => png(&one.image),
        all => gif(all),
    }
}

fn decode(upload: &[u8]) -> Result<Vec<Still>, Unfit> {
    let file = Cursor::new(upload);
    match image::guess_format(upload) {
        Ok(ImageFormat::Png) => {
            let decoder = limited(PngDecoder::with_limits(file, limits()))?;
            if decoder.is_apng().map_err(unfit)? {
                let size = decoder.dimensions();
                frames(decoder.apng().map_err(unfit)?.into_frames(), size)
            } else {
                still(decoder)
            }
        }
        Ok(ImageFormat::WebP) => {
            let decoder = limited(WebPDecoder::new(file))?;
            if decoder.has_animation() {
                let size = decoder.dimensions();
                frames(decoder.into_frames(), size)
            } else {
                still(decoder)
            }
        }
        Ok(ImageFormat::Gif) => {
            if gif_frames::pixels(upload) > MAX_PIXELS {
                return Err(Unfit::TooManyPixels);
            }
            let decoder = limited(GifDecoder::new(file))?;
            let size = decoder.dimensions();
            frames(decoder.into_frames(), size)
        }
        _ if is_svg(upload) => Err(Unfit::Svg),
        _ => Err(Unfit::Unknown),
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODE_LEN);
    limits
}

/// Nothing of the picture is decoded before its size was looked at.
fn limited<D: ImageDecoder>(opened: Result<D, ImageError>) -> Result<D, Unfit> {
    let mut decoder = opened.map_err(unfit)?;
    decoder.set_limits(limits()).map_err(unfit)?;
    Ok(decoder)
}

fn still(decoder: impl ImageDecoder) -> Result<Vec<Still>, Unfit> {
    let image = DynamicImage::from_decoder(decoder).map_err(unfit)?;
    Ok(vec![Still {
        image: scaled(image.into_rgba8(), SIDES[0]),
        delay: Duration::ZERO,
    }])
}

fn frames(frames: Frames<'_>, (width, height): (u32, u32)) -> Result<Vec<Still>, Unfit> {
    let mut pixels = 0;
    let mut stills = Vec::new();
    for frame in frames {
        if stills.len() == MAX_FRAMES {
            return Err(Unfit::TooManyFrames);
        }
        pixels += u64::from(width) * u64::from(height);
        if pixels > MAX_PIXELS {
            return Err(Unfit::TooManyPixels);
        }
        let frame = frame.map_err(unfit)?;
        stills.push(Still {
            delay: frame.delay().into(),
            image: scaled(frame.into_buffer(), SIDES[0]),
        });
    }
    Ok(stills)
}

fn unfit(error: ImageError) -> Unfit {
    match error {
        ImageError::Limits(limit) if limit.kind() == LimitErrorKind::DimensionError => Unfit::TooLarge,
        ImageError::Limits(_) => Unfit::TooManyPixels,
        _ => Unfit::Broken,
    }
}

fn is_svg(upload: &[u8]) -> bool {
    let start = &upload[..upload.len().min(SVG_START_LEN)];
    start.windows(4).any(|window| window.eq_ignore_ascii_case(b"<svg"))
}

/// The image in a square of `side`, never enlarged.
fn scaled(mut image: RgbaImage, side: u32) -> RgbaImage {
    let (width, height) = image.dimensions();
    let longest = width.max(height);
    if longest <= side {
        return image;
    }
    let fit = |length: u32| {
        let fitted = (u64::from(length) * u64::from(side) + u64::from(longest) / 2) / u64::from(longest);
        u32::try_from(fitted).unwrap_or(side).max(1)
    };
    // What is transparent has a colour too, and must not bleed into its neighbours.
    for pixel in image.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0;
        let weighed = |colour: u8| (u16::from(colour) * u16::from(alpha) / 255) as u8;
        pixel.0 = [weighed(red), weighed(green), weighed(blue), alpha];
    }
    let mut small = imageops::resize(&image, fit(width), fit(height), FilterType::CatmullRom);
    for pixel in small.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0;
        let weight = u16::from(alpha).max(1);
        let plain = |colour: u8| (u16::from(colour) * 255 / weight).min(255) as u8;
        pixel.0 = [plain(red), plain(green), plain(blue), alpha];
    }
    small
}

fn png(image: &RgbaImage) -> Result<Picture, Unfit> {
    let mut bytes = Vec::new();
    image
        .write_with_encoder(PngEncoder::new(&mut bytes))
        .map_err(|_| Unfit::Broken)?;
    Ok(picture(bytes, "png", image.dimensions()))
}

fn gif(stills: &[Still]) -> Result<Picture, Unfit> {
    let (width, height) = stills.first().map_or((0, 0), |still| still.image.dimensions());
    let smaller = SIDES.into_iter().filter(|side| *side < width.max(height));
    for side in std::iter::once(SIDES[0]).chain(smaller) {
        let mut bytes = Vec::new();
        let size = write_gif(stills, side, &mut bytes).map_err(|_| Unfit::Broken)?;
        if bytes.len() <= MAX_LEN {
            return Ok(picture(bytes, "gif", size));
        }
    }
    Err(Unfit::TooLong)
}

fn write_gif(stills: &[Still], side: u32, bytes: &mut Vec<u8>) -> Result<(u32, u32), ImageError> {
    let mut size = (0, 0);
    let mut encoder = GifEncoder::new_with_speed(bytes, GIF_SPEED);
    encoder.set_repeat(Repeat::Infinite)?;
    for still in stills {
        let mut image = scaled(still.image.clone(), side);
        // A GIF's pixel is there or not.
        for pixel in image.pixels_mut() {
            pixel.0[3] = if pixel.0[3] < 128 { 0 } else { 255 };
        }
        size = image.dimensions();
        let delay = if still.delay < LEAST_DELAY {
            USUAL_DELAY
        } else {
            still.delay
        };
        let delay = Delay::from_saturating_duration(delay);
        encoder.encode_frame(Frame::from_parts(image, 0, 0, delay))?;
    }
    Ok(size)
}

fn picture(bytes: Vec<u8>, extension: &str, (width, height): (u32, u32)) -> Picture {
    let hash = Sha256::digest(&bytes);
    Picture {
        file: format!("{}.{extension}", HEXLOWER.encode(&hash[..16])),
        bytes,
        width,
        height,
    }
}

#[cfg(test)]
mod tests;
