//! The numbers of our playlists, all in one place. TD stands for the target duration, PT for the part target.

use std::time::Duration;

/// HOLD-BACK in TD; bis section 4.4.3.8 asks for 3 at least.
pub const HOLD_BACK_TARGETS: u32 = 3;
/// PART-HOLD-BACK in PT; bis asks for 2 at least, Apple for 3.
pub const PART_HOLD_BACK_PARTS: u32 = 3;
/// CAN-SKIP-UNTIL in TD; bis asks for 6 at least.
pub const SKIP_TARGETS: u32 = 6;
/// Parts are listed for segments that begin within so many TD of the playlist's end (bis section 4.4.4.9).
pub const PARTS_LISTED_TARGETS: u32 = 3;
/// A blocked request is answered after so many TD (bis section 6.2.5.2).
pub const BLOCK_TARGETS: u32 = 3;
/// Media before the first playlist is given out, in PT: where a player starts, and one part for it to play.
pub const READY_PARTS: u32 = PART_HOLD_BACK_PARTS + 1;

/// EXT-X-SKIP needs 9 (bis section 8), and EXT-X-MAP 6. Delta updates are offered, so that each text of a playlist says 9.
pub const VERSION: u64 = if OFFERS_SKIP { 9 } else { 6 };
const OFFERS_SKIP: bool = SKIP_TARGETS > 0;

/// How many parts past the last listed one a request may ask for (bis section 6.2.5.2).
pub fn advance_part_limit(part_target_ms: u32) -> u32 {
    if part_target_ms < 1000 {
        3000_u32.div_ceil(part_target_ms.max(1))
    } else {
        3
    }
}

/// After this a blocked request is answered without what it asked for.
pub fn longest_block(target_duration_s: u32) -> Duration {
    Duration::from_secs(u64::from(target_duration_s) * u64::from(BLOCK_TARGETS))
}
