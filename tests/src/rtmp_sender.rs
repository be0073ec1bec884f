//! A publisher that costs next to nothing: sends a [`Recording`] in real time, over and over, as OBS would frame it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use common::rtmp::{
    amf0::{self, Value},
    chunk_reader::ChunkReader,
    message::type_id,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpSocket,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

use crate::recording::{Recording, Tag};

/// As OBS sets it.
const CHUNK_SIZE: u32 = 4096;
const FIRST_CHUNK_SIZE: usize = 128;
const APP: &str = "live";
const HELLO: usize = 1536;
const SOON: Duration = Duration::from_secs(10);

/// Where to publish what, and from which address of loopback: servers count connections by address.
#[derive(Clone, Debug)]
pub struct Target {
    pub server: SocketAddr,
    /// A stream key, in the application `live`.
    pub name: String,
    pub from: Ipv4Addr,
}

impl Target {
    pub fn new(server: SocketAddr, name: &str) -> Self {
        Self {
            server,
            name: name.to_owned(),
            from: Ipv4Addr::LOCALHOST,
        }
    }

    pub fn from(self, from: Ipv4Addr) -> Self {
        Self { from, ..self }
    }
}

/// A connection that was let in to publish.
#[derive(Debug)]
pub struct RtmpSender {
    write: OwnedWriteHalf,
    /// Reads over what the server says.
    answers: JoinHandle<()>,
    stream_id: u32,
    chunks: Vec<u8>,
}

impl RtmpSender {
    pub async fn publish(target: &Target) -> Result<Self> {
        timeout(SOON, Self::publish_unhurried(target))
            .await
            .context("no answer")?
    }

    async fn publish_unhurried(target: &Target) -> Result<Self> {
        let Target { server, name, from } = target;
        let socket = TcpSocket::new_v4()?;
        socket.bind((*from, 0).into())?;
        let mut stream = socket.connect(*server).await?;
        stream.set_nodelay(true)?;
        let mut hello = vec![0; 1 + 2 * HELLO];
        hello[0] = 3;
        stream.write_all(&hello[..=HELLO]).await?;
        stream.read_exact(&mut hello).await?;
        stream.write_all(&hello[1..=HELLO]).await?;
        let (read, mut write) = stream.into_split();
        let mut answers = Answers {
            read,
            reader: ChunkReader::new(),
            received: Vec::new(),
        };
        let properties = [
            ("app", Value::string(APP)),
            ("type", Value::string("nonprivate")),
            ("flashVer", Value::string("FMLE/3.0 (compatible; FMSc/1.0)")),
            ("tcUrl", Value::string(&format!("rtmp://{server}/{APP}"))),
        ];
        let properties = Value::Object(
            properties
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        );
        let connect = [Value::string("connect"), Value::Number(1.0), properties];
        write.write_all(&first_command(&connect)).await?;
        answers.until("_result").await?;
        let create = [Value::string("createStream"), Value::Number(2.0), Value::Null];
        write.write_all(&first_command(&create)).await?;
        let created = answers.until("_result").await?;
        let stream_id = created.get(3).and_then(Value::as_number).context("a stream id")? as u32;

        let mut sender = Self {
            write,
            answers: tokio::spawn(std::future::ready(())),
            stream_id,
            chunks: Vec::new(),
        };
        let publish = [
            Value::string("publish"),
            Value::Number(3.0),
            Value::Null,
            Value::string(name),
            Value::string("live"),
        ];
        sender.chunks.extend(message(
            FIRST_CHUNK_SIZE,
            2,
            type_id::SET_CHUNK_SIZE,
            0,
            0,
            &CHUNK_SIZE.to_be_bytes(),
        ));
        sender.say(&publish).await?;
        let status = answers.until("onStatus").await?;
        let code = status
            .get(3)
            .and_then(|status| status.property("code"))
            .and_then(Value::as_str);
        ensure!(code == Some("NetStream.Publish.Start"), "publish: {code:?}");
        sender.answers = tokio::spawn(answers.read_over());
        Ok(sender)
    }

    async fn say(&mut self, values: &[Value]) -> Result<()> {
        let payload = amf0::encode(values);
        self.chunks.extend(message(
            CHUNK_SIZE as usize,
            3,
            type_id::COMMAND_AMF0,
            0,
            self.stream_id,
            &payload,
        ));
        self.flush().await
    }

    async fn flush(&mut self) -> Result<()> {
        self.write.write_all(&self.chunks).await?;
        self.chunks.clear();
        Ok(())
    }

    /// Sends one tag with this time.
    pub async fn send(&mut self, tag: &Tag, at_ms: u32) -> Result<()> {
        append_message(
            &mut self.chunks,
            CHUNK_SIZE as usize,
            4,
            tag.type_id,
            at_ms,
            self.stream_id,
            &tag.body,
        );
        self.flush().await
    }

    /// Says goodbye as OBS does on a stop.
    pub async fn stop(mut self, name: &str) -> Result<()> {
        let unpublish = [
            Value::string("FCUnpublish"),
            Value::Number(4.0),
            Value::Null,
            Value::string(name),
        ];
        self.say(&unpublish).await?;
        let delete = [
            Value::string("deleteStream"),
            Value::Number(5.0),
            Value::Null,
            Value::Number(f64::from(self.stream_id)),
        ];
        self.say(&delete).await?;
        self.write.shutdown().await?;
        Ok(())
    }
}

impl Drop for RtmpSender {
    fn drop(&mut self) {
        self.answers.abort();
    }
}

/// What the server says.
struct Answers {
    read: OwnedReadHalf,
    reader: ChunkReader,
    received: Vec<u8>,
}

impl Answers {
    /// The values of the next command with this name; an `_error` is one.
    async fn until(&mut self, name: &str) -> Result<Vec<Value>> {
        loop {
            let mut input = &self.received[..];
            let message = self.reader.read(&mut input)?;
            self.received = input.to_vec();
            let Some(message) = message else {
                let mut buffer = [0; 4096];
                let read = self.read.read(&mut buffer).await?;
                ensure!(read > 0, "closed before {name}");
                self.received.extend(&buffer[..read]);
                continue;
            };
            if message.type_id != type_id::COMMAND_AMF0 {
                continue;
            }
            let values = amf0::decode(&message.payload)?;
            match values.first().and_then(Value::as_str) {
                Some("_error") => bail!("refused before {name}: {values:?}"),
                Some(found) if found == name => return Ok(values),
                _ => {}
            }
        }
    }

    async fn read_over(mut self) {
        let mut buffer = [0; 4096];
        while matches!(self.read.read(&mut buffer).await, Ok(1..)) {}
    }
}

fn first_command(values: &[Value]) -> Vec<u8> {
    message(FIRST_CHUNK_SIZE, 3, type_id::COMMAND_AMF0, 0, 0, &amf0::encode(values))
}

/// One message as chunks.
pub fn message(chunk_size: usize, csid: u8, type_id: u8, at_ms: u32, stream_id: u32, payload: &[u8]) -> Vec<u8> {
    let mut chunks = Vec::new();
    append_message(&mut chunks, chunk_size, csid, type_id, at_ms, stream_id, payload);
    chunks
}

/// A header of type 0, then of type 3, each with the extended timestamp if there is one.
fn append_message(
    out: &mut Vec<u8>,
    chunk_size: usize,
    csid: u8,
    type_id: u8,
    at_ms: u32,
    stream_id: u32,
    payload: &[u8],
) {
    let extended = (at_ms >= 0x00ff_ffff).then(|| at_ms.to_be_bytes());
    out.push(csid);
    out.extend(&at_ms.min(0x00ff_ffff).to_be_bytes()[1..]);
    out.extend(&(payload.len() as u32).to_be_bytes()[1..]);
    out.push(type_id);
    out.extend(stream_id.to_le_bytes());
    for (number, chunk) in payload.chunks(chunk_size).enumerate() {
        if number > 0 {
            out.push(0xc0 | csid);
        }
        out.extend(extended.iter().flatten());
        out.extend(chunk);
    }
}

/// A recording that is being sent. Dropped, it goes without a word.
#[derive(Debug)]
pub struct Replay {
    stop: watch::Sender<()>,
    task: JoinHandle<Result<()>>,
}

impl Replay {
    /// Publishes and sends the recording from `from` on: its headings, then media in real time, until [`Replay::stop`].
    pub async fn start(recording: &Arc<Recording>, target: &Target, from: Instant) -> Result<Self> {
        let sender = RtmpSender::publish(target).await?;
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(replay(
            sender,
            Arc::clone(recording),
            target.name.clone(),
            from,
            stopped,
        ));
        Ok(Self { stop, task })
    }

    /// Ends it as OBS does; an error if it ended before.
    pub async fn stop(self) -> Result<()> {
        self.stop.send_replace(());
        self.task.await?
    }
}

async fn replay(
    mut sender: RtmpSender,
    recording: Arc<Recording>,
    name: String,
    from: Instant,
    mut stopped: watch::Receiver<()>,
) -> Result<()> {
    for tag in &recording.headings {
        sender.send(tag, 0).await?;
    }
    for round in 0.. {
        for tag in &recording.media {
            let begin_ms = recording.span_ms * round;
            let due = from + Duration::from_millis(u64::from(begin_ms + tag.due_ms));
            let stop = tokio::select! {
                stop = stopped.changed() => Some(stop),
                () = tokio::time::sleep_until(due.into()) => None,
            };
            match stop {
                Some(Ok(())) => return sender.stop(&name).await,
                Some(Err(_)) => return Ok(()),
                None => {}
            }
            sender.send(tag, begin_ms + tag.at_ms).await?;
        }
    }
    Ok(())
}
