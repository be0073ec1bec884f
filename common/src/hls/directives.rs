//! Delivery directives (bis section 6.2.5): what a player's `_HLS_` query asks of a media playlist, and whether that can be answered.
//!
//! Who holds a request asks [`answer`] anew after each change of the window, gives up after [`super::profile::longest_block`], and
//! renders once for all requests that wait for the same.

use crate::{
    hls::profile,
    id::{Msn, RenditionId},
    live::window::LiveWindow,
};

/// What the query asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Directives {
    /// `_HLS_msn` and `_HLS_part`.
    pub position: Option<(Msn, Option<u32>)>,
    /// `_HLS_skip`.
    pub skip: Skip,
}

/// Whether older segments may be left out of a playlist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Skip {
    #[default]
    No,
    Yes,
}

/// The query is malformed: 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectiveError {
    #[error("{0} is given more than once")]
    Repeated(&'static str),
    #[error("{0} is not a decimal number")]
    NotANumber(&'static str),
    #[error("_HLS_part is given without _HLS_msn")]
    PartWithoutMsn,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Render as the window stands.
    Now(Skip),
    /// Hold the request until the window has changed, then ask again.
    Wait(WaitFor),
    /// 400.
    Refuse(RefuseReason),
}

/// What a held request waits for. Requests that wait for the same, with the same [`Skip`], get the same text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WaitFor {
    pub msn: Msn,
    /// `None`: the whole segment.
    pub part: Option<u32>,
    pub skip: Skip,
}

/// Why a well-formed request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefuseReason {
    #[error("the requested segment is too far in the future")]
    SegmentTooFar,
    #[error("the requested part is too far in the future")]
    PartTooFar,
}

const MSN: &str = "_HLS_msn";
const PART: &str = "_HLS_part";
const SKIP: &str = "_HLS_skip";

/// Reads a query. Parameters that are not ours, and `_HLS_` names that we do not know, are passed over.
pub fn parse(query: Option<&str>) -> Result<Directives, DirectiveError> {
    let (mut msn, mut part, mut skip) = (None, None, None);
    for parameter in query.unwrap_or_default().split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let (slot, name) = match name {
            MSN => (&mut msn, MSN),
            PART => (&mut part, PART),
            SKIP => (&mut skip, SKIP),
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(DirectiveError::Repeated(name));
        }
    }
    let msn = msn.map(|text| number(text, MSN)).transpose()?;
    let part = part.map(|text| number(text, PART)).transpose()?;
    if part.is_some() && msn.is_none() {
        return Err(DirectiveError::PartWithoutMsn);
    }
    // A part's number beyond u32 is as far away as any.
    let part = part.map(|part| u32::try_from(part).unwrap_or(u32::MAX));
    Ok(Directives {
        position: msn.map(|msn| (Msn(msn), part)),
        skip: if matches!(skip, Some("YES" | "v2")) {
            Skip::Yes
        } else {
            Skip::No
        },
    })
}

fn number(text: &str, name: &'static str) -> Result<u64, DirectiveError> {
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = if is_decimal { text.parse().ok() } else { None };
    parsed.ok_or(DirectiveError::NotANumber(name))
}

/// Whether the window has what is asked for. A rendition that is not there is answered now.
pub fn answer(window: &LiveWindow, rendition: RenditionId, directives: &Directives) -> Answer {
    let Some(edge) = window.edge(rendition) else {
        return Answer::Now(Skip::No);
    };
    // After ENDLIST nothing more comes, and all directives are void.
    if window.ended() {
        return Answer::Now(Skip::No);
    }
    let skip = directives.skip;
    let Some((msn, part)) = directives.position else {
        return Answer::Now(skip);
    };
    if msn > edge.open.next() {
        return Answer::Refuse(RefuseReason::SegmentTooFar);
    }
    let Some(part) = part else {
        let is_complete = msn < edge.open;
        return if is_complete {
            Answer::Now(skip)
        } else {
            Answer::Wait(WaitFor { msn, part: None, skip })
        };
    };
    let (msn, part) = if msn < edge.open {
        match window.kept_segment(rendition, msn) {
            // Past the segment's last part: the first one after it. hls.js asks so when a report says LAST-PART=0.
            Some(segment) if part as usize >= segment.parts().len() => (msn.next(), 0),
            _ => return Answer::Now(skip),
        }
    } else {
        (msn, part)
    };
    let listed = if msn == edge.open { edge.open_parts } else { 0 };
    if msn < edge.open || part < listed {
        return Answer::Now(skip);
    }
    let parts_ahead = part.saturating_sub(listed).saturating_add(1);
    if parts_ahead > profile::advance_part_limit(window.description().part_target_ms) {
        return Answer::Refuse(RefuseReason::PartTooFar);
    }
    Answer::Wait(WaitFor {
        msn,
        part: Some(part),
        skip,
    })
}

#[cfg(test)]
#[path = "directives_tests.rs"]
mod tests;
