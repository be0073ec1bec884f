//! HLS playlists and delivery directives (draft-pantos-hls-rfc8216bis).
