//! RTMP: chunks, commands and the session of a publisher.
//!
//! Of `rml_rtmp` only the handshake, the message model and the chunk serializer are used. What the network sends goes through our
//! own [`chunk_reader`] and [`amf0`] decoder, because theirs can be made to abort the process or to eat memory before anyone has
//! shown a key. RTMPS is not here: TLS is a matter of the socket.

pub mod amf0;
pub mod chunk_reader;
pub mod message;
pub mod pace;
pub mod publish_status;
pub mod session;
pub mod stream_key;

mod outbound;
#[cfg(test)]
mod test_client;
