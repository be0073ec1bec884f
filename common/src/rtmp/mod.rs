//! RTMP: chunks, commands and the session of a publisher.
