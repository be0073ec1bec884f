//! The text of a media playlist, from a window as it stands. The same window gives the same bytes on every machine.

use crate::{
    hls::{
        profile::{HOLD_BACK_TARGETS, PART_HOLD_BACK_PARTS, PARTS_LISTED_TARGETS, READY_PARTS, SKIP_TARGETS, VERSION},
        text::Text,
        uri::{self, MediaPath},
    },
    id::{Msn, PartId, RenditionId},
    live::{
        EpochDescription,
        segment::{Segment, StoredPart},
        window::LiveWindow,
    },
    media::access_unit::TrackId,
};

pub use super::directives::Skip;

mod gaps;

/// Room for a playlist of 30 segments with parts near its end.
const CAPACITY: usize = 6 * 1024;
/// The one rendition of a rung.
pub const RUNG_PICTURE: RenditionId = RenditionId(0);

/// Whether the epoch has enough media to give its playlists out: hls.js starts at once with [`READY_PARTS`] parts behind the GAP
/// segments, and retries after a second with less. All init segments that are listed must be here.
pub fn ready(window: &LiveWindow) -> bool {
    let description = window.description();
    let needed_ms = u64::from(description.part_target_ms) * u64::from(READY_PARTS);
    description
        .rendition_ids()
        .zip(&description.renditions)
        .all(|(id, rendition)| {
            let ticks: u64 = window.segments(id).map(Segment::duration).sum();
            let enough = ticks.saturating_mul(1000) >= needed_ms * u64::from(rendition.timescale);
            let startable = enough || (window.ended() && ticks > 0);
            startable
                && window
                    .segments(id)
                    .all(|segment| window.init(id, segment.init_id()).is_some())
        })
}

/// The rendition's media playlist; empty when there is no such rendition. With [`Skip::Yes`] a delta update, if that leaves
/// anything out.
pub fn render(window: &LiveWindow, rendition: RenditionId, skip: Skip) -> String {
    Playlist::new(window, rendition, String::new()).map_or_else(String::new, |playlist| playlist.render(skip))
}

/// Whether a rung's epoch has something to play: its first part, with all that is listed before it. Players come to it from another
/// quality, so it need not be enough to start with.
pub fn rung_ready(window: &LiveWindow) -> bool {
    window.segments(RUNG_PICTURE).next().is_some()
        && window
            .segments(RUNG_PICTURE)
            .all(|segment| window.init(RUNG_PICTURE, segment.init_id()).is_some())
}

/// The media playlist of a rung, as it stands in the folder of its parent.
pub fn render_rung(window: &LiveWindow, skip: Skip) -> String {
    let way_back = uri::sibling_folder(window.epoch());
    Playlist::new(window, RUNG_PICTURE, way_back).map_or_else(String::new, |playlist| playlist.render(skip))
}

struct Playlist<'a> {
    window: &'a LiveWindow,
    /// From the folder where the text stands to that of the media.
    way_back: String,
    description: &'a EpochDescription,
    rendition: RenditionId,
    track: TrackId,
    timescale: u32,
    target_ticks: u64,
    /// Of all that is listed, GAP segments included.
    duration: u64,
    /// Numbers of the listed GAP segments in front.
    gaps: std::ops::Range<u64>,
}

/// What stands before a segment depends on the one before it.
struct Before {
    init_id: Option<u32>,
    discontinuity_number: u64,
    /// Ticks from the playlist's end to the segment's start.
    to_end: u64,
    is_first_listed: bool,
}

impl<'a> Playlist<'a> {
    fn new(window: &'a LiveWindow, rendition: RenditionId, way_back: String) -> Option<Self> {
        let description = window.description().as_ref();
        let described = description.rendition(rendition)?;
        let timescale = described.timescale;
        let target_ticks = u64::from(description.target_duration_s) * u64::from(timescale);
        let first = description.first_msn.0;
        let gaps = window
            .first_listed_gap(rendition)
            .map_or(first..first, |gap| gap.0..first);
        let media: u64 = window.segments(rendition).map(Segment::duration).sum();
        Some(Self {
            window,
            way_back,
            description,
            rendition,
            track: described.format.track(),
            timescale,
            target_ticks,
            duration: media + (gaps.end - gaps.start) * target_ticks,
            gaps,
        })
    }

    fn render(&self, skip: Skip) -> String {
        let mut text = Text::with_capacity(CAPACITY);
        self.header(&mut text);
        let skipped = match skip {
            Skip::Yes if !self.window.ended() => self.skippable(),
            _ => 0,
        };
        if skipped > 0 {
            text.push("#EXT-X-SKIP:SKIPPED-SEGMENTS=").number(skipped).push("\n");
        }
        self.segments(&mut text, skipped);
        if self.window.ended() {
            text.push("#EXT-X-ENDLIST\n");
        } else {
            self.preload_hint(&mut text);
            self.rendition_reports(&mut text);
        }
        text.finish()
    }

    fn header(&self, text: &mut Text) {
        let target = u64::from(self.description.target_duration_s);
        let part_target = u64::from(self.description.part_target_ms);
        text.push("#EXTM3U\n#EXT-X-VERSION:").number(VERSION);
        text.push("\n#EXT-X-TARGETDURATION:").number(target);
        text.push("\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=");
        text.fixed(part_target * u64::from(PART_HOLD_BACK_PARTS), 3);
        text.push(",HOLD-BACK=").number(target * u64::from(HOLD_BACK_TARGETS));
        text.push(",CAN-SKIP-UNTIL=").number(target * u64::from(SKIP_TARGETS));
        text.push("\n#EXT-X-PART-INF:PART-TARGET=").fixed(part_target, 3);
        text.push("\n#EXT-X-MEDIA-SEQUENCE:").number(self.first_msn().0);
        text.push("\n#EXT-X-DISCONTINUITY-SEQUENCE:")
            .number(self.first_discontinuity_number());
        text.push("\n");
        if self.has_independent_segments() {
            text.push("#EXT-X-INDEPENDENT-SEGMENTS\n");
        }
    }

    /// Number of the first listed segment, GAP or real.
    fn first_msn(&self) -> Msn {
        if !self.gaps.is_empty() {
            return Msn(self.gaps.start);
        }
        let first = self.window.segments(self.rendition).next();
        first.map_or(self.description.first_msn, Segment::msn)
    }

    fn first_discontinuity_number(&self) -> u64 {
        let first = self.window.segments(self.rendition).next();
        first
            .filter(|_| self.gaps.is_empty())
            .map_or(self.description.discontinuities(), Segment::discontinuity_number)
    }

    /// The file's address as it is seen from the text's.
    fn uri(&self, text: &mut Text, file: MediaPath) {
        text.push(&self.way_back);
        file.write_to(text);
    }

    /// The tag must be true of all that is listed; of lost media it says nothing.
    fn has_independent_segments(&self) -> bool {
        let starts = self
            .window
            .segments(self.rendition)
            .filter_map(|segment| segment.parts().first());
        starts
            .map(|part| part.record.flags)
            .all(|flags| flags.independent || flags.gap)
    }

    /// How many listed segments end farther from the playlist's end than CAN-SKIP-UNTIL.
    fn skippable(&self) -> u64 {
        let boundary = self.target_ticks * u64::from(SKIP_TARGETS);
        let gaps = self.gaps.clone().map(|_| self.target_ticks);
        let durations = gaps.chain(self.window.segments(self.rendition).map(Segment::duration));
        let mut to_end = self.duration;
        let mut skipped = 0;
        for duration in durations {
            to_end -= duration;
            if to_end <= boundary {
                break;
            }
            skipped += 1;
        }
        skipped
    }

    fn segments(&self, text: &mut Text, skipped: u64) {
        let mut before = Before {
            init_id: None,
            discontinuity_number: self.first_discontinuity_number(),
            to_end: self.duration,
            is_first_listed: true,
        };
        let mut left_out = skipped;
        // GAP segments need a MAP too: theirs is that of the first real one.
        let first = self.window.segments(self.rendition).next();
        if let Some(first) = first.filter(|_| skipped < self.gaps.end - self.gaps.start) {
            self.map(text, first.init_id(), &mut before);
        }
        self.gap_segments(text, &mut left_out, &mut before);
        for segment in self.window.segments(self.rendition) {
            if left_out > 0 {
                left_out -= 1;
                before.discontinuity_number = segment.discontinuity_number();
            } else {
                self.segment(text, segment, &mut before);
            }
            before.to_end -= segment.duration();
            before.is_first_listed = false;
        }
    }

    /// A segment's tags stand before its first part, not only before its EXTINF (bis section 4.4.4).
    fn segment(&self, text: &mut Text, segment: &Segment, before: &mut Before) {
        let number = segment.discontinuity_number();
        // The header counts the mark of the first listed segment; hls.js gets stuck on a tag there.
        if number != before.discontinuity_number && !before.is_first_listed {
            text.push("#EXT-X-DISCONTINUITY\n");
        }
        before.discontinuity_number = number;
        if before.init_id != Some(segment.init_id()) {
            self.map(text, segment.init_id(), before);
        }
        text.push("#EXT-X-PROGRAM-DATE-TIME:");
        segment.program_date_time().write_rfc3339(text.buffer());
        text.push("\n");
        if self.is_near_end(before) || !segment.is_complete() {
            for (part, number) in segment.parts().iter().zip(0..) {
                let id = PartId {
                    rendition: self.rendition,
                    msn: segment.msn(),
                    part: number,
                };
                self.part(text, id, part);
            }
        }
        if !segment.is_complete() {
            return;
        }
        text.push("#EXTINF:")
            .seconds(segment.duration(), self.timescale)
            .push(",\n");
        if segment.has_gap() {
            text.push("#EXT-X-GAP\n");
        }
        let file = MediaPath::Segment {
            track: self.track,
            msn: segment.msn(),
        };
        self.uri(text, file);
        text.push("\n");
    }

    /// Whether parts are listed of the segment that starts here.
    fn is_near_end(&self, before: &Before) -> bool {
        before.to_end <= self.target_ticks * u64::from(PARTS_LISTED_TARGETS)
    }

    fn map(&self, text: &mut Text, init_id: u32, before: &mut Before) {
        before.init_id = Some(init_id);
        text.push("#EXT-X-MAP:URI=\"");
        let file = MediaPath::Init {
            track: self.track,
            init_id,
        };
        self.uri(text, file);
        text.push("\"\n");
    }

    fn part(&self, text: &mut Text, id: PartId, part: &StoredPart) {
        text.push("#EXT-X-PART:DURATION=")
            .seconds(u64::from(part.record.duration), self.timescale);
        text.push(",URI=\"");
        let file = MediaPath::Part {
            track: self.track,
            msn: id.msn,
            part: id.part,
        };
        self.uri(text, file);
        text.push("\"");
        if part.record.flags.independent {
            text.push(",INDEPENDENT=YES");
        }
        if part.record.flags.gap {
            text.push(",GAP=YES");
        }
        text.push("\n");
    }

    /// The part that comes next. If its segment turns out to have ended, the player cancels the request.
    fn preload_hint(&self, text: &mut Text) {
        let (msn, part) = self.window.next(self.rendition);
        text.push("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"");
        let file = MediaPath::Part {
            track: self.track,
            msn,
            part,
        };
        self.uri(text, file);
        text.push("\"\n");
    }

    fn rendition_reports(&self, text: &mut Text) {
        let others = self.description.rendition_ids().zip(&self.description.renditions);
        for (id, rendition) in others.filter(|&(id, _)| id != self.rendition) {
            let Some(newest) = self.window.segments(id).next_back() else {
                continue;
            };
            text.push("#EXT-X-RENDITION-REPORT:URI=\"")
                .push(&uri::playlist(rendition.format.track()));
            text.push("\",LAST-MSN=").number(newest.msn().0);
            let last_part = u64::try_from(newest.parts().len())
                .unwrap_or(u64::MAX)
                .saturating_sub(1);
            text.push(",LAST-PART=").number(last_part).push("\n");
        }
    }
}

#[cfg(test)]
#[path = "media_playlist_tests.rs"]
mod tests;
