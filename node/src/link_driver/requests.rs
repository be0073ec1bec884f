//! A relay's questions, each on a bidirectional stream of its own.

use std::{marker::PhantomData, time::Duration};

use bytes::Bytes;
use common::{
    link::priority,
    wire::{
        codec::{self, Head},
        request::{CallReply, CallRequest, FetchReply, FetchRequest, Request},
    },
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use metrics::counter;

use super::{
    CloseCode, Closed, LinkConnection, closing,
    heads::{HeadError, ResetOnDrop, read_body, read_head, write_all, write_head},
};
use crate::quic::MAX_REQUESTS;

/// For a question to come whole once its stream is there.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// For the first byte of an answer, and for its body: a whole segment of 12 s over a slow link.
const REPLY_TIMEOUT: Duration = Duration::from_secs(15);
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A question was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error(transparent)]
    Closed(#[from] Closed),
    #[error("no answer: {0}")]
    Failed(#[from] HeadError),
}

/// A question that came in.
pub enum IncomingRequest {
    Fetch(FetchRequest, Responder<FetchReply>),
    Call(CallRequest, Responder<CallReply>),
}

/// Answers one question, with one kind of head. Dropped unused, the asker is told that no answer comes.
pub struct Responder<T> {
    stream: ResetOnDrop,
    head: PhantomData<fn(T)>,
}

/// Questions that are coming in.
#[derive(Default)]
pub(super) struct RequestsIn {
    reading: FuturesUnordered<BoxFuture<'static, Result<IncomingRequest, HeadError>>>,
}

impl LinkConnection {
    /// Asks for a segment or part of the past: the answer's head, and the body in memory of exactly its size. Dropped half-way,
    /// the peer is told not to bother.
    ///
    /// # Errors
    /// See [`AskError`]; all but a lost connection concern this question alone.
    pub async fn fetch(&self, request: FetchRequest) -> Result<(FetchReply, Bytes), AskError> {
        let (reply, mut stream) = self.exchange::<FetchReply>(Request::Fetch(request)).await?;
        let body = read_body(&mut stream, reply.body_len(), BODY_TIMEOUT).await?;
        counter!("streamcircle_link_fetch_bytes_received_total").increment(body.len() as u64);
        Ok((reply, body))
    }

    /// Carries a viewer's API call. Dropped half-way, the peer is told not to bother.
    ///
    /// # Errors
    /// As [`LinkConnection::fetch`].
    pub async fn call(&self, request: CallRequest) -> Result<CallReply, AskError> {
        let (reply, _) = self.exchange(Request::Call(request)).await?;
        Ok(reply)
    }

    async fn exchange<T: Head>(&self, request: Request) -> Result<(T, quinn::RecvStream), AskError> {
        // QUIC holds the stream back while too many questions run.
        let opened = tokio::time::timeout(REPLY_TIMEOUT, self.shared.connection.open_bi()).await;
        let opened = opened.map_err(|_| HeadError::TimedOut(REPLY_TIMEOUT))?;
        let (send, mut receive) = opened.map_err(Closed::from)?;
        let mut send = ResetOnDrop::new(send);
        // Fails only on a closed stream, which shows at the write.
        let _ = send.set_priority(priority::BACK_FILL);
        write_head(&mut send, &request, REQUEST_TIMEOUT).await?;
        let reply = read_head(&mut receive, REPLY_TIMEOUT).await?;
        Ok((reply, receive))
    }

    /// The next question that is here whole. A question that comes too slowly is dropped. May be dropped at any time without
    /// losing one. One caller at a time; others wait.
    ///
    /// # Errors
    /// The connection was lost, or the peer broke the protocol: then it is closed.
    pub async fn accept_request(&self) -> Result<IncomingRequest, AskError> {
        let mut requests = self.shared.requests_in.lock().await;
        loop {
            let may_read_more = requests.reading.len() < MAX_REQUESTS as usize;
            let is_reading = !requests.reading.is_empty();
            let read = tokio::select! {
                Some(read) = requests.reading.next(), if is_reading => read,
                streams = self.shared.connection.accept_bi(), if may_read_more => {
                    let (send, receive) = streams.map_err(Closed::from)?;
                    requests.reading.push(read_request(send, receive).boxed());
                    continue;
                }
            };
            match read {
                Ok(request) => return Ok(request),
                Err(HeadError::Closed(closed)) => return Err(closed.into()),
                Err(error) if error.is_peers_fault() => {
                    closing::close(
                        &self.shared.connection,
                        CloseCode::Protocol,
                        &format!("request: {error}"),
                    );
                    return Err(error.into());
                }
                Err(_) => counter!("streamcircle_link_requests_given_up_total").increment(1),
            }
        }
    }
}

async fn read_request(
    mut send: quinn::SendStream,
    mut receive: quinn::RecvStream,
) -> Result<IncomingRequest, HeadError> {
    match read_head(&mut receive, REQUEST_TIMEOUT).await {
        Ok(Request::Fetch(request)) => Ok(IncomingRequest::Fetch(request, Responder::new(send))),
        Ok(Request::Call(request)) => Ok(IncomingRequest::Call(request, Responder::new(send))),
        Err(error) => {
            // Both fail only on a stream that is over.
            let _ = receive.stop(error.stop_code());
            let _ = send.reset(error.stop_code());
            Err(error)
        }
    }
}

impl<T> Responder<T> {
    fn new(stream: quinn::SendStream) -> Self {
        // Fails only on a closed stream, which shows at the first write.
        let _ = stream.set_priority(priority::BACK_FILL);
        Self {
            stream: ResetOnDrop::new(stream),
            head: PhantomData,
        }
    }

    async fn write(mut self, chunks: Vec<Bytes>, limit: Duration) -> Result<(), HeadError> {
        write_all(&mut self.stream, chunks, limit).await?;
        self.stream.leave();
        Ok(())
    }
}

impl Responder<FetchReply> {
    /// Answers with a head and the body that it announces, which is shared with QUIC and not copied.
    ///
    /// # Errors
    /// See [`HeadError`].
    pub async fn answer(self, reply: &FetchReply, rope: Vec<Bytes>) -> Result<(), HeadError> {
        let len: usize = rope.iter().map(Bytes::len).sum();
        if len != reply.body_len() as usize {
            return Err(HeadError::Length);
        }
        let head = codec::encode_head(reply)?;
        self.write([vec![head], rope].concat(), BODY_TIMEOUT).await?;
        counter!("streamcircle_link_fetch_bytes_sent_total").increment(len as u64);
        Ok(())
    }
}

impl Responder<CallReply> {
    /// Answers a viewer's call.
    ///
    /// # Errors
    /// See [`HeadError`].
    pub async fn reply(self, reply: &CallReply) -> Result<(), HeadError> {
        let head = codec::encode_head(reply)?;
        self.write(vec![head], REPLY_TIMEOUT).await
    }
}
