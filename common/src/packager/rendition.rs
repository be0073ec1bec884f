//! Numbers a rendition's parts and writes them out.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{clock::Anchor, part::CutPart, rates::RateMeter};
use crate::{
    cmaf::fragment::{self, FragmentTrack},
    id::{Msn, PartId, RenditionId},
    live::{BitRate, LiveEvent, Part, PartFlags},
};

pub(super) struct Rendition {
    id: RenditionId,
    track: FragmentTrack,
    timescale: u32,
    /// Of the open segment, or the next one.
    msn: Msn,
    /// Of the next part.
    part: u32,
    init_id: Option<u32>,
    sequence_number: u32,
    discontinuity: bool,
    rates: RateMeter,
}

impl Rendition {
    pub(super) fn new(
        id: RenditionId,
        track: FragmentTrack,
        timescale: u32,
        first_msn: Msn,
        declared: BitRate,
    ) -> Self {
        Self {
            id,
            track,
            timescale,
            msn: first_msn,
            part: 0,
            init_id: None,
            sequence_number: 0,
            discontinuity: false,
            rates: RateMeter::new(declared, timescale),
        }
    }

    /// The number after the last segment begun.
    pub(super) fn next_msn(&self) -> Msn {
        if self.part == 0 { self.msn } else { self.msn.next() }
    }

    /// The bit rate as it was announced last.
    pub(super) fn declared(&self) -> BitRate {
        self.rates.declared()
    }

    /// Begins a run of segments with an init segment of its own; every run but the first is a discontinuity.
    pub(super) fn begin(&mut self, body: Bytes, out: &mut VecDeque<LiveEvent>) {
        let init_id = self.init_id.map_or(0, |id| id + 1);
        self.discontinuity = self.init_id.is_some();
        self.init_id = Some(init_id);
        out.push_back(LiveEvent::Init {
            rendition: self.id,
            init_id,
            body,
        });
    }

    pub(super) fn part(&mut self, cut: &CutPart, anchor: Anchor, out: &mut VecDeque<LiveEvent>) {
        self.sequence_number = self.sequence_number.wrapping_add(1);
        let body = fragment::write(self.track, self.sequence_number, cut.dts, &cut.samples)
            .expect("cutters put one sample at least into a part, and no more bytes than a fragment may have");
        let duration = cut.duration();
        self.rates.part(body.len(), duration);
        let at_ms = u128::from(cut.dts) * 1000 / u128::from(self.timescale);
        out.push_back(LiveEvent::Part(Part {
            id: PartId {
                rendition: self.id,
                msn: self.msn,
                part: self.part,
            },
            init_id: self.init_id.unwrap_or(0),
            dts: cut.dts,
            // A part is shorter than a segment.
            duration: u32::try_from(duration).unwrap_or(u32::MAX),
            program_date_time: anchor.unix_at(i64::try_from(at_ms).unwrap_or(i64::MAX)),
            flags: PartFlags {
                independent: cut.samples.first().is_some_and(|s| s.sync),
                last: cut.last,
                discontinuity: self.part == 0 && self.discontinuity,
                gap: false,
            },
            body,
        }));
        self.part += 1;
        if cut.last {
            self.next_segment(out);
        }
    }

    /// A part that was lost, in ticks. Only after [`Self::begin`].
    pub(super) fn gap(&mut self, dts: u64, duration: u64, last: bool, anchor: Anchor, out: &mut VecDeque<LiveEvent>) {
        let at_ms = u128::from(dts) * 1000 / u128::from(self.timescale);
        out.push_back(LiveEvent::Part(Part {
            id: PartId {
                rendition: self.id,
                msn: self.msn,
                part: self.part,
            },
            init_id: self.init_id.unwrap_or(0),
            dts,
            duration: u32::try_from(duration).unwrap_or(u32::MAX),
            program_date_time: anchor.unix_at(i64::try_from(at_ms).unwrap_or(i64::MAX)),
            flags: PartFlags {
                independent: false,
                last,
                discontinuity: self.part == 0 && self.discontinuity,
                gap: true,
            },
            body: Bytes::new(),
        }));
        self.part += 1;
        if last {
            self.next_segment(out);
        }
    }

    /// Ends the open segment, whose newest part did not say that it is the last.
    pub(super) fn segment_end(&mut self, out: &mut VecDeque<LiveEvent>) {
        if self.part > 0 {
            out.push_back(LiveEvent::SegmentEnd {
                rendition: self.id,
                msn: self.msn,
            });
            self.next_segment(out);
        }
    }

    fn next_segment(&mut self, out: &mut VecDeque<LiveEvent>) {
        self.msn = self.msn.next();
        self.part = 0;
        self.discontinuity = false;
        if let Some(bit_rate) = self.rates.segment_end() {
            out.push_back(LiveEvent::BitRate {
                rendition: self.id,
                bit_rate,
            });
        }
    }
}
