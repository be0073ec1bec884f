//! Media: each part on a unidirectional stream of its own.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use common::wire::{
    codec::{self, MAX_PART, WireError},
    media::PartHeader,
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use metrics::counter;
use tokio::sync::Semaphore;

use super::{
    CloseCode, Closed, LinkConnection, closing,
    heads::{HeadError, ResetOnDrop, read_body, read_head},
};

/// A part that takes longer than this to come is of no use to anyone; it can still be fetched.
const PART_TIMEOUT: Duration = Duration::from_secs(20);
/// Most part streams read at once, and most bytes of bodies that are here in part; further ones wait in QUIC's windows.
const MAX_READING: usize = 64;
const MAX_READING_KIB: usize = 4 * (MAX_PART >> 10);

/// A part did not reach the peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error(transparent)]
    Closed(#[from] Closed),
    #[error(transparent)]
    Wire(#[from] WireError),
    /// `body_len` of the header is not the body's length.
    #[error("the header announces {announced} bytes, the body has {len}")]
    Length { announced: u32, len: usize },
    #[error("the peer does not want the part")]
    Unwanted,
}

/// No more parts come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    #[error(transparent)]
    Closed(#[from] Closed),
    /// The peer broke the protocol; the connection was closed for it.
    #[error("part: {0}")]
    Malformed(HeadError),
}

/// Parts that are coming in.
pub(super) struct PartsIn {
    reading: FuturesUnordered<BoxFuture<'static, Result<(PartHeader, Bytes), HeadError>>>,
    /// KiB that bodies may still take.
    memory: Arc<Semaphore>,
}

impl Default for PartsIn {
    fn default() -> Self {
        Self {
            reading: FuturesUnordered::new(),
            memory: Arc::new(Semaphore::new(MAX_READING_KIB)),
        }
    }
}

impl LinkConnection {
    /// Sends a part. The body is shared with QUIC, not copied, until the peer acknowledged all of it; that is when this returns.
    /// Streams with a higher priority go first. Dropping the future before it is done takes the part back: what was not sent
    /// yet never is.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send_part(&self, header: &PartHeader, body: Bytes, priority: i32) -> Result<(), SendError> {
        if header.body_len as usize != body.len() {
            return Err(SendError::Length {
                announced: header.body_len,
                len: body.len(),
            });
        }
        let head = codec::encode_head(header)?;
        let len = body.len() as u64;
        let stream = self.shared.connection.open_uni().await.map_err(Closed::from)?;
        // Fails only on a closed stream, which shows at the first write.
        let _ = stream.set_priority(priority);
        let mut stream = ResetOnDrop::new(stream);
        stream
            .write_all_chunks(&mut [head, body])
            .await
            .map_err(|error| match error {
                quinn::WriteError::ConnectionLost(error) => SendError::Closed(error.into()),
                _ => SendError::Unwanted,
            })?;
        stream.finish().map_err(|_| SendError::Unwanted)?;
        match stream.stopped().await {
            Ok(None) => {
                counter!("streamcircle_link_parts_sent_total").increment(1);
                counter!("streamcircle_link_part_bytes_sent_total").increment(len);
                Ok(())
            }
            Ok(Some(_)) => Err(SendError::Unwanted),
            Err(quinn::StoppedError::ConnectionLost(error)) => Err(SendError::Closed(error.into())),
            Err(quinn::StoppedError::ZeroRttRejected) => Err(SendError::Unwanted),
        }
    }

    /// The next part that is here whole, in memory of exactly its size; parts overtake each other. One that the peer took back
    /// or that came too slowly is passed over: the control stream says what will not come. May be dropped at any time without
    /// losing a part. One caller at a time; others wait.
    ///
    /// # Errors
    /// The connection was lost, or the peer broke the protocol: then it is closed.
    pub async fn accept_part(&self) -> Result<(PartHeader, Bytes), PartError> {
        let mut parts = self.shared.parts_in.lock().await;
        let parts = &mut *parts;
        loop {
            let may_read_more = parts.reading.len() < MAX_READING;
            let read = tokio::select! {
                Some(read) = parts.reading.next(), if !parts.reading.is_empty() => read,
                stream = self.shared.connection.accept_uni(), if may_read_more => {
                    let stream = stream.map_err(Closed::from)?;
                    parts.reading.push(read_part(stream, Arc::clone(&parts.memory)).boxed());
                    continue;
                }
            };
            match read {
                Ok((header, body)) => {
                    counter!("streamcircle_link_parts_received_total").increment(1);
                    counter!("streamcircle_link_part_bytes_received_total").increment(body.len() as u64);
                    return Ok((header, body));
                }
                Err(HeadError::Closed(closed)) => return Err(PartError::Closed(closed)),
                Err(error) if error.is_peers_fault() => {
                    let error = PartError::Malformed(error);
                    closing::close(&self.shared.connection, CloseCode::Protocol, &error.to_string());
                    return Err(error);
                }
                Err(_) => counter!("streamcircle_link_parts_given_up_total").increment(1),
            }
        }
    }
}

async fn read_part(mut stream: quinn::RecvStream, memory: Arc<Semaphore>) -> Result<(PartHeader, Bytes), HeadError> {
    let read = read_header_and_body(&mut stream, &memory).await;
    if let Err(error) = &read {
        // Fails only on a stream that is over.
        let _ = stream.stop(error.stop_code());
    }
    read
}

async fn read_header_and_body(
    stream: &mut quinn::RecvStream,
    memory: &Semaphore,
) -> Result<(PartHeader, Bytes), HeadError> {
    let header: PartHeader = read_head(stream, PART_TIMEOUT).await?;
    // At most MAX_PART, as the codec holds.
    let kib = (header.body_len >> 10) + 1;
    let _room = memory.acquire_many(kib).await.map_err(|_| HeadError::GivenUp)?;
    let body = read_body(stream, header.body_len, PART_TIMEOUT).await?;
    Ok((header, body))
}
