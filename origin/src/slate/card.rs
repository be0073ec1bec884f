//! The card of ours, drawn anew wherever it is needed: a circle that is not closed yet, and no words, so that everybody reads it.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;

/// Of the ring's middle line, in pixels.
const RADIUS: f32 = 130.0;
const THICKNESS: f32 = 22.0;
/// Half the opening at the ring's upper right, in radians.
const HALF_GAP: f32 = 0.42;
/// Of each of the three dots that stand for waiting.
const DOT_RADIUS: f32 = 17.0;
const DOT_SPACING: f32 = 64.0;

const BACKGROUND: [f32; 3] = [16.0, 18.0, 28.0];
const GLOW: [f32; 3] = [38.0, 42.0, 66.0];
const RING: [f32; 3] = [236.0, 238.0, 246.0];
const DOT: [f32; 3] = [124.0, 140.0, 248.0];

/// The card as PNG.
pub(super) fn draw() -> Vec<u8> {
    let image = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        // From the middle of the card to that of the pixel.
        let (x, y) = (
            x as f32 + 0.5 - WIDTH as f32 / 2.0,
            y as f32 + 0.5 - HEIGHT as f32 / 2.0,
        );
        let from_middle = x.hypot(y);
        let lit = 1.0 - (from_middle / (WIDTH as f32 / 2.0)).min(1.0);
        let colour = mixed(BACKGROUND, GLOW, lit * lit);
        let colour = mixed(colour, RING, ring(x, y, from_middle));
        Rgb(mixed(colour, DOT, dots(x, y)).map(|value| value.round() as u8))
    });
    let mut png = Cursor::new(Vec::new());
    image
        .write_to(&mut png, ImageFormat::Png)
        .expect("a small picture in memory can be written");
    png.into_inner()
}

fn mixed(below: [f32; 3], above: [f32; 3], share: f32) -> [f32; 3] {
    std::array::from_fn(|index| below[index] + (above[index] - below[index]) * share)
}

/// How much of the pixel the ring covers: its edges are one pixel soft.
fn ring(x: f32, y: f32, from_middle: f32) -> f32 {
    let opening = std::f32::consts::FRAC_PI_4;
    let turned = (-y).atan2(x) - opening;
    let off_gap = (turned.abs() - HALF_GAP) * from_middle;
    let across = THICKNESS / 2.0 - (from_middle - RADIUS).abs();
    covered(across).min(covered(off_gap))
}

fn dots(x: f32, y: f32) -> f32 {
    let distances = [-1.0, 0.0, 1.0].map(|place: f32| (x - place * DOT_SPACING).hypot(y));
    let nearest = distances.into_iter().fold(f32::MAX, f32::min);
    covered(DOT_RADIUS - nearest)
}

/// Coverage by the distance to the edge, positive inside.
fn covered(inside: f32) -> f32 {
    (inside + 0.5).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_card_has_an_open_ring_on_a_dark_ground() {
        let card = image::load_from_memory(&draw()).unwrap().into_rgb8();
        let (middle_x, middle_y, radius) = (WIDTH / 2, HEIGHT / 2, RADIUS as u32);
        let light = |x, y| card.get_pixel(x, y).0.iter().all(|&value| value > 200);
        assert!(light(middle_x - radius, middle_y), "the ring");
        let diagonal = (RADIUS * std::f32::consts::FRAC_1_SQRT_2) as u32;
        assert!(!light(middle_x + diagonal, middle_y - diagonal), "its opening");
        assert!(card.get_pixel(5, 5).0.iter().all(|&value| value < 40), "the ground");
    }
}
