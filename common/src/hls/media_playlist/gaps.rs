//! The GAP segments in front of an epoch's first one, without which players would wait until there are enough real ones.

use super::{Before, Playlist};
use crate::hls::{text::Text, uri::MediaPath};

impl Playlist<'_> {
    /// Those that are still listed, but for the first `left_out`.
    pub(super) fn gap_segments(&self, text: &mut Text, left_out: &mut u64, before: &mut Before) {
        for msn in self.gaps.clone() {
            let is_near_end = self.is_near_end(before);
            before.to_end -= self.target_ticks;
            before.is_first_listed = false;
            if *left_out > 0 {
                *left_out -= 1;
                continue;
            }
            if msn + 1 == self.gaps.end && is_near_end && self.description.opens_early {
                self.gap_parts(text);
            }
            text.push("#EXTINF:")
                .seconds(self.target_ticks, self.timescale)
                .push(",\n#EXT-X-GAP\n");
            self.uri(text, MediaPath::Gap);
            text.push("\n");
        }
    }

    /// The parts of the last one: hls.js 1.7.3 takes parts of an open segment only behind parts of another (`shouldLoadParts`), and a page
    /// would show nothing before the first group of pictures is over.
    fn gap_parts(&self, text: &mut Text) {
        let part_ticks = u64::from(self.description.part_target_ms) * u64::from(self.timescale) / 1000;
        let count = self.target_ticks.div_ceil(part_ticks.max(1));
        let end = |part: u64| self.target_ticks * part / count;
        for part in 0..count {
            text.push("#EXT-X-PART:DURATION=")
                .seconds(end(part + 1) - end(part), self.timescale)
                .push(",URI=\"");
            self.uri(text, MediaPath::Gap);
            text.push("\",GAP=YES\n");
        }
    }
}
