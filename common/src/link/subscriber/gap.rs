//! What stands in the place of a part that was lost: exact where its outline was told, else fitted between its neighbours.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::{
    id::{Epoch, PartId, RenditionId},
    live::{
        Part, PartFlags,
        segment::ticks_to_duration,
        window::{PartRecord, Segment, WindowRecords},
    },
    time::UnixMillis,
    wire::media::PartOutline,
};

/// Where the part before a gap ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Neighbour {
    init_id: u32,
    /// Decode time behind its last sample, ticks.
    end_dts: u64,
    end_date_time: UnixMillis,
}

impl Neighbour {
    pub(super) fn after(part: &Part, timescale: u32) -> Self {
        Self::behind(part.init_id, part.dts, part.duration, part.program_date_time, timescale)
    }

    /// Behind the newest part of a segment.
    pub(super) fn at_the_end_of(segment: &Segment, timescale: u32) -> Option<Self> {
        let record = segment.parts().last()?.record;
        Some(Self::behind(
            segment.init_id(),
            record.dts,
            record.duration,
            record.program_date_time,
            timescale,
        ))
    }

    fn behind(init_id: u32, dts: u64, duration: u32, starts_at: UnixMillis, timescale: u32) -> Self {
        let length = ticks_to_duration(u64::from(duration), timescale);
        let length_ms = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        Self {
            init_id,
            end_dts: dts.saturating_add(u64::from(duration)),
            end_date_time: UnixMillis(starts_at.0.saturating_add(length_ms)),
        }
    }

    /// Outline of the first of `lost` parts that lie between two known ones, all of the same length; `usual` ticks long where
    /// nothing lies behind them. `None` where there is nothing to go by.
    pub(super) fn outline_between(
        before: Option<Self>,
        behind: Option<&Part>,
        lost: usize,
        usual: u32,
    ) -> Option<PartOutline> {
        let lost = u64::try_from(lost).unwrap_or(u64::MAX).max(1);
        let usual = usual.max(1);
        let (init_id, dts, program_date_time) = match (before, behind) {
            (Some(before), _) => (before.init_id, before.end_dts, before.end_date_time),
            (None, Some(behind)) => {
                let span = lost.saturating_mul(u64::from(usual));
                (
                    behind.init_id,
                    behind.dts.saturating_sub(span),
                    behind.program_date_time,
                )
            }
            (None, None) => return None,
        };
        let fitted = behind.map(|behind| behind.dts.saturating_sub(dts) / lost);
        let duration = fitted
            .and_then(|ticks| u32::try_from(ticks).ok())
            .filter(|&ticks| ticks > 0)
            .unwrap_or(usual);
        let record = PartRecord {
            dts,
            duration,
            program_date_time,
            flags: PartFlags::default(),
            size: 0,
        };
        Some(PartOutline { init_id, record })
    }
}

/// Most gaps that are remembered; far more than a window lists.
const MAX_GAPS: usize = 4096;

/// The gaps that this relay listed in an epoch: they stay gaps, also when a new window comes from upstream.
#[derive(Debug)]
pub(super) struct Gaps {
    epoch: Epoch,
    parts: BTreeSet<PartId>,
}

impl Gaps {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            parts: BTreeSet::new(),
        }
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn insert(&mut self, id: PartId) {
        self.parts.insert(id);
        if self.parts.len() > MAX_GAPS {
            self.parts.pop_first();
        }
    }

    /// Makes gaps of what was listed as such.
    pub(super) fn mark(&self, records: &mut WindowRecords) {
        for (rendition, segments) in (0..).map(RenditionId).zip(&mut records.renditions) {
            for segment in segments {
                for (part, record) in (0..).zip(&mut segment.parts) {
                    if self.parts.contains(&PartId {
                        rendition,
                        msn: segment.msn,
                        part,
                    }) {
                        record.flags = PartFlags {
                            gap: true,
                            independent: false,
                            ..record.flags
                        };
                        record.size = 0;
                    }
                }
            }
        }
    }
}

/// The part that is listed as a gap.
pub(super) fn gap_part(id: PartId, outline: PartOutline, is_last: bool) -> Part {
    let PartOutline { init_id, record } = outline;
    Part {
        id,
        init_id,
        dts: record.dts,
        duration: record.duration.max(1),
        program_date_time: record.program_date_time,
        flags: PartFlags {
            independent: false,
            last: record.flags.last || is_last,
            discontinuity: record.flags.discontinuity && id.part == 0,
            gap: true,
        },
        body: Bytes::new(),
    }
}
