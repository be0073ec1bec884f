//! The session of one publisher, from the first byte of the handshake to the end of the connection.
//!
//! Sans-IO: [`Session::poll`] takes bytes and the time and gives one [`Output`] after the other. The session knows the protocol's
//! order and its time-outs. Who may publish is not known here: [`Output::PublishRequested`] asks, and until [`Session::accept`] or
//! [`Session::refuse`] answers, no further input is taken, so media of a refused publisher is never read.
//! One connection carries one stream: a second `connect` or `publish` closes it. The handshake of `rml_rtmp` fills S1 with random
//! bytes of its own; nothing else here depends on chance.

use std::{collections::VecDeque, time::Duration};

use rml_rtmp::{
    handshake::{Handshake, HandshakeProcessResult, PeerType},
    messages::{PeerBandwidthLimitType, RtmpMessage},
};

use super::{
    amf0::{self, Value},
    chunk_reader::ChunkReader,
    message::{Message, type_id},
    outbound::Outbound,
    publish_status::{self, Refusal, STREAM_ID},
    stream_key::StreamKey,
};
use crate::{
    flv::tag::{Tag, TagKind},
    time::Monotonic,
};

pub use output::{CloseReason, Output, ProtocolError};
pub use timeouts::{HANDSHAKE_TIMEOUT, MEDIA_TIMEOUT, PUBLISH_TIMEOUT, REFUSAL_LINGER, STOP_LINGER, Timeouts};

mod output;
mod timeouts;

/// The app that is published to.
pub const APP: &str = "live";
/// Window that we announce, and in which we acknowledge unless the peer names another, bytes.
pub const ACKNOWLEDGEMENT_WINDOW: u32 = 2_500_000;
/// C0, C1 and C2 together, bytes.
const HANDSHAKE_LEN: usize = 1 + 2 * 1536;
/// User control event of RTMP 1.0 section 7.1.7: a ping, to be answered with its timestamp.
const PING_REQUEST: [u8; 2] = [0, 6];

enum Stage {
    /// With the number of bytes taken so far.
    Handshake(Box<Handshake>, usize),
    /// Handshake done, waiting for `connect`.
    Connecting,
    /// Waiting for `publish`.
    Connected,
    /// Waiting for the driver's answer.
    Asked,
    Publishing,
    /// All is said; what still comes is thrown away until the deadline.
    Leaving(CloseReason),
    Closed,
}

/// A publisher's session. See the module's documentation.
pub struct Session {
    timeouts: Timeouts,
    stage: Stage,
    deadline: Option<Monotonic>,
    reader: ChunkReader,
    outbound: Outbound,
    /// What one message leads to, a handful at most: taken out before the next message is read.
    outputs: VecDeque<Output>,
    received: u64,
    acknowledged: u64,
    window: u32,
}

impl Session {
    /// A session for a connection that was opened at `now`.
    pub fn new(now: Monotonic, timeouts: Timeouts) -> Self {
        Self {
            timeouts,
            stage: Stage::Handshake(Box::new(Handshake::new(PeerType::Server)), 0),
            deadline: Some(now + timeouts.handshake),
            reader: ChunkReader::new(),
            outbound: Outbound::new(),
            outputs: VecDeque::new(),
            received: 0,
            acknowledged: 0,
            window: ACKNOWLEDGEMENT_WINDOW,
        }
    }

    /// When to call [`Session::poll`] even if no bytes came.
    pub fn deadline(&self) -> Option<Monotonic> {
        self.deadline
    }

    /// Takes input, moving it on, and gives the next thing to do; `None` when there is nothing to do before more input, the deadline
    /// or the driver's answer to [`Output::PublishRequested`]. Input left over after `None` is to be given again after the answer.
    pub fn poll(&mut self, now: Monotonic, input: &mut &[u8]) -> Option<Output> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            let before = input.len();
            let progress = self.step(now, input);
            self.received += (before - input.len()) as u64;
            match progress {
                Ok(true) => {}
                Ok(false) => self.wait(now)?,
                Err(error) => self.close(CloseReason::Protocol(error)),
            }
        }
    }

    /// The publication asked for is accepted.
    pub fn accept(&mut self, now: Monotonic) {
        if matches!(self.stage, Stage::Asked) {
            self.stage = Stage::Publishing;
            self.deadline = Some(now + self.timeouts.media);
            self.reader.accept_media();
            self.send_stream_begin(STREAM_ID);
            self.send_command(STREAM_ID, &publish_status::publish_started());
        }
    }

    /// The publication asked for is refused: the peer is told, and after [`REFUSAL_LINGER`] [`Output::Close`] comes.
    pub fn refuse(&mut self, now: Monotonic, refusal: Refusal) {
        if matches!(self.stage, Stage::Asked) {
            self.send_command(STREAM_ID, &publish_status::publish_refused(refusal));
            self.leave(now, CloseReason::Refused(refusal), REFUSAL_LINGER);
        }
    }

    /// Takes one step with the input. False: nothing more can be done with it now.
    fn step(&mut self, now: Monotonic, input: &mut &[u8]) -> Result<bool, ProtocolError> {
        match &mut self.stage {
            Stage::Handshake(handshake, taken) => {
                let (bytes, rest) = input.split_at(input.len().min(HANDSHAKE_LEN - *taken));
                if bytes.is_empty() {
                    return Ok(false);
                }
                *input = rest;
                *taken += bytes.len();
                let (response, completed) = match handshake.process_bytes(bytes) {
                    Ok(HandshakeProcessResult::InProgress { response_bytes }) => (response_bytes, false),
                    Ok(HandshakeProcessResult::Completed { response_bytes, .. }) => (response_bytes, true),
                    Err(_) => return Err(ProtocolError::Handshake),
                };
                if !response.is_empty() {
                    self.outputs.push_back(Output::Send(response));
                }
                if completed {
                    self.stage = Stage::Connecting;
                    self.deadline = Some(now + self.timeouts.publish);
                }
                Ok(true)
            }
            Stage::Connecting | Stage::Connected | Stage::Publishing => match self.reader.read(input)? {
                Some(message) => self.message(now, message).map(|()| true),
                None => Ok(false),
            },
            Stage::Asked => Ok(false),
            Stage::Leaving(_) | Stage::Closed => {
                *input = &[];
                Ok(false)
            }
        }
    }

    /// All input is used: acknowledges it, looks at the clock. `None` when there is nothing to do but wait.
    fn wait(&mut self, now: Monotonic) -> Option<()> {
        let takes_messages = matches!(self.stage, Stage::Connecting | Stage::Connected | Stage::Publishing);
        // Here rather than at each message, so that a peer with a tiny window gets one answer for each read.
        if takes_messages && self.received - self.acknowledged >= u64::from(self.window) {
            self.acknowledged = self.received;
            // The running total, wrapping: the low 32 bits are the sequence number of section 5.4.3.
            let sequence_number = self.received as u32;
            self.send_control(RtmpMessage::Acknowledgement { sequence_number });
            return Some(());
        }
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return None;
        }
        match self.stage {
            Stage::Handshake(..) => self.close(CloseReason::HandshakeTimeout),
            Stage::Connecting | Stage::Connected => self.close(CloseReason::PublishTimeout),
            Stage::Publishing => self.close(CloseReason::MediaTimeout),
            Stage::Leaving(reason) => self.close(reason),
            Stage::Asked | Stage::Closed => return None,
        }
        Some(())
    }

    fn message(&mut self, now: Monotonic, message: Message) -> Result<(), ProtocolError> {
        let publishing = matches!(self.stage, Stage::Publishing);
        match message.type_id {
            type_id::COMMAND_AMF0 => self.command(now, &message.payload)?,
            type_id::COMMAND_AMF3 => self.command(now, amf0::behind_amf3_marker(&message.payload))?,
            type_id::AUDIO if publishing => self.media(now, TagKind::Audio, message),
            type_id::VIDEO if publishing => self.media(now, TagKind::Video, message),
            type_id::DATA_AMF0 | type_id::DATA_AMF3 if publishing => {
                let amf0 = amf0::behind_amf3_marker(&message.payload);
                let body = message.payload.slice(message.payload.len() - amf0.len()..);
                let tag = Tag {
                    kind: TagKind::Script,
                    timestamp_ms: message.timestamp_ms,
                    body,
                };
                self.outputs.push_back(Output::Media(tag));
            }
            type_id::USER_CONTROL => self.user_control(&message.payload),
            type_id::WINDOW_ACKNOWLEDGEMENT_SIZE => {
                self.window = message
                    .number()
                    .filter(|&window| window > 0)
                    .unwrap_or(ACKNOWLEDGEMENT_WINDOW);
            }
            // Acknowledgements, bandwidth wishes, shared objects, aggregates, types of the future: nothing we need.
            _ => {}
        }
        Ok(())
    }

    fn media(&mut self, now: Monotonic, kind: TagKind, message: Message) {
        self.deadline = Some(now + self.timeouts.media);
        self.outputs.push_back(Output::Media(Tag {
            kind,
            timestamp_ms: message.timestamp_ms,
            body: message.payload,
        }));
    }

    fn user_control(&mut self, payload: &[u8]) {
        let Some((event, rest)) = payload.split_first_chunk::<2>() else {
            return;
        };
        if *event == PING_REQUEST
            && let Some(timestamp) = rest.first_chunk()
        {
            let pong = self.outbound.pong(u32::from_be_bytes(*timestamp));
            self.outputs.push_back(Output::Send(pong));
        }
    }

    fn command(&mut self, now: Monotonic, payload: &[u8]) -> Result<(), ProtocolError> {
        let values = amf0::decode(payload)?;
        let [Value::String(name), Value::Number(transaction), arguments @ ..] = &values[..] else {
            return Err(ProtocolError::MalformedCommand);
        };
        match (name.as_str(), &self.stage) {
            ("connect", Stage::Connecting) => self.connect(now, *transaction, arguments),
            ("connect", _) => return Err(ProtocolError::SecondConnect),
            (_, Stage::Connecting) => return Err(ProtocolError::NotConnected),
            ("createStream", _) => self.send_command(0, &publish_status::stream_created(*transaction)),
            ("releaseStream" | "FCPublish", _) => self.send_command(0, &publish_status::done(*transaction)),
            ("publish", Stage::Publishing) => return Err(ProtocolError::SecondPublish),
            ("publish", _) => {
                // After the command object, which is null.
                let stream_name = arguments
                    .get(1)
                    .and_then(Value::as_str)
                    .ok_or(ProtocolError::NoStreamName)?;
                self.publish(now, stream_name);
            }
            ("play" | "play2", _) => {
                self.send_command(STREAM_ID, &publish_status::play_refused());
                self.leave(now, CloseReason::PlayRefused, REFUSAL_LINGER);
            }
            ("FCUnpublish" | "deleteStream" | "closeStream", Stage::Publishing) => {
                self.outputs.push_back(Output::Stopped);
                self.leave(now, CloseReason::Stopped, STOP_LINGER);
            }
            _ => {}
        }
        Ok(())
    }

    fn connect(&mut self, now: Monotonic, transaction: f64, arguments: &[Value]) {
        self.send_control(RtmpMessage::WindowAcknowledgement {
            size: ACKNOWLEDGEMENT_WINDOW,
        });
        self.send_control(RtmpMessage::SetPeerBandwidth {
            size: ACKNOWLEDGEMENT_WINDOW,
            limit_type: PeerBandwidthLimitType::Dynamic,
        });
        self.send_stream_begin(0);
        let chunk_size = self.outbound.announce_chunk_size();
        self.outputs.push_back(Output::Send(chunk_size));

        let app = arguments
            .first()
            .and_then(|object| object.property("app"))
            .and_then(Value::as_str);
        if app.is_some_and(is_our_app) {
            self.send_command(0, &publish_status::connect_accepted(transaction));
            self.stage = Stage::Connected;
        } else {
            for answer in publish_status::connect_invalid_app(transaction) {
                self.send_command(0, &answer);
            }
            self.leave(now, CloseReason::InvalidApp, REFUSAL_LINGER);
        }
    }

    fn publish(&mut self, now: Monotonic, stream_name: &str) {
        self.stage = Stage::Asked;
        self.deadline = None;
        match StreamKey::from_stream_name(stream_name) {
            Some(key) => self.outputs.push_back(Output::PublishRequested {
                key,
                app: APP.to_owned(),
            }),
            None => self.refuse(now, Refusal::UnknownKey),
        }
    }

    fn leave(&mut self, now: Monotonic, reason: CloseReason, linger: Duration) {
        self.stage = Stage::Leaving(reason);
        self.deadline = Some(now + linger);
    }

    fn close(&mut self, reason: CloseReason) {
        self.stage = Stage::Closed;
        self.deadline = None;
        self.outputs.push_back(Output::Close(reason));
    }

    fn send_stream_begin(&mut self, stream_id: u32) {
        let begin = self.outbound.stream_begin(stream_id);
        self.outputs.push_back(Output::Send(begin));
    }

    fn send_control(&mut self, message: RtmpMessage) {
        let bytes = self.outbound.control(message);
        self.outputs.push_back(Output::Send(bytes));
    }

    fn send_command(&mut self, stream_id: u32, values: &[Value]) {
        let bytes = self.outbound.command(stream_id, values);
        self.outputs.push_back(Output::Send(bytes));
    }
}

/// Some encoders put the query on the app, or a slash after it.
fn is_our_app(app: &str) -> bool {
    app.split('?').next().is_some_and(|path| path.trim_matches('/') == APP)
}

#[cfg(test)]
mod tests;
