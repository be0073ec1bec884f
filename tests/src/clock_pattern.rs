//! The time drawn into a picture as black and white blocks, so that what a page shows says when it was made.
//!
//! [`BITS`] blocks along the top edge hold the low bits of the Unix time in milliseconds, highest first; one more block holds their
//! parity. The blocks are large enough to survive any encoder.

use std::time::{SystemTime, UNIX_EPOCH};

/// Bits of time: 2^24 ms come round every 4.6 hours.
pub const BITS: usize = 24;
/// Height of the row of blocks, pixels.
pub const ROW: usize = 40;

const WHITE: u8 = 235;
const BLACK: u8 = 16;
const GREY: u8 = 96;

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

/// A grey picture, 8 bits a pixel.
#[derive(Debug)]
pub struct Canvas {
    width: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            pixels: vec![GREY; width * height],
        }
    }

    /// Draws `time_ms` and, below, a bar that moves with `number`; gives the whole picture.
    pub fn paint(&mut self, time_ms: u64, number: u32) -> &[u8] {
        let width = self.width;
        let block = width / (BITS + 1);
        let bits = time_ms & ((1 << BITS) - 1);
        let parity = u64::from(bits.count_ones() & 1);
        for (index, row) in self.pixels.chunks_exact_mut(width).enumerate() {
            if index < ROW {
                for (position, pixels) in row.chunks_mut(block).enumerate().take(BITS + 1) {
                    let bit = if position < BITS {
                        bits >> (BITS - 1 - position) & 1
                    } else {
                        parity
                    };
                    pixels.fill(if bit == 1 { WHITE } else { BLACK });
                }
            } else {
                row.fill(GREY);
                let start = number as usize * 4 % width;
                row[start..(start + 32).min(width)].fill(WHITE);
            }
        }
        &self.pixels
    }
}

/// JavaScript: samples what the page's video shows, `every` milliseconds apart at least, into `window.__glass`:
/// `{latencies: [ms], bad: n, firstFrameAt: ms}`.
pub fn sampler(every_ms: u32) -> String {
    format!(
        r"
        const video = document.querySelector('video');
        const canvas = document.createElement('canvas');
        const glass = window.__glass = {{ latencies: [], bad: 0 }};
        let last = 0;
        const look = () => {{
            const now = Date.now();
            if (now - last >= {every_ms} && video.videoWidth) {{
                last = now;
                const block = Math.floor(video.videoWidth / {blocks});
                canvas.width = video.videoWidth; canvas.height = {ROW};
                const context = canvas.getContext('2d', {{ willReadFrequently: true }});
                context.drawImage(video, 0, 0, video.videoWidth, {ROW}, 0, 0, video.videoWidth, {ROW});
                const pixels = context.getImageData(0, {ROW} / 2, video.videoWidth, 1).data;
                let bits = 0, ones = 0;
                for (let i = 0; i < {BITS}; i++) {{
                    const bit = pixels[4 * (i * block + (block >> 1))] > 125 ? 1 : 0;
                    bits = bits * 2 + bit; ones += bit;
                }}
                const parity = pixels[4 * ({BITS} * block + (block >> 1))] > 125 ? 1 : 0;
                const latency = ((now % {modulus}) - bits + {modulus}) % {modulus};
                if ((ones & 1) === parity && latency < 120000) glass.latencies.push(latency); else glass.bad++;
            }}
            video.requestVideoFrameCallback(look);
        }};
        video.requestVideoFrameCallback(look);
        ",
        blocks = BITS + 1,
        modulus = 1u64 << BITS,
    )
}
