//! Answering a relay's fetch from a window.

use bytes::Bytes;

use crate::{
    live::{
        segment::Segment,
        window::{LiveWindow, SegmentLookup},
    },
    wire::{
        codec::MAX_PART,
        media::PartOutline,
        request::{FetchReply, FetchRequest},
    },
};

/// Head of the answer, and the body behind it in pieces. `window` is that of the epoch asked for.
///
/// A whole segment is given when it is complete and all here; a part as soon as it is here.
pub fn answer(window: &LiveWindow, request: &FetchRequest) -> (FetchReply, Vec<Bytes>) {
    let found = match request.part {
        Some(part) => window
            .kept_segment(request.rendition, request.msn)
            .and_then(|segment| one_part(segment, part)),
        None => match window.segment(request.rendition, request.msn) {
            SegmentLookup::Here(rope) => Some((rope, None)),
            _ => None,
        },
    };
    let Some((rope, part)) = found.filter(|_| request.epoch == window.epoch()) else {
        return (FetchReply::Gone, Vec::new());
    };
    let len: usize = rope.iter().map(Bytes::len).sum();
    match u32::try_from(len) {
        Ok(body_len) if len <= MAX_PART => (FetchReply::Found { body_len, part }, rope),
        _ => (FetchReply::Gone, Vec::new()),
    }
}

fn one_part(segment: &Segment, part: u32) -> Option<(Vec<Bytes>, Option<PartOutline>)> {
    let stored = segment.parts().get(part as usize)?;
    let body = stored.body.clone()?;
    Some((
        vec![body],
        Some(PartOutline {
            init_id: segment.init_id(),
            record: stored.record,
        }),
    ))
}
