//! A publisher that speaks real RTMP, and a room that packages what it says and reads its own playlists as strictly as a client.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use common::{
    flv::{
        demux::{Demuxed, Demuxer},
        tag::{Tag, TagKind},
    },
    hls::{
        directives::Skip,
        lint::{Linter, Rule, Seen},
        media_playlist, multivariant, uri,
    },
    id::Msn,
    live::{
        EpochDescription, LiveEvent, Part,
        window::{LiveWindow, Retention},
    },
    media::access_unit::MediaMessage,
    packager::{Packager, PackagerConfig, PackagerNow},
    rtmp::{
        amf0::{self, Value},
        message::type_id,
        session::{Output, Session, Timeouts},
    },
    time::{Monotonic, UnixMillis},
};

const CHUNK_SIZE: usize = 128;
/// Where an extended timestamp begins.
const EXTENDED: u32 = 0x00ff_ffff;

/// What ffmpeg writes as FLV for these arguments.
pub(crate) fn record(arguments: &[&str]) -> Vec<Tag> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error"])
        .args(arguments)
        .args(["-f", "flv", "pipe:1"])
        .stderr(Stdio::inherit())
        .output()
        .expect("ffmpeg is installed");
    assert!(output.status.success());
    tags(&output.stdout)
}

fn tags(flv: &[u8]) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = &flv[13..];
    while rest.len() > 11 {
        let size = usize::from(rest[1]) << 16 | usize::from(rest[2]) << 8 | usize::from(rest[3]);
        tags.push(Tag {
            kind: match rest[0] {
                8 => TagKind::Audio,
                9 => TagKind::Video,
                _ => TagKind::Script,
            },
            timestamp_ms: u32::from_be_bytes([rest[7], rest[4], rest[5], rest[6]]),
            body: Bytes::copy_from_slice(&rest[11..11 + size]),
        });
        rest = &rest[11 + size + 4..];
    }
    tags
}

/// Whether the tag is a sequence header of AAC or H.264 in their old form, which goes before all media.
pub(crate) fn is_header(tag: &Tag) -> bool {
    tag.kind != TagKind::Script && tag.body[1] == 0
}

fn message(csid: u8, type_id: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![csid];
    bytes.extend(&timestamp.min(EXTENDED).to_be_bytes()[1..]);
    bytes.extend(&u32::try_from(payload.len()).unwrap().to_be_bytes()[1..]);
    bytes.push(type_id);
    bytes.extend(u32::from(matches!(type_id, 8 | 9 | 18)).to_le_bytes());
    for (number, chunk) in payload.chunks(CHUNK_SIZE).enumerate() {
        if number > 0 {
            bytes.push(0xc0 | csid);
        }
        if timestamp >= EXTENDED {
            bytes.extend(timestamp.to_be_bytes());
        }
        bytes.extend(chunk);
    }
    bytes
}

fn command(name: &str, arguments: &[Value]) -> Vec<u8> {
    let mut values = vec![Value::string(name), Value::Number(1.0)];
    values.extend_from_slice(arguments);
    message(3, type_id::COMMAND_AMF0, 0, &amf0::encode(&values))
}

/// A room with its publisher's connection.
pub(crate) struct Room {
    pub(crate) now_ms: u64,
    session: Session,
    demuxer: Demuxer,
    pub(crate) packager: Packager,
    window: Option<LiveWindow>,
    linter: Linter,
    /// Playlists are read so often, in milliseconds.
    pub(crate) lint_every_ms: u64,
    linted_ms: u64,
    /// Rules that need not be kept.
    pub(crate) excused: Vec<Rule>,
    pub(crate) epochs: Vec<EpochDescription>,
    /// Of the newest epoch, since they were last taken.
    pub(crate) parts: Vec<Part>,
    /// What the demuxer gave the packager, since it was last taken.
    pub(crate) messages: Vec<MediaMessage>,
}

impl Room {
    pub(crate) fn new() -> Self {
        let mut room = Self {
            now_ms: 1_000,
            session: Session::new(Monotonic::default(), Timeouts::default()),
            demuxer: Demuxer::new(),
            packager: Packager::new(PackagerConfig {
                part_target_ms: 333,
                seed: 7,
                first_msn: Msn(7),
            }),
            window: None,
            linter: Linter::new(),
            lint_every_ms: 0,
            linted_ms: 0,
            excused: Vec::new(),
            epochs: Vec::new(),
            parts: Vec::new(),
            messages: Vec::new(),
        };
        room.connect();
        room
    }

    /// A new connection of the publisher, as far as its permission to publish.
    pub(crate) fn connect(&mut self) {
        self.session = Session::new(self.now().monotonic, Timeouts::default());
        self.demuxer = Demuxer::new();
        let mut hello = vec![3];
        hello.extend([0; 1536 + 1536]);
        self.say(&hello);
        let app = Value::Object(vec![("app".to_owned(), Value::string("live"))]);
        self.say(&command("connect", &[app]));
        let key = "sk_aaaabbbbccccddddeeeeffff22223333";
        self.say(&command(
            "publish",
            &[Value::Null, Value::string(key), Value::string("live")],
        ));
    }

    pub(crate) fn now(&self) -> PackagerNow {
        PackagerNow {
            monotonic: Monotonic(Duration::from_millis(self.now_ms)),
            unix: UnixMillis(1_700_000_000_000 + i64::try_from(self.now_ms).unwrap()),
        }
    }

    /// Sends a tag through the connection.
    pub(crate) fn send(&mut self, tag: &Tag) {
        let (csid, type_id) = match tag.kind {
            TagKind::Audio => (4, type_id::AUDIO),
            TagKind::Video => (6, type_id::VIDEO),
            TagKind::Script => (5, type_id::DATA_AMF0),
        };
        self.say(&message(csid, type_id, tag.timestamp_ms, &tag.body));
    }

    /// Sends tags in real time; their timestamps begin at `from_ms`, which is now.
    pub(crate) fn play(&mut self, tags: &[Tag], from_ms: u32) {
        let begin = self.now_ms;
        for tag in tags {
            self.now_ms = begin + u64::from(tag.timestamp_ms.saturating_sub(from_ms));
            self.send(tag);
        }
    }

    fn say(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        while let Some(output) = self.session.poll(self.now().monotonic, &mut input) {
            match output {
                Output::PublishRequested { .. } => self.session.accept(self.now().monotonic),
                Output::Media(tag) => self.take(&tag),
                Output::Close(reason) => panic!("{reason}"),
                Output::Send(_) | Output::Stopped => {}
            }
        }
        assert!(input.is_empty());
    }

    fn take(&mut self, tag: &Tag) {
        for found in self.demuxer.push(tag).unwrap() {
            let Demuxed::Media(message) = found else {
                panic!("{found:?}")
            };
            self.messages.push(message.clone());
            self.packager.push(self.now(), message).unwrap();
        }
        self.read();
    }

    pub(crate) fn lose_publisher(&mut self) {
        self.packager.interrupted(self.now());
        self.read();
    }

    pub(crate) fn end(&mut self) {
        self.packager.end(self.now());
        self.read();
        self.lint();
    }

    fn read(&mut self) {
        let mut is_new = false;
        while let Some(event) = self.packager.poll() {
            is_new = true;
            match event {
                LiveEvent::Start(description) => {
                    self.lint();
                    self.parts.clear();
                    self.epochs.push((*description).clone());
                    self.window = Some(LiveWindow::new(description, Retention::origin()));
                    continue;
                }
                LiveEvent::Part(ref part) => self.parts.push(part.clone()),
                _ => {}
            }
            let now = self.now().monotonic;
            self.window.as_mut().unwrap().apply(event, now).unwrap();
        }
        if is_new && self.now_ms >= self.linted_ms + self.lint_every_ms {
            self.lint();
        }
    }

    /// Reads all playlists as a client would.
    fn lint(&mut self) {
        self.linted_ms = self.now_ms;
        let at = self.now().monotonic;
        let Some(window) = &mut self.window else { return };
        window.expire(at);
        let description = window.description().clone();
        let mut ids = description.rendition_ids();
        if ids.any(|id| window.segments(id).next().is_none()) {
            return;
        }
        let root = "http://relay/live/cinema/";
        let mut texts = vec![(
            format!("{root}{}/index.m3u8", description.epoch),
            multivariant::render(&description),
        )];
        for (id, rendition) in description.rendition_ids().zip(&description.renditions) {
            let name = uri::playlist(rendition.format.track());
            let url = format!("{root}{}/{name}", description.epoch);
            texts.push((url, media_playlist::render(window, id, Skip::No)));
        }
        for (url, text) in &texts {
            let seen = Seen {
                asked_at: at,
                answered_at: at,
                url,
                text,
            };
            let mut violations = self.linter.playlist(&seen);
            violations.retain(|violation| !self.excused.contains(&violation.rule));
            assert!(violations.is_empty(), "{violations:?}\n{text}");
        }
    }
}
