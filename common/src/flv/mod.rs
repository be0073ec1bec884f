//! FLV tags as RTMP carries them.
