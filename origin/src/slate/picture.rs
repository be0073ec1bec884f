//! A host's upload made into the picture of a slate: decoded under limits, scaled, encoded anew. What the file calls itself does not count;
//! what it decodes to does.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, Limits,
    codecs::{jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder},
    error::LimitErrorKind,
    imageops::FilterType,
};

use crate::emotes::Unfit;

/// Longest upload, in bytes.
pub const MAX_UPLOAD_LEN: usize = 2 << 20;

/// Largest size that is kept; no stream shows more of it.
const MAX_WIDTH: u32 = 1920;
const MAX_HEIGHT: u32 = 1080;

/// Longest picture made, in bytes: hosts see it again through a relay, whose answers have a limit (3 MiB).
const MAX_MADE_LEN: usize = (5 << 20) / 2;

/// Largest width and height that are decoded.
const MAX_SIDE: u32 = 4096;

/// Most memory that decoding takes.
const MAX_DECODE_LEN: u64 = 96 << 20;

/// Makes the picture, as PNG.
///
/// # Errors
/// The upload is no picture that is taken.
pub fn make(upload: &[u8]) -> Result<Vec<u8>, Unfit> {
    let picture = decode(upload)?;
    let picture = if picture.width() > MAX_WIDTH || picture.height() > MAX_HEIGHT {
        picture.resize(MAX_WIDTH, MAX_HEIGHT, FilterType::CatmullRom)
    } else {
        picture
    };
    // What shines through is black in a video, and said so here rather than left to an encoder.
    let mut opaque = picture.into_rgba8();
    for pixel in opaque.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0;
        let over_black = |colour: u8| (u16::from(colour) * u16::from(alpha) / 255) as u8;
        pixel.0 = [over_black(red), over_black(green), over_black(blue), u8::MAX];
    }
    let mut picture = DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(opaque).into_rgb8());
    loop {
        let mut bytes = Cursor::new(Vec::new());
        picture
            .write_to(&mut bytes, ImageFormat::Png)
            .map_err(|_| Unfit::Broken)?;
        if bytes.get_ref().len() <= MAX_MADE_LEN {
            return Ok(bytes.into_inner());
        }
        let (width, height) = (picture.width() * 3 / 4, picture.height() * 3 / 4);
        picture = picture.resize(width.max(1), height.max(1), FilterType::Triangle);
    }
}

fn decode(upload: &[u8]) -> Result<DynamicImage, Unfit> {
    let file = Cursor::new(upload);
    match image::guess_format(upload) {
        Ok(ImageFormat::Png) => whole(PngDecoder::with_limits(file, limits())),
        Ok(ImageFormat::Jpeg) => whole(JpegDecoder::new(file)),
        Ok(ImageFormat::WebP) => whole(WebPDecoder::new(file)),
        _ => Err(Unfit::NoSlate),
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
fn whole<D: ImageDecoder>(opened: Result<D, ImageError>) -> Result<DynamicImage, Unfit> {
    let mut decoder = opened.map_err(|error| unfit(&error))?;
    decoder.set_limits(limits()).map_err(|error| unfit(&error))?;
    DynamicImage::from_decoder(decoder).map_err(|error| unfit(&error))
}

fn unfit(error: &ImageError) -> Unfit {
    match error {
        ImageError::Limits(limit) if limit.kind() == LimitErrorKind::DimensionError => Unfit::LargeSlate,
        ImageError::Limits(_) => Unfit::TooManyPixels,
        _ => Unfit::Broken,
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage, load_from_memory};

    use super::*;

    fn upload(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let image = RgbaImage::from_pixel(width, height, Rgba([200, 100, 0, 128]));
        let image = match format {
            ImageFormat::Jpeg => DynamicImage::ImageRgba8(image).into_rgb8().into(),
            _ => DynamicImage::ImageRgba8(image),
        };
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_picture_of_any_kind_becomes_an_opaque_png_that_fits() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let made = make(&upload(2400, 600, format)).unwrap();
            assert_eq!(image::guess_format(&made).unwrap(), ImageFormat::Png);
            let made = load_from_memory(&made).unwrap();
            assert_eq!((made.width(), made.height()), (1920, 480));
            assert!(!made.color().has_alpha());
        }
        let small = load_from_memory(&make(&upload(300, 200, ImageFormat::Png)).unwrap()).unwrap();
        assert_eq!((small.width(), small.height()), (300, 200), "nothing is enlarged");
    }

    #[test]
    fn a_picture_that_is_long_as_png_is_made_smaller() {
        let mut state = 1_u32;
        let noise = image::RgbImage::from_fn(1200, 900, |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [_, red, green, blue] = state.to_le_bytes();
            image::Rgb([red, green, blue])
        });
        let mut bytes = Cursor::new(Vec::new());
        noise.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
        let made = make(bytes.get_ref()).unwrap();
        assert!(made.len() <= MAX_MADE_LEN, "{}", made.len());
        let made = load_from_memory(&made).unwrap();
        assert_eq!((made.width(), made.height()), (900, 675));
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_refused() {
        assert_eq!(make(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), Err(Unfit::NoSlate));
        let gif = upload(16, 16, ImageFormat::Gif);
        assert_eq!(make(&gif), Err(Unfit::NoSlate));
        let large = upload(MAX_SIDE + 1, 1, ImageFormat::Png);
        assert_eq!(make(&large), Err(Unfit::LargeSlate));
        let png = upload(64, 64, ImageFormat::Png);
        assert_eq!(make(&png[..png.len() / 2]), Err(Unfit::Broken));
    }
}
