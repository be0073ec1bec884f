//! A viewer's chat socket without a browser (CONTRACT 5): everything that arrives is kept with the moment it came.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use futures::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message as Frame, client::IntoClientRequest, http::HeaderValue},
};

use crate::guest::Pass;

pub type Socket = WebSocketStream<TcpStream>;

/// Longest wait for something that is to happen at once.
const SOON: Duration = Duration::from_secs(10);
/// Longest wait for what a relay may hold while its link is away.
const HELD: Duration = Duration::from_secs(25);
static NEXT_CLIENT_ID: AtomicU64 = AtomicU64::new(1);

/// How a socket is opened.
#[derive(Clone, Debug)]
pub struct Door {
    /// `http://HOST:PORT` of the relay.
    pub relay: String,
    pub room: String,
    /// In the query.
    pub token: Option<String>,
    pub cookie: Option<String>,
    /// The `Origin` header.
    pub origin: Option<String>,
    /// Id of the last message that was seen.
    pub after: Option<i64>,
    /// Address to come from.
    pub from: Ipv4Addr,
}

impl Door {
    pub fn new(relay: &str, room: &str, token: &str) -> Self {
        Self {
            relay: relay.to_owned(),
            room: room.to_owned(),
            token: Some(token.to_owned()),
            cookie: None,
            origin: None,
            after: None,
            from: Ipv4Addr::LOCALHOST,
        }
    }

    /// Opens the socket; nothing is read from it yet.
    ///
    /// # Errors
    /// Among others [`Error::Http`] with the answer that was given in place of a socket.
    pub async fn open(&self) -> Result<Socket, Error> {
        let host = self.relay.trim_start_matches("http://");
        let mut query: Vec<String> = Vec::new();
        query.extend(self.token.as_ref().map(|token| format!("token={token}")));
        query.extend(self.after.map(|id| format!("after={id}")));
        let mut request = format!("ws://{host}/ws/rooms/{}?{}", self.room, query.join("&")).into_client_request()?;
        for (name, value) in [("cookie", &self.cookie), ("origin", &self.origin)] {
            if let Some(value) = value {
                request.headers_mut().insert(name, HeaderValue::from_str(value)?);
            }
        }
        let address: SocketAddr = host.parse().map_err(|_| Error::ConnectionClosed)?;
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::V4(SocketAddrV4::new(self.from, 0)))?;
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(client_async(request, stream).await?.0)
    }

    /// Status of the answer to the handshake: 101 when it succeeds.
    pub async fn status(&self) -> Result<u16> {
        match self.open().await {
            Ok(_) => Ok(101),
            Err(Error::Http(answer)) => Ok(answer.status().as_u16()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What `message` and `hello.history` carry.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    pub id: i64,
    pub viewer_id: String,
    pub nickname: String,
    pub role: String,
    pub text: String,
    pub sent_at: String,
    pub media_time: Option<String>,
    pub reply_to: Option<i64>,
    pub client_id: Option<String>,
    #[serde(default)]
    pub mentions: Vec<String>,
}

/// Something that came.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub at: Instant,
    pub event: Value,
}

/// All that came, in order.
#[derive(Clone, Debug, Default)]
struct Log {
    arrivals: Vec<Arrival>,
    /// Code and reason, once it is closed; code 1006 when it ended without a word.
    closed: Option<(u16, String, Option<Instant>)>,
}

/// An open socket that a task reads.
#[derive(Debug)]
pub struct Chatter {
    pub viewer_id: String,
    pub nickname: String,
    pub hello: Value,
    sink: SplitSink<Socket, Frame>,
    log: watch::Receiver<Log>,
    /// Arrivals before it are of the past.
    mark: usize,
    reader: JoinHandle<()>,
}

impl Drop for Chatter {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Chatter {
    /// Opens a socket with what a join gave, and takes its `hello`.
    pub async fn enter(relay: &str, room: &str, pass: &Pass) -> Result<Self> {
        Self::through(&Door::new(relay, room, &pass.token)).await
    }

    /// As [`Chatter::enter`], from this address.
    pub async fn enter_from(relay: &str, room: &str, pass: &Pass, from: Ipv4Addr) -> Result<Self> {
        let door = Door {
            from,
            ..Door::new(relay, room, &pass.token)
        };
        Self::through(&door).await
    }

    /// As [`Chatter::enter`], for who saw messages up to `after` already.
    pub async fn enter_again(relay: &str, room: &str, pass: &Pass, after: i64) -> Result<Self> {
        let door = Door {
            after: Some(after),
            ..Door::new(relay, room, &pass.token)
        };
        Self::through(&door).await
    }

    pub async fn through(door: &Door) -> Result<Self> {
        let (sink, stream) = door.open().await?.split();
        let (keeper, log) = watch::channel(Log::default());
        let reader = tokio::spawn(read(stream, keeper));
        let mut chatter = Self {
            viewer_id: String::new(),
            nickname: String::new(),
            hello: Value::Null,
            sink,
            log,
            mark: 0,
            reader,
        };
        chatter.hello = chatter.wait_for("hello", |event| is(event, "hello")).await?;
        let text = |key: &str| chatter.hello[key].as_str().unwrap_or_default().to_owned();
        (chatter.viewer_id, chatter.nickname) = (text("viewerId"), text("nickname"));
        Ok(chatter)
    }

    /// Sends one object.
    pub async fn send(&mut self, message: &Value) -> Result<()> {
        self.send_frame(Frame::text(message.to_string())).await
    }

    pub async fn send_frame(&mut self, frame: Frame) -> Result<()> {
        Ok(self.sink.send(frame).await?)
    }

    /// Says something without waiting for what comes of it; gives the client id.
    pub async fn say(&mut self, text: &str) -> Result<String> {
        let client_id = format!("c-{}", NEXT_CLIENT_ID.fetch_add(1, Ordering::Relaxed));
        self.say_as(text, &client_id).await?;
        Ok(client_id)
    }

    pub async fn say_as(&mut self, text: &str, client_id: &str) -> Result<()> {
        let message = json!({ "type": "say", "text": text, "clientId": client_id });
        self.send(&message).await
    }

    /// Says something and waits until it comes back; again where it comes too soon after others.
    pub async fn tell(&mut self, text: &str) -> Result<Said> {
        loop {
            let client_id = self.say(text).await?;
            let answer = self.answer_to(&client_id).await?;
            if is(&answer, "message") {
                return Ok(serde_json::from_value(answer)?);
            }
            ensure!(answer["code"] == "rateLimited", "{text:?} was refused: {answer}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// The message or the error that comes back for a client id.
    pub async fn answer_to(&self, client_id: &str) -> Result<Value> {
        self.wait_long_for("one's own message or its refusal", HELD, |event| {
            (is(event, "message") || is(event, "error")) && event["clientId"] == client_id
        })
        .await
    }

    /// Says something and gives the code of its refusal.
    pub async fn refusal(&mut self, text: &str) -> Result<String> {
        let client_id = self.say(text).await?;
        let answer = self.answer_to(&client_id).await?;
        let code = answer["code"].as_str();
        Ok(code.with_context(|| format!("{text:?} passed: {answer}"))?.to_owned())
    }

    /// From here on [`Chatter::wait_for`] looks at what comes, not at what came.
    pub fn forget_the_past(&mut self) {
        self.mark = self.log.borrow().arrivals.len();
    }

    /// The first event since the mark that `fits`, waiting for it if need be.
    pub async fn wait_for(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        self.wait_long_for(what, SOON, fits).await
    }

    pub async fn wait_long_for(&self, what: &str, limit: Duration, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        let mut log = self.log.clone();
        let mark = self.mark;
        let find = |log: &Log| {
            log.arrivals[mark..]
                .iter()
                .map(|arrival| &arrival.event)
                .find(|event| fits(event))
                .cloned()
        };
        let found = tokio::time::timeout(limit, log.wait_for(|log| find(log).is_some() || log.closed.is_some())).await;
        if let Some(event) = find(&self.log.borrow()) {
            return Ok(event);
        }
        let (came, closed) = self.told();
        match found {
            Err(_) => bail!("{}: no {what} within {limit:?}; last came {came}", self.nickname),
            Ok(_) => bail!("{}: closed ({closed:?}) before {what}; last came {came}", self.nickname),
        }
    }

    /// Waits for a message with this text.
    pub async fn hear(&self, text: &str) -> Result<Said> {
        let event = self
            .wait_for(&format!("message {text:?}"), |event| {
                is(event, "message") && event["text"] == text
            })
            .await?;
        Ok(serde_json::from_value(event)?)
    }

    /// Waits until the socket is closed, and gives code and reason of `kicked` (empty without one).
    pub async fn wait_until_closed(&self, limit: Duration) -> Result<(u16, String)> {
        let mut log = self.log.clone();
        let closed = tokio::time::timeout(limit, log.wait_for(|log| log.closed.is_some())).await;
        ensure!(
            closed.is_ok(),
            "{}: the socket is still open after {limit:?}; {:?}",
            self.nickname,
            self.told()
        );
        let log = self.log.borrow();
        let code = log.closed.as_ref().map(|(code, ..)| *code).context("closed")?;
        let kicked = log.arrivals.iter().rfind(|arrival| is(&arrival.event, "kicked"));
        let reason = kicked.and_then(|arrival| arrival.event["reason"].as_str());
        Ok((code, reason.unwrap_or_default().to_owned()))
    }

    pub fn is_open(&self) -> bool {
        self.log.borrow().closed.is_none()
    }

    /// Messages so far, those of `hello` included, in the order in which they came.
    pub fn messages(&self) -> Result<Vec<Said>> {
        let mut said: Vec<Said> = self.history()?;
        for arrival in self.arrivals() {
            if is(&arrival.event, "message") {
                said.push(serde_json::from_value(arrival.event)?);
            }
        }
        Ok(said)
    }

    /// What `hello` brought.
    pub fn history(&self) -> Result<Vec<Said>> {
        Ok(serde_json::from_value(self.hello["history"].clone())?)
    }

    pub fn arrivals(&self) -> Vec<Arrival> {
        self.log.borrow().arrivals.clone()
    }

    /// Whether something like it came since the mark.
    pub fn has(&self, fits: impl Fn(&Value) -> bool) -> bool {
        self.log.borrow().arrivals[self.mark..]
            .iter()
            .any(|arrival| fits(&arrival.event))
    }

    fn told(&self) -> (String, Option<u16>) {
        let log = self.log.borrow();
        let last: Vec<String> = log
            .arrivals
            .iter()
            .rev()
            .take(5)
            .map(|arrival| arrival.event.to_string())
            .collect();
        (last.join(" <- "), log.closed.as_ref().map(|(code, ..)| *code))
    }

    /// A ping of the client: its answer came after everything that was sent before it.
    pub async fn sync(&mut self) -> Result<()> {
        let t0 = NEXT_CLIENT_ID.fetch_add(1, Ordering::Relaxed);
        self.send(&json!({ "type": "ping", "t0": t0 })).await?;
        self.wait_for("a pong", |event| is(event, "pong") && event["t0"] == t0)
            .await?;
        Ok(())
    }
}

/// Whether the event is of this type.
pub fn is(event: &Value, kind: &str) -> bool {
    event["type"] == kind
}

async fn read(mut stream: SplitStream<Socket>, keeper: watch::Sender<Log>) {
    let mut closed = (1006, String::new());
    while let Some(Ok(frame)) = stream.next().await {
        match frame {
            Frame::Text(text) => {
                let event = serde_json::from_str(text.as_str()).unwrap_or(Value::Null);
                let at = Instant::now();
                keeper.send_modify(|log| log.arrivals.push(Arrival { at, event }));
            }
            Frame::Close(Some(frame)) => closed = (frame.code.into(), frame.reason.as_str().to_owned()),
            _ => {}
        }
    }
    let (code, reason) = closed;
    keeper.send_modify(|log| log.closed = Some((code, reason, Some(Instant::now()))));
}
