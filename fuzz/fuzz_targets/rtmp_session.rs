//! Any bytes behind a good handshake, in any pieces. The first byte chooses the pieces, and whether the publisher is let in.

#![no_main]

use std::time::Duration;

use common::{
    flv::demux::Demuxer,
    rtmp::{
        publish_status::Refusal,
        session::{Output, Session, Timeouts},
    },
    time::Monotonic,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, bytes)) = bytes.split_first() else { return };
    let mut now = Monotonic::default();
    let mut session = Session::new(now, Timeouts::default());
    let mut demuxer = Demuxer::new();
    let mut handshake = vec![3];
    handshake.extend([0; 2 * 1536]);
    let pieces = bytes.chunks(usize::from(choice >> 1) + 1);
    let mut closes = 0;
    for piece in std::iter::once(&handshake[..]).chain(pieces) {
        now = now + Duration::from_millis(1);
        let mut input = piece;
        while let Some(output) = session.poll(now, &mut input) {
            match output {
                Output::PublishRequested { .. } if choice & 1 == 0 => session.accept(now),
                Output::PublishRequested { .. } => session.refuse(now, Refusal::UnknownKey),
                Output::Media(tag) => drop(demuxer.push(&tag)),
                Output::Close(_) => closes += 1,
                Output::Send(_) | Output::Stopped => {}
            }
        }
        assert!(input.is_empty(), "an answered session takes all its input");
    }
    assert!(closes <= 1);
});
