//! One ffmpeg at work on one rung: frames in, frames out, and neither waits for the other.

use std::{collections::VecDeque, process::Stdio, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut};
use common::{
    flv::{
        demux::{Demuxed, Demuxer},
        file::FileReader,
    },
    live::RungDescription,
    matroska::{Picture, Writer},
    media::{
        access_unit::{AccessUnit, MediaMessage, TrackKind},
        video_config::VideoConfig,
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{ChildStderr, ChildStdin, ChildStdout},
    time::{Instant, timeout, timeout_at},
};

use super::{command, encoder::Encoder, ffmpeg::Ffmpeg};

/// Most bytes that wait for ffmpeg to read them: more than ten seconds of a large stream.
const MAX_WAITING_BYTES: usize = 32 << 20;
/// Room made for each read of its output.
const READ_BYTES: usize = 64 << 10;
/// Kept of what it says on standard error.
const SAID_BYTES: usize = 2048;
/// For a process that was killed to be gone.
const DYING: Duration = Duration::from_secs(2);

/// What came back.
#[derive(Debug)]
pub(super) enum Answer {
    Config(VideoConfig),
    Frame {
        /// Session time.
        shown_ms: i64,
        sync: bool,
        payload: Bytes,
    },
    /// ffmpeg ended, and this is what it said.
    Over(String),
}

/// ffmpeg cannot take more: it reads too slowly, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choked;

/// The process dies with this value, and by itself when the origin is gone and its standard input with it.
pub(super) struct Child {
    process: tokio::process::Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    stderr: Option<ChildStderr>,
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    /// Nothing more comes.
    closing: bool,
    writer: Writer,
    /// Session time that is zero on ffmpeg's clock, as FLV has 31 bits of it.
    base_ms: i64,
    reader: FileReader,
    demuxer: Demuxer,
    demuxed: VecDeque<Demuxed>,
    /// Unwrapped, of the newest frame that came back.
    newest_ms: i64,
    said: BytesMut,
    /// Since when nothing more is read.
    over_since: Option<Instant>,
}

impl Child {
    /// Starts ffmpeg for a run of frames of `source` from `base_ms` on.
    ///
    /// # Errors
    /// Why it cannot be started, in words.
    pub(super) fn start(
        ffmpeg: &Ffmpeg,
        encoder: Encoder,
        rung: &RungDescription,
        source: &VideoConfig,
        base_ms: i64,
    ) -> Result<Self, String> {
        let picture = Picture {
            codec: source.codec,
            record: source.record.clone(),
            width: source.width,
            height: source.height,
            frame_rate_millihertz: rung.frame_rate_millihertz,
        };
        let (writer, head) = Writer::new(&picture).map_err(|reason| reason.to_string())?;
        let target = command::target(rung);
        let mut process = command::process(&ffmpeg.program);
        process
            .args(command::arguments(encoder, &target))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command::spawn(&mut process).map_err(|cause| cause.to_string())?;
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
        let stderr = process.stderr.take();
        Ok(Self {
            process,
            stdin,
            stdout: stdout.ok_or("it has no standard output")?,
            stderr,
            waiting_bytes: head.len(),
            waiting: VecDeque::from([head]),
            closing: false,
            writer,
            base_ms,
            reader: FileReader::default(),
            demuxer: Demuxer::new(),
            demuxed: VecDeque::new(),
            newest_ms: 0,
            said: BytesMut::new(),
            over_since: None,
        })
    }

    /// Gives it a frame. The first one has to be a key frame.
    pub(super) fn give(&mut self, shown_ms: i64, sync: bool, payload: Bytes) -> Result<(), Choked> {
        if self.stdin.is_none() {
            return Ok(());
        }
        let head = self.writer.frame(shown_ms - self.base_ms, sync, payload.len());
        self.waiting_bytes += head.len() + payload.len();
        if self.waiting_bytes > MAX_WAITING_BYTES {
            return Err(Choked);
        }
        self.waiting.extend([head, payload]);
        Ok(())
    }

    /// Nothing more comes: it gives back what it has, and ends.
    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    /// Ends it now.
    pub(super) async fn kill(mut self) {
        // One that is gone already cannot be killed.
        let _ = timeout(DYING, self.process.kill()).await;
    }

    /// Carries bytes to and fro until something came back. May be dropped at any await.
    pub(super) async fn next(&mut self) -> Answer {
        loop {
            if let Some(answer) = self.parse() {
                return answer;
            }
            if let Some(since) = self.over_since {
                return self.epitaph(since).await;
            }
            if self.closing && self.waiting.is_empty() {
                self.stdin = None;
            }
            self.reader.buffer().reserve(READ_BYTES);
            tokio::select! {
                read = self.stdout.read_buf(self.reader.buffer()) => {
                    if !read.is_ok_and(|length| length > 0) {
                        self.over_since = Some(Instant::now());
                    }
                }
                wrote = write(&mut self.stdin, self.waiting.front()) => match wrote {
                    Ok(length) => self.wrote(length),
                    Err(_) => {
                        // It reads no more. What it has it may still give back.
                        self.stdin = None;
                        self.waiting.clear();
                        self.waiting_bytes = 0;
                    }
                },
                more = say(&mut self.stderr, &mut self.said), if self.stderr.is_some() => if !more {
                    self.stderr = None;
                },
            }
        }
    }

    fn wrote(&mut self, length: usize) {
        self.waiting_bytes -= length;
        if let Some(front) = self.waiting.front_mut() {
            front.advance(length);
            if front.is_empty() {
                self.waiting.pop_front();
            }
        }
    }

    fn parse(&mut self) -> Option<Answer> {
        loop {
            match self.demuxed.pop_front() {
                Some(Demuxed::Media(MediaMessage::Config { codec, record, .. })) => {
                    match VideoConfig::parse(codec, &record) {
                        Ok(config) => return Some(Answer::Config(config)),
                        Err(reason) => self.said.extend_from_slice(reason.to_string().as_bytes()),
                    }
                }
                Some(Demuxed::Media(MediaMessage::AccessUnit(unit))) if unit.track.kind == TrackKind::Video => {
                    return Some(self.frame(unit));
                }
                Some(_) => {}
                None if self.over_since.is_some() => return None,
                None => match self.reader.next_tag() {
                    // A tag that cannot be read is none of a picture that could be shown.
                    Ok(Some(tag)) => self.demuxed.extend(self.demuxer.push(&tag).unwrap_or_default()),
                    Ok(None) => return None,
                    Err(reason) => {
                        self.said.extend_from_slice(reason.to_string().as_bytes());
                        self.over_since = Some(Instant::now());
                        // Nobody reads what it goes on to write. One that is gone already cannot be killed.
                        let _ = self.process.start_kill();
                    }
                },
            }
        }
    }

    fn frame(&mut self, unit: AccessUnit) -> Answer {
        // 31 bits of milliseconds: the sign of a difference is bit 30.
        let newest = self.newest_ms as u32;
        let step = (unit.timestamp_ms.wrapping_sub(newest) << 1).cast_signed() >> 1;
        self.newest_ms += i64::from(step);
        Answer::Frame {
            shown_ms: self.base_ms + self.newest_ms + i64::from(unit.composition_ms),
            sync: unit.sync,
            payload: unit.payload,
        }
    }

    /// How it ended. The time for it runs on while this is dropped and called again.
    async fn epitaph(&mut self, since: Instant) -> Answer {
        self.stdin = None;
        let ended = timeout_at(since + DYING, async {
            while say(&mut self.stderr, &mut self.said).await {}
            self.process.wait().await
        });
        let status = match ended.await {
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(cause)) => cause.to_string(),
            Err(_) => "it does not end".to_owned(),
        };
        let said = String::from_utf8_lossy(&self.said);
        let last = said.trim().lines().last().unwrap_or_default();
        Answer::Over(if last.is_empty() {
            status
        } else {
            format!("{status}: {last}")
        })
    }
}

async fn write(stdin: &mut Option<ChildStdin>, bytes: Option<&Bytes>) -> std::io::Result<usize> {
    match (stdin, bytes) {
        (Some(stdin), Some(bytes)) => stdin.write(bytes).await,
        _ => std::future::pending().await,
    }
}

/// Hears what it has to say, and keeps the end of it; `false`: it says no more.
async fn say(stderr: &mut Option<ChildStderr>, said: &mut BytesMut) -> bool {
    let Some(stderr) = stderr else { return false };
    let heard = stderr.read_buf(said).await;
    if said.len() > 2 * SAID_BYTES {
        said.advance(said.len() - SAID_BYTES);
    }
    heard.is_ok_and(|length| length > 0)
}

#[cfg(test)]
pub(super) mod tests;
