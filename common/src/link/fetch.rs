//! Answering a relay's fetch from a window.

use bytes::Bytes;

use crate::{
    id::PartId,
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

/// Cuts a fetched segment back into its parts, as `window` lists them; `None` when the sizes do not fit. Each piece is a copy of its
/// own, so that dropping one frees its bytes.
pub fn cut_segment(window: &LiveWindow, request: &FetchRequest, body: &Bytes) -> Option<Vec<(PartId, Bytes)>> {
    let segment = window.kept_segment(request.rendition, request.msn)?;
    let mut rest = body.as_ref();
    let mut pieces = Vec::with_capacity(segment.parts().len());
    for (part, stored) in (0..)
        .zip(segment.parts())
        .filter(|(_, stored)| !stored.record.flags.gap)
    {
        let (piece, behind) = rest.split_at_checked(stored.record.size as usize)?;
        rest = behind;
        let id = PartId {
            rendition: request.rendition,
            msn: request.msn,
            part,
        };
        pieces.push((id, Bytes::copy_from_slice(piece)));
    }
    rest.is_empty().then_some(pieces)
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
