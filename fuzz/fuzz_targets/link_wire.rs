//! Any bytes from the other end of a link: cut into frames and heads or refused, and what was read survives encoding.

#![no_main]

use common::wire::{
    codec::{FrameReader, Head, decode_head, encode_frame, encode_head},
    control::{DownstreamFrame, UpstreamFrame},
    media::PartHeader,
    request::{CallReply, FetchReply, Request},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut reader = FrameReader::new();
    reader.push(bytes);
    while let Ok(Some(frame)) = reader.next_frame::<UpstreamFrame>() {
        assert!(encode_frame(&frame).is_ok());
    }
    let mut reader = FrameReader::new();
    reader.push(bytes);
    while let Ok(Some(frame)) = reader.next_frame::<DownstreamFrame>() {
        assert!(encode_frame(&frame).is_ok());
    }
    head::<PartHeader>(bytes);
    head::<Request>(bytes);
    head::<FetchReply>(bytes);
    head::<CallReply>(bytes);
});

fn head<T: Head>(bytes: &[u8]) {
    if let Ok(head) = decode_head::<T>(bytes) {
        assert!(encode_head(&head).is_ok());
    }
}
