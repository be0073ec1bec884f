//! Any bytes as tags of one publication. The first byte of each tag chooses its kind, the second its length.

#![no_main]

use bytes::Bytes;
use common::flv::{
    demux::Demuxer,
    tag::{Tag, TagKind},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut demuxer = Demuxer::new();
    let mut rest = bytes;
    while let [kind, length, after @ ..] = rest {
        let kind = match kind % 3 {
            0 => TagKind::Audio,
            1 => TagKind::Video,
            _ => TagKind::Script,
        };
        let (body, next) = after.split_at(after.len().min(usize::from(*length)));
        rest = next;
        let _ = demuxer.push(&Tag { kind, timestamp_ms: 0, body: Bytes::copy_from_slice(body) });
    }
});
