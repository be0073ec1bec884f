//! Parts of a window as they go to a relay: header, kind, and which of the past a new subscriber is given.

use super::{follow::News, in_flight::Kind};
use crate::{
    id::{ChannelId, PartId},
    link::priority,
    live::{
        Part, RenditionFormat,
        window::{LiveWindow, PartRecord},
    },
    wire::media::{PartHeader, PartOutline},
};

/// The bodies that a player who joins now asks for first: the open segments, then the newest complete ones.
pub(super) fn back_fill(channel: &ChannelId, window: &LiveWindow, budget: usize, news: &mut Vec<News>) {
    let mut left = budget;
    let newest = |complete: bool| {
        window.description().rendition_ids().rev().filter_map(move |rendition| {
            let segment = window
                .segments(rendition)
                .rev()
                .find(|segment| segment.is_complete() == complete)?;
            Some((rendition, segment))
        })
    };
    for (rendition, segment) in newest(false).chain(newest(true)) {
        for (number, stored) in (0..).zip(segment.parts()) {
            let Some(body) = &stored.body else { continue };
            let Some(rest) = left.checked_sub(body.len()) else {
                return;
            };
            left = rest;
            let PartRecord {
                dts,
                duration,
                program_date_time,
                flags,
                ..
            } = stored.record;
            let part = Part {
                id: PartId {
                    rendition,
                    msn: segment.msn(),
                    part: number,
                },
                init_id: segment.init_id(),
                dts,
                duration,
                program_date_time,
                flags,
                body: body.clone(),
            };
            news.push(part_news(channel.clone(), window, part, Some(Kind::BackFill)));
        }
    }
}

pub(super) fn part_news(channel: ChannelId, window: &LiveWindow, part: Part, kind: Option<Kind>) -> News {
    let Part {
        id,
        init_id,
        dts,
        duration,
        program_date_time,
        flags,
        body,
    } = part;
    // A window refuses longer ones than the wire's cap, which is far below.
    let size = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let live_kind = || match window
        .description()
        .rendition(id.rendition)
        .map(|rendition| &rendition.format)
    {
        Some(RenditionFormat::Audio { .. }) => Kind::Audio,
        _ => Kind::Video,
    };
    News::Part {
        header: PartHeader {
            channel,
            epoch: window.epoch(),
            id,
            init_id,
            dts,
            duration,
            program_date_time,
            flags,
            body_len: size,
        },
        body,
        outline: PartOutline {
            init_id,
            record: PartRecord {
                dts,
                duration,
                program_date_time,
                flags,
                size,
            },
        },
        kind: kind.unwrap_or_else(live_kind),
        target_duration_s: window.description().target_duration_s,
    }
}

impl Kind {
    /// Of the part's stream.
    pub(super) fn priority(self) -> i32 {
        match self {
            Self::BackFill => priority::BACK_FILL,
            Self::Video => priority::VIDEO,
            Self::Audio => priority::AUDIO,
        }
    }
}
