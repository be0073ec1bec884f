use image::{Rgba, codecs::webp::WebPEncoder};

use super::*;

/// A chequered picture, half of it transparent.
fn chequered(width: u32, height: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| match (x / 8 + y / 8) % 2 {
        0 => Rgba([200, 30, 40, 255]),
        _ => Rgba([0, 255, 0, 0]),
    })
}

fn as_png(image: &RgbaImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_with_encoder(PngEncoder::new(&mut bytes)).unwrap();
    bytes
}

fn as_webp(image: &RgbaImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_with_encoder(WebPEncoder::new_lossless(&mut bytes)).unwrap();
    bytes
}

fn as_gif(images: impl IntoIterator<Item = RgbaImage>, delay_ms: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 30);
    for image in images {
        let delay = Delay::from_numer_denom_ms(delay_ms, 1);
        encoder.encode_frame(Frame::from_parts(image, 0, 0, delay)).unwrap();
    }
    drop(encoder);
    bytes
}

fn frames_of(picture: &Picture) -> Vec<Frame> {
    let decoder = GifDecoder::new(Cursor::new(&picture.bytes)).unwrap();
    decoder.into_frames().collect_frames().unwrap()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_still_picture_becomes_a_small_png_named_by_its_bytes() {
    for upload in [as_png(&chequered(300, 150)), as_webp(&chequered(300, 150))] {
        let picture = make(&upload).unwrap();
        assert_eq!((picture.width, picture.height), (128, 64));
        assert_eq!(image::guess_format(&picture.bytes).unwrap(), ImageFormat::Png);
        let hash = Sha256::digest(&picture.bytes);
        assert_eq!(picture.file, format!("{}.png", HEXLOWER.encode(&hash[..16])));
        assert_eq!(make(&upload).unwrap(), picture);
    }
}

#[test]
fn a_small_picture_is_not_enlarged_and_keeps_its_pixels() {
    let small = chequered(24, 16);
    let picture = make(&as_gif([small.clone()], 0)).unwrap();
    assert_eq!((picture.width, picture.height), (24, 16));
    assert!(picture.file.ends_with(".png"));
    let read = image::load_from_memory(&picture.bytes).unwrap().into_rgba8();
    let seen = |image: &RgbaImage| image.pixels().map(|pixel| pixel.0[3]).collect::<Vec<_>>();
    assert_eq!(seen(&read), seen(&small));
}

#[test]
fn the_colour_of_what_is_transparent_does_not_bleed() {
    let picture = make(&as_png(&chequered(512, 512))).unwrap();
    let read = image::load_from_memory(&picture.bytes).unwrap().into_rgba8();
    let visible = read.pixels().filter(|pixel| pixel.0[3] > 60);
    for Rgba([red, green, blue, _]) in visible {
        assert!(*red > 150 && *green < 70 && *blue < 80, "{red} {green} {blue}");
    }
}

#[test]
fn an_animation_becomes_a_gif_with_its_frames_and_delays() {
    let images = [
        chequered(200, 100),
        RgbaImage::from_pixel(200, 100, Rgba([0, 0, 255, 255])),
    ];
    let picture = make(&as_gif(images, 250)).unwrap();
    assert!(picture.file.ends_with(".gif"));
    assert_eq!((picture.width, picture.height), (128, 64));
    let frames = frames_of(&picture);
    assert_eq!(frames.len(), 2);
    assert_eq!(Duration::from(frames[0].delay()), Duration::from_millis(250));
    assert_eq!(frames[1].buffer().get_pixel(9, 9), &Rgba([0, 0, 255, 255]));
}

#[test]
fn no_delay_is_the_usual_one() {
    let picture = make(&as_gif([chequered(20, 20), chequered(20, 20)], 0)).unwrap();
    assert_eq!(Duration::from(frames_of(&picture)[0].delay()), USUAL_DELAY);
}

/// Pixels that no compression makes small.
fn noise(width: u32, height: u32, seed: u32) -> RgbaImage {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    RgbaImage::from_fn(width, height, |_, _| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let [red, green, blue, _] = state.to_le_bytes();
        Rgba([red, green, blue, 255])
    })
}

#[test]
fn an_animation_that_is_too_long_for_viewers_is_made_smaller() {
    let upload = as_gif((1..=20).map(|seed| noise(128, 128, seed)), 50);
    let picture = make(&upload).unwrap();
    assert!(
        picture.bytes.len() <= MAX_LEN && picture.width < 128,
        "{}",
        picture.width
    );
    assert_eq!(frames_of(&picture).len(), 20);
}

#[test]
fn an_animation_that_no_size_makes_short_is_refused() {
    let stills: Vec<Still> = (1..=MAX_FRAMES as u32)
        .map(|seed| Still {
            image: noise(48, 48, seed),
            delay: Duration::ZERO,
        })
        .collect();
    assert_eq!(gif(&stills), Err(Unfit::TooLong));
}

#[test]
fn an_svg_is_refused_and_told_so() {
    for svg in [
        "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "\u{feff}<?xml version=\"1.0\"?>\n<!-- -->\n<SVG/>",
    ] {
        assert_eq!(make(svg.as_bytes()), Err(Unfit::Svg));
    }
}

#[test]
fn what_is_no_picture_is_refused_whatever_it_is() {
    let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F'];
    for bytes in [
        &b""[..],
        b"hello",
        b"<html><script>",
        &jpeg,
        b"%PDF-1.7",
        b"BM",
        b"\x1f\x8b",
    ] {
        assert_eq!(make(bytes), Err(Unfit::Unknown), "{bytes:?}");
    }
}

#[test]
fn a_picture_that_breaks_off_is_refused() {
    let uploads = [
        as_png(&noise(64, 64, 1)),
        as_webp(&noise(64, 64, 1)),
        as_gif([noise(64, 64, 1), noise(64, 64, 2)], 50),
    ];
    for upload in uploads {
        for part in [2, 3, 10] {
            let cut = upload.len() - upload.len() / part;
            assert_eq!(make(&upload[..cut]), Err(Unfit::Broken), "{part}");
        }
        assert_eq!(make(&upload[..12]), Err(Unfit::Broken));
    }
}

#[test]
fn a_bomb_is_refused_by_its_size_before_it_is_decoded() {
    // 50 000 × 50 000 pixels of one colour: 10 GB, in a few bytes.
    let mut bomb = as_png(&chequered(8, 8));
    bomb[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
    let crc = crc32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(make(&bomb), Err(Unfit::TooLarge));

    let mut gif = as_gif([chequered(8, 8)], 0);
    gif[6..10].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    assert_eq!(make(&gif), Err(Unfit::TooLarge));

    let wide = RgbaImage::new(MAX_SIDE + 1, 1);
    for upload in [as_png(&wide), as_webp(&wide)] {
        assert_eq!(make(&upload), Err(Unfit::TooLarge));
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes
        .iter()
        .fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[test]
fn frames_and_their_pixels_are_counted() {
    let many = as_gif((0..=MAX_FRAMES).map(|_| RgbaImage::new(2, 2)), 50);
    assert_eq!(make(&many), Err(Unfit::TooManyFrames));

    let on_a_large_canvas = (0..20).map(|_| Ok(Frame::new(RgbaImage::new(2, 2))));
    let outcome = frames(Frames::new(Box::new(on_a_large_canvas)), (MAX_SIDE, MAX_SIDE));
    assert_eq!(outcome.err(), Some(Unfit::TooManyPixels));
}

#[test]
fn frames_that_are_larger_than_their_picture_count_as_they_are() {
    let small = as_gif((0..3).map(|_| chequered(8, 8)), 50);
    assert_eq!(gif_frames::pixels(&small), 3 * 64);
    assert_eq!(gif_frames::pixels(&small[..small.len() - 9]), 3 * 64);
    assert_eq!(gif_frames::pixels(&small[..9]), 0);

    let large = as_gif((0..13).map(|_| RgbaImage::new(2000, 2000)), 50);
    let mut upload = large;
    // The picture itself says that it is small.
    upload[6..10].copy_from_slice(&[2, 0, 2, 0]);
    assert_eq!(make(&upload), Err(Unfit::TooManyPixels));
}

#[test]
fn a_frame_that_is_larger_than_its_picture_is_refused() {
    let mut upload = as_gif([chequered(8, 8)], 0);
    let descriptor = upload.iter().rposition(|byte| *byte == b',').unwrap();
    let at = (13..=descriptor).find(|at| upload[*at] == b',' && upload[at + 5..at + 9] == [8, 0, 8, 0]);
    let at = at.unwrap();
    upload[at + 5..at + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    assert!(make(&upload).is_err());
}

#[test]
fn nothing_but_pixels_goes_on() {
    let script = b"<script>alert(1)</script>";
    let mut after = as_gif([chequered(16, 16), noise(16, 16, 3)], 50);
    after.extend_from_slice(script);
    let mut inside = as_png(&chequered(16, 16));
    let mut chunk = b"tEXtComment\0".to_vec();
    chunk.extend_from_slice(script);
    let crc = crc32(&chunk);
    let len = chunk.len() as u32 - 4;
    let chunk = [&len.to_be_bytes()[..], &chunk, &crc.to_be_bytes()].concat();
    inside.splice(33..33, chunk);
    for upload in [after, inside] {
        assert!(contains(&upload, script));
        assert!(!contains(&make(&upload).unwrap().bytes, script));
    }
}
