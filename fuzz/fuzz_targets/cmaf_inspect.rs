//! Any bytes as an init segment and as fragments: read within the bounds or refused.

#![no_main]

use bytes::Bytes;
use common::cmaf::inspect;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let bytes = Bytes::copy_from_slice(bytes);
    let _ = inspect::read_init(&bytes);
    if let Ok(fragments) = inspect::read_fragments(&bytes) {
        let payload: usize = fragments.iter().flat_map(|f| &f.samples).map(|s| s.payload.len()).sum();
        assert!(payload <= bytes.len());
    }
});
