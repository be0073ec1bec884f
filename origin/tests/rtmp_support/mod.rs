//! An ingest on port 0 with rooms that only write down what they get, and a publisher written by hand.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "only tests use it")]

pub(crate) mod house;

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use common::{
    media::access_unit::{AccessUnit, MediaMessage},
    rtmp::{
        amf0::{self, Value},
        chunk_reader::ChunkReader,
        message::{Message, type_id},
    },
};
use node::{shutdown::Shutdown, tls::Tls};
use origin::ingest::{
    Ingest,
    admission::{Admission, Lease, LeaseEnded, PublishEnd, PublishRequest, Refusal},
    limits::IngestLimits,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    time::timeout,
};

/// A key that is always let in.
pub(crate) const KEY: &str = "sk_aaaabbbbccccddddeeeeffff22223333";
/// A key whose room panics at the first message.
pub(crate) const PANIC_KEY: &str = "sk_panic";
/// A key to which the rooms give no answer.
pub(crate) const SLOW_KEY: &str = "sk_slow";
/// A key of a room that another publisher holds.
pub(crate) const BUSY_KEY: &str = "sk_busy";
/// Long enough for anything on one machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What the rooms saw.
#[derive(Debug, PartialEq)]
pub(crate) enum Seen {
    Admitted,
    Message(MediaMessage),
    Finished(PublishEnd),
}

struct Rooms {
    seen: mpsc::UnboundedSender<Seen>,
    ended: watch::Sender<Option<LeaseEnded>>,
}

impl Admission for Rooms {
    type Lease = RecordingLease;

    async fn admit(&self, request: PublishRequest) -> Result<RecordingLease, Refusal> {
        assert_eq!(request.app, "live");
        match request.key.expose() {
            KEY | PANIC_KEY => {}
            SLOW_KEY => std::future::pending().await,
            BUSY_KEY => return Err(Refusal::Busy),
            _ => return Err(Refusal::UnknownKey),
        }
        let _ = self.seen.send(Seen::Admitted);
        let panics = request.key.expose() == PANIC_KEY;
        Ok(RecordingLease {
            seen: self.seen.clone(),
            ended: self.ended.subscribe(),
            panics,
        })
    }
}

struct RecordingLease {
    seen: mpsc::UnboundedSender<Seen>,
    ended: watch::Receiver<Option<LeaseEnded>>,
    panics: bool,
}

impl Lease for RecordingLease {
    fn push(&mut self, message: MediaMessage) -> Result<(), LeaseEnded> {
        assert!(!self.panics, "this room panics");
        let _ = self.seen.send(Seen::Message(message));
        Ok(())
    }

    fn ended(&self) -> impl Future<Output = LeaseEnded> + Send + 'static {
        let mut ended = self.ended.clone();
        async move {
            let reason = ended.wait_for(Option::is_some).await.map(|reason| *reason);
            match reason {
                Ok(Some(reason)) => reason,
                _ => std::future::pending().await,
            }
        }
    }

    fn finish(self, how: PublishEnd) {
        let _ = self.seen.send(Seen::Finished(how));
    }
}

/// A certificate that nobody else trusts.
fn certificate() -> Tls {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    Tls::load(&certificate, &key).unwrap()
}

/// A running ingest.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Of RTMPS.
    pub(crate) tls_address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    seen: mpsc::UnboundedReceiver<Seen>,
    ended: watch::Sender<Option<LeaseEnded>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(IngestLimits::default()).await
    }

    pub(crate) async fn start_with(limits: IngestLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let (seen_by_rooms, seen) = mpsc::unbounded_channel();
        let (ended, _) = watch::channel(None);
        let rooms = Arc::new(Rooms {
            seen: seen_by_rooms,
            ended: ended.clone(),
        });
        let ingest = Ingest::new(rooms, limits, shutdown.clone());
        let tls_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tls_address = tls_listener.local_addr().unwrap();
        let tls = certificate();
        shutdown.spawn(ingest.clone().serve(tls_listener, Some(tls)));
        shutdown.spawn(ingest.serve(listener, None));
        Self {
            address,
            tls_address,
            shutdown,
            seen,
            ended,
        }
    }

    /// The next thing that the rooms see.
    pub(crate) async fn seen(&mut self) -> Seen {
        timeout(PATIENCE, self.seen.recv())
            .await
            .expect("the rooms see something in time")
            .expect("the ingest runs")
    }

    /// Nothing has been seen that was not asked for.
    pub(crate) fn has_seen_nothing(&mut self) -> bool {
        self.seen.try_recv().is_err()
    }

    /// Everything up to the end of the publication.
    pub(crate) async fn seen_to_the_end(&mut self) -> (Vec<MediaMessage>, PublishEnd) {
        let mut messages = Vec::new();
        loop {
            match self.seen().await {
                Seen::Admitted => {}
                Seen::Message(message) => messages.push(message),
                Seen::Finished(how) => return (messages, how),
            }
        }
    }

    /// Takes the leases away.
    pub(crate) fn end_leases(&self, reason: LeaseEnded) {
        self.ended.send_replace(Some(reason));
    }

    /// A publisher that has been let in.
    pub(crate) async fn publisher(&mut self) -> Client {
        let mut client = Client::open(self.address).await;
        client.connect("live").await;
        client.publish(KEY).await;
        assert_eq!(client.status().await, "NetStream.Publish.Start");
        assert_eq!(self.seen().await, Seen::Admitted);
        client
    }

    /// A frame of this publisher comes through.
    pub(crate) async fn carries(&mut self, client: &mut Client) {
        client
            .send(&message(128, 4, type_id::AUDIO, 40, b"\xaf\x01frame"))
            .await;
        let Seen::Message(MediaMessage::AccessUnit(AccessUnit { payload, .. })) = self.seen().await else {
            panic!("an access unit was sent");
        };
        assert_eq!(payload, "frame");
    }
}

/// A publisher whose every byte can be wrong.
pub(crate) struct Client {
    stream: TcpStream,
    reader: ChunkReader,
    /// Bytes received and not read yet.
    received: Vec<u8>,
}

impl Client {
    /// Connected, the handshake done.
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let mut client = Self::open_silent(address).await;
        let mut hello = vec![3];
        hello.extend([0; 2 * 1536]);
        client.send(&hello).await;
        let mut answer = vec![0; 1 + 2 * 1536];
        timeout(PATIENCE, client.stream.read_exact(&mut answer))
            .await
            .expect("S0, S1, S2 in time")
            .unwrap();
        client
    }

    /// Connected, without a word.
    pub(crate) async fn open_silent(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            reader: ChunkReader::new(),
            received: Vec::new(),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    /// Sends; an ingest that has closed meanwhile is no failure here.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.stream.write_all(bytes))
            .await
            .expect("the ingest reads on or closes");
    }

    pub(crate) async fn command(&mut self, name: &str, transaction: f64, arguments: &[Value]) {
        self.send(&command(name, transaction, arguments)).await;
    }

    pub(crate) async fn connect(&mut self, app: &str) {
        self.send(&connect(app)).await;
    }

    pub(crate) async fn publish(&mut self, name: &str) {
        self.command("createStream", 4.0, &[]).await;
        self.command("publish", 5.0, &[Value::string(name), Value::string("live")])
            .await;
    }

    /// The code of the next `onStatus`; other answers are read over.
    pub(crate) async fn status(&mut self) -> String {
        loop {
            let message = self.message().await.expect("a status comes before the end");
            if message.type_id != type_id::COMMAND_AMF0 {
                continue;
            }
            let values = amf0::decode(&message.payload).unwrap();
            if values[0].as_str() == Some("onStatus") {
                return values[3].property("code").and_then(Value::as_str).unwrap().to_owned();
            }
        }
    }

    /// The next message; `None` when the connection is closed.
    pub(crate) async fn message(&mut self) -> Option<Message> {
        loop {
            let mut input = &self.received[..];
            let message = self.reader.read(&mut input).expect("the ingest writes good chunks");
            self.received = input.to_vec();
            if message.is_some() {
                return message;
            }
            let mut buffer = [0; 4096];
            match timeout(PATIENCE, self.stream.read(&mut buffer))
                .await
                .expect("the ingest answers or closes")
            {
                Ok(0) | Err(_) => return None,
                Ok(read) => self.received.extend(&buffer[..read]),
            }
        }
    }

    /// Reads raw bytes; 0 when the connection is closed.
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> usize {
        timeout(PATIENCE, self.stream.read(buffer))
            .await
            .expect("the ingest answers or closes")
            .unwrap_or(0)
    }

    /// Reads to the end of the connection.
    pub(crate) async fn closed(&mut self) {
        while self.message().await.is_some() {}
    }
}

/// One message as chunks, the extended timestamp repeated.
pub(crate) fn message(chunk_size: usize, csid: u8, type_id: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = full_header(csid, type_id, timestamp, payload.len());
    let mut chunks = payload.chunks(chunk_size);
    bytes.extend(chunks.next().unwrap_or_default());
    for chunk in chunks {
        bytes.push(0xc0 | csid);
        if timestamp >= 0x00ff_ffff {
            bytes.extend(timestamp.to_be_bytes());
        }
        bytes.extend(chunk);
    }
    bytes
}

/// The type 0 header of a message.
pub(crate) fn full_header(csid: u8, type_id: u8, timestamp: u32, length: usize) -> Vec<u8> {
    let mut bytes = vec![csid];
    bytes.extend(&timestamp.min(0x00ff_ffff).to_be_bytes()[1..]);
    bytes.extend(&u32::try_from(length).unwrap().to_be_bytes()[1..]);
    bytes.push(type_id);
    bytes.extend(1_u32.to_le_bytes());
    if timestamp >= 0x00ff_ffff {
        bytes.extend(timestamp.to_be_bytes());
    }
    bytes
}

/// A command in chunks of 128 bytes, with a null command object.
pub(crate) fn command(name: &str, transaction: f64, arguments: &[Value]) -> Vec<u8> {
    let mut values = vec![Value::string(name), Value::Number(transaction), Value::Null];
    values.extend_from_slice(arguments);
    raw_command(&amf0::encode(&values))
}

/// `connect` in chunks of 128 bytes.
pub(crate) fn connect(app: &str) -> Vec<u8> {
    let object = Value::Object(vec![("app".to_owned(), Value::string(app))]);
    raw_command(&amf0::encode(&[Value::string("connect"), Value::Number(1.0), object]))
}

/// Any bytes as a command message in chunks of 128 bytes.
pub(crate) fn raw_command(payload: &[u8]) -> Vec<u8> {
    message(128, 3, type_id::COMMAND_AMF0, 0, payload)
}

/// Memory of this process that is in RAM, bytes.
pub(crate) fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}
