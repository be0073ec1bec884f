//! A film in memory, as the messages that an encoder would send: encoded once by ffmpeg, to be sent as often as one likes.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;

use crate::publisher::{self, Settings};

/// Bytes before the first tag of an FLV file, the first "previous tag size" among them.
const FLV_HEADER: usize = 13;
const TAG_HEADER: usize = 11;
const SOUND: u8 = 8;
/// Whole frames of 1024 samples at 48 kHz and pictures at 25, 30 or 60 a second end together here, so that a loop has no seam.
const LOOP_MS: u32 = 32_000;

/// One message of the film.
#[derive(Clone, Debug)]
pub struct Tag {
    /// As in RTMP: 8 is sound, 9 pictures, 18 metadata.
    pub type_id: u8,
    /// Its timestamp.
    pub at_ms: u32,
    /// When it is sent, on the same clock.
    pub due_ms: u32,
    pub body: Bytes,
}

impl Tag {
    pub fn new(type_id: u8, body: impl Into<Bytes>) -> Self {
        Self {
            type_id,
            at_ms: 0,
            due_ms: 0,
            body: body.into(),
        }
    }

    /// Codec records and metadata, which come before everything else.
    fn is_heading(&self) -> bool {
        match self.type_id {
            18 => true,
            // Enhanced RTMP says it in the packet type, sequence start being 0.
            9 => match self.body.first() {
                Some(first) if first & 0x80 != 0 => first & 0x0f == 0,
                _ => self.body.get(1) == Some(&0),
            },
            _ => match self.body.first() {
                Some(first) if first >> 4 == 9 => first & 0x0f == 0,
                _ => self.body.get(1) == Some(&0),
            },
        }
    }
}

/// Headings, then media to be repeated after `span_ms`.
#[derive(Debug)]
pub struct Recording {
    pub headings: Vec<Tag>,
    pub media: Vec<Tag>,
    pub span_ms: u32,
}

impl Recording {
    /// A picture that needs all the bits it may have, and a tone, which can be repeated without a seam.
    pub fn noise(settings: Settings, folder: &Path) -> Result<Self> {
        let file = folder.join("noise.flv");
        let mut command = publisher::noise_file(settings, LOOP_MS / 1000 + 1, &file);
        let output = command.output().context("ffmpeg does not start")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut recording = Self::read(&file)?;
        recording.media.retain(|tag| tag.at_ms < LOOP_MS);
        recording.span_ms = LOOP_MS;
        Ok(recording)
    }

    /// What an ffmpeg command line writes as FLV to its standard output.
    pub fn of(command: &mut Command) -> Result<Self> {
        let output = command.output().context("ffmpeg does not start")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self::parse(&output.stdout.into())
    }

    pub fn read(file: &Path) -> Result<Self> {
        Self::parse(&std::fs::read(file)?.into())
    }

    fn parse(flv: &Bytes) -> Result<Self> {
        ensure!(flv.starts_with(b"FLV"), "no FLV");
        let (mut headings, mut media) = (Vec::new(), Vec::new());
        let mut at = FLV_HEADER;
        while let Some(header) = flv.get(at..at + TAG_HEADER) {
            let length = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
            let at_ms = u32::from_be_bytes([header[7], header[4], header[5], header[6]]);
            let start = at + TAG_HEADER;
            ensure!(start + length <= flv.len(), "a tag is cut off");
            let tag = Tag {
                type_id: header[0],
                at_ms,
                due_ms: at_ms,
                body: flv.slice(start..start + length),
            };
            at = start + length + 4;
            // The end of a sequence is no frame, and a film that goes on has none.
            if tag.is_heading() {
                headings.push(tag);
            } else if tag.type_id != 9 || tag.body.get(1) != Some(&2) || tag.body[0] & 0x80 != 0 {
                media.push(tag);
            }
        }
        let span_ms = media.last().context("no media")?.at_ms;
        Ok(Self {
            headings,
            media,
            span_ms,
        })
    }

    /// The sound begins only then.
    pub fn without_sound_until(mut self, ms: u32) -> Self {
        self.media.retain(|tag| tag.type_id != SOUND || tag.at_ms >= ms);
        self
    }

    /// All sound is sent that much later than the pictures it belongs to.
    pub fn with_sound_sent_late(mut self, ms: u32) -> Self {
        for tag in self.media.iter_mut().filter(|tag| tag.type_id == SOUND) {
            tag.due_ms += ms;
        }
        self.media.sort_by_key(|tag| tag.due_ms);
        self
    }

    /// At `ms` another film goes on in the same connection, on the same clock.
    pub fn followed_by(mut self, next: &Self, ms: u32) -> Self {
        self.media.retain(|tag| tag.at_ms < ms);
        self.media
            .extend(next.headings.iter().chain(&next.media).map(|tag| Tag {
                at_ms: tag.at_ms + ms,
                due_ms: tag.due_ms + ms,
                ..tag.clone()
            }));
        self.span_ms = next.span_ms + ms;
        self
    }

    /// Bits of media a second, without RTMP's own bytes.
    pub fn bit_rate(&self) -> f64 {
        let bytes: usize = self.media.iter().map(|tag| tag.body.len()).sum();
        bytes as f64 * 8000.0 / f64::from(self.span_ms)
    }
}
