//! One publisher's connection: moves bytes between the socket and the session, and media from the session to the room.

use std::{
    future::{Future, pending},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use common::{
    flv::{
        codec_name::common_name,
        demux::{Demuxed, Demuxer, Unsupported},
        tag::Tag,
    },
    media::access_unit::MediaMessage,
    rtmp::{
        pace::Pace,
        publish_status::Refusal,
        session::{CloseReason, Output, Session},
        stream_key::StreamKey,
    },
    time::Monotonic,
};
use node::clock::monotonic;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

use super::{
    admission::{Admission, Lease, LeaseEnded, PublishEnd, PublishRequest},
    limits::IngestLimits,
};

/// Bytes read from the socket at a time.
const READ_BUFFER: usize = 64 << 10;

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
enum Over {
    #[error("{0}")]
    Session(CloseReason),
    #[error("{0}")]
    LeaseEnded(LeaseEnded),
    #[error("the publisher closed the connection")]
    PeerClosed,
    #[error("the publisher does not read")]
    PeerStuck,
    #[error("connection lost: {0}")]
    Io(std::io::Error),
    #[error("the origin is stopping")]
    Shutdown,
}

/// Serves a connection to its end.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send, A: Admission>(
    stream: S,
    peer: SocketAddr,
    admission: Arc<A>,
    limits: IngestLimits,
    shutdown: CancellationToken,
) {
    metrics::gauge!("streamcircle_ingest_connections").increment(1.0);
    let _counted = CountedDown("streamcircle_ingest_connections");
    let session = Session::new(monotonic(), limits.timeouts);
    let mut connection = Connection {
        stream,
        peer,
        admission,
        limits,
        shutdown,
        session,
        pace: Pace::new(monotonic()),
        rest: Duration::ZERO,
        publication: None,
        has_published: false,
    };
    let over = connection.run().await;
    // Under TLS the peer is told that this is the end, and not a cut; one that does not take it is left.
    let _ = tokio::time::timeout(limits.write, connection.stream.shutdown()).await;
    metrics::counter!("streamcircle_ingest_closed_total", "reason" => over.label()).increment(1);
    if connection.has_published {
        tracing::info!(reason = %over, "publisher's connection closed");
    } else {
        // Port scans and probes are no news.
        tracing::debug!(reason = %over, "connection closed");
    }
}

struct Connection<S, A: Admission> {
    stream: S,
    peer: SocketAddr,
    admission: Arc<A>,
    limits: IngestLimits,
    shutdown: CancellationToken,
    session: Session,
    pace: Pace,
    /// How long to wait before the socket is read again.
    rest: Duration,
    publication: Option<Publication<A::Lease>>,
    has_published: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send, A: Admission> Connection<S, A> {
    async fn run(&mut self) -> Over {
        let mut buffer = vec![0; READ_BUFFER];
        loop {
            let read = match self.next_bytes(&mut buffer).await {
                Ok(read) => read,
                Err(over) => return over,
            };
            metrics::counter!("streamcircle_ingest_bytes_total").increment(read as u64);
            let mut input = &buffer[..read];
            let mut outputs = 0;
            while let Some(output) = self.session.poll(monotonic(), &mut input) {
                outputs += 1;
                if let Err(over) = self.act(output).await {
                    return over;
                }
            }
            self.rest = self.pace.read(monotonic(), read, outputs);
        }
    }

    /// Waits for bytes or the session's deadline, whichever is first; no bytes mean the deadline.
    async fn next_bytes(&mut self, buffer: &mut [u8]) -> Result<usize, Over> {
        let deadline = self.session.deadline();
        let read = async {
            if !self.rest.is_zero() {
                tokio::time::sleep(self.rest).await;
            }
            self.stream.read(buffer).await
        };
        let lease_ended = async {
            match &mut self.publication {
                Some(publication) => publication.ended().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => Err(Over::Shutdown),
            ended = lease_ended => Err(Over::LeaseEnded(ended)),
            // Before the deadline: what has arrived by now came in time, however late this task is.
            read = read => match read {
                Ok(0) => Err(Over::PeerClosed),
                Ok(read) => Ok(read),
                Err(error) => Err(Over::Io(error)),
            },
            () = sleep_until(deadline) => Ok(0),
        }
    }

    async fn act(&mut self, output: Output) -> Result<(), Over> {
        match output {
            Output::Send(bytes) => match tokio::time::timeout(self.limits.write, self.write(&bytes)).await {
                Ok(written) => written.map_err(Over::Io),
                Err(_) => Err(Over::PeerStuck),
            },
            Output::PublishRequested { key, app } => self.ask(key, app).await,
            Output::Media(tag) => match &mut self.publication {
                Some(publication) => publication.push(&tag),
                None => Ok(()),
            },
            Output::Stopped => {
                if let Some(publication) = self.publication.take() {
                    publication.finish(PublishEnd::Stopped);
                }
                Ok(())
            }
            Output::Close(reason) => Err(Over::Session(reason)),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await?;
        // TLS keeps back what the socket did not take.
        self.stream.flush().await
    }

    async fn ask(&mut self, key: StreamKey, app: String) -> Result<(), Over> {
        let request = PublishRequest {
            key,
            peer: self.peer,
            app,
        };
        let answer = tokio::select! {
            () = self.shutdown.cancelled() => return Err(Over::Shutdown),
            answer = tokio::time::timeout(self.limits.admission, self.admission.admit(request)) => answer,
        };
        match answer.unwrap_or(Err(Refusal::Unavailable)) {
            Ok(lease) => {
                metrics::counter!("streamcircle_ingest_publications_total").increment(1);
                tracing::info!("publishing");
                self.has_published = true;
                self.publication = Some(Publication::new(lease));
                self.session.accept(monotonic());
            }
            Err(refusal) => {
                metrics::counter!("streamcircle_ingest_refusals_total", "reason" => refusal_label(refusal))
                    .increment(1);
                tracing::info!(%refusal, "publication refused");
                self.session.refuse(monotonic(), refusal);
            }
        }
        Ok(())
    }
}

/// A lease with its demuxer. Dropped without more it was lost.
struct Publication<L: Lease> {
    /// `None` only while it is being dropped.
    lease: Option<L>,
    ended: Pin<Box<dyn Future<Output = LeaseEnded> + Send>>,
    demuxer: Demuxer,
    told_bad_tag: bool,
    _counted: CountedDown,
}

impl<L: Lease> Publication<L> {
    fn new(lease: L) -> Self {
        metrics::gauge!("streamcircle_ingest_publishers").increment(1.0);
        Self {
            ended: Box::pin(lease.ended()),
            lease: Some(lease),
            demuxer: Demuxer::new(),
            told_bad_tag: false,
            _counted: CountedDown("streamcircle_ingest_publishers"),
        }
    }

    async fn ended(&mut self) -> LeaseEnded {
        self.ended.as_mut().await
    }

    /// Hands a tag on.
    fn push(&mut self, tag: &Tag) -> Result<(), Over> {
        let found = match self.demuxer.push(tag) {
            Ok(found) => found,
            Err(error) => {
                metrics::counter!("streamcircle_ingest_bad_tags_total").increment(1);
                if !std::mem::replace(&mut self.told_bad_tag, true) {
                    tracing::warn!(%error, "tag dropped; further ones are only counted");
                }
                return Ok(());
            }
        };
        for found in found {
            match (found, &mut self.lease) {
                (Demuxed::Media(message), Some(lease)) => lease.push(message).map_err(Over::LeaseEnded)?,
                (Demuxed::Unsupported(unsupported), Some(lease)) => {
                    tracing::warn!(codec = %unsupported.codec, track = ?unsupported.track, "not carried, track ignored");
                    let Unsupported { track, codec } = unsupported;
                    let codec = common_name(track.kind, codec);
                    let message = MediaMessage::Unsupported { track, codec };
                    lease.push(message).map_err(Over::LeaseEnded)?;
                }
                (_, None) => {}
            }
        }
        Ok(())
    }

    fn finish(mut self, how: PublishEnd) {
        if let Some(lease) = self.lease.take() {
            lease.finish(how);
        }
    }
}

impl<L: Lease> Drop for Publication<L> {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.finish(PublishEnd::Lost);
        }
    }
}

/// Takes one off a gauge when dropped, in a panic too.
struct CountedDown(&'static str);

impl Drop for CountedDown {
    fn drop(&mut self) {
        metrics::gauge!(self.0).decrement(1.0);
    }
}

impl Over {
    /// For the metrics: few, fixed words.
    fn label(&self) -> &'static str {
        match self {
            Self::Session(CloseReason::HandshakeTimeout | CloseReason::PublishTimeout) => "too_slow",
            Self::Session(CloseReason::MediaTimeout) => "silent",
            Self::Session(CloseReason::Refused(_) | CloseReason::InvalidApp | CloseReason::PlayRefused) => "refused",
            Self::Session(CloseReason::Stopped) => "stopped",
            Self::Session(CloseReason::Protocol(_)) => "protocol_error",
            Self::LeaseEnded(LeaseEnded::TooMuch) => "too_much",
            Self::LeaseEnded(_) => "lease_ended",
            Self::PeerClosed => "peer_closed",
            Self::PeerStuck => "peer_stuck",
            Self::Io(_) => "io_error",
            Self::Shutdown => "shutdown",
        }
    }
}

fn refusal_label(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::UnknownKey => "unknown_key",
        Refusal::Busy => "busy",
        Refusal::Unavailable => "unavailable",
    }
}

async fn sleep_until(deadline: Option<Monotonic>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(deadline.since(monotonic())).await,
        None => pending().await,
    }
}
