//! What is known of the publisher's tracks: decoder configurations, and hints from its metadata.

use bytes::Bytes;

use super::PackagerError;
use crate::media::{
    access_unit::{Codec, StreamMetadata, TrackKind},
    audio_config::{AudioConfig, ConfigError},
    video_config::VideoConfig,
};

/// A track's configuration as last sent.
struct Track<C> {
    record: Bytes,
    config: C,
    /// Sent on this connection, not only on one before.
    current: bool,
}

/// What a configuration record meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Configured {
    /// The first one of its track on this connection.
    New,
    /// As before.
    Same,
    /// Another one: what follows cannot be decoded with the one before.
    Changed,
}

/// Which tracks an epoch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TrackSet {
    pub(super) video: bool,
    pub(super) audio: bool,
}

#[derive(Default)]
pub(super) struct Tracks {
    video: Option<Track<VideoConfig>>,
    audio: Option<Track<AudioConfig>>,
    pub(super) metadata: StreamMetadata,
}

impl Tracks {
    /// Takes a configuration record.
    pub(super) fn configure(&mut self, codec: Codec, record: &Bytes) -> Result<Configured, PackagerError> {
        match codec.kind() {
            TrackKind::Video => configure(&mut self.video, record, |record| VideoConfig::parse(codec, record)),
            TrackKind::Audio => configure(&mut self.audio, record, |record| AudioConfig::parse(codec, record)),
        }
    }

    /// The connection is gone: the next one has to say again what it sends.
    pub(super) fn interrupt(&mut self) {
        if let Some(video) = &mut self.video {
            video.current = false;
        }
        if let Some(audio) = &mut self.audio {
            audio.current = false;
        }
        self.metadata = StreamMetadata::default();
    }

    pub(super) fn video(&self) -> Option<&VideoConfig> {
        self.video
            .as_ref()
            .filter(|track| track.current)
            .map(|track| &track.config)
    }

    pub(super) fn audio(&self) -> Option<&AudioConfig> {
        self.audio
            .as_ref()
            .filter(|track| track.current)
            .map(|track| &track.config)
    }

    /// The tracks configured on this connection.
    pub(super) fn current(&self) -> TrackSet {
        TrackSet {
            video: self.video().is_some(),
            audio: self.audio().is_some(),
        }
    }

    pub(super) fn has(&self, track: TrackKind) -> bool {
        match track {
            TrackKind::Video => self.video().is_some(),
            TrackKind::Audio => self.audio().is_some(),
        }
    }

    /// The track whose timestamps lead.
    pub(super) fn leading(&self) -> TrackKind {
        if self.video().is_some() {
            TrackKind::Video
        } else {
            TrackKind::Audio
        }
    }

    /// The tracks of the stream, once that is clear: both are there, or the missing one was denied, or waited for long enough.
    pub(super) fn decided(&self, waited: bool) -> Option<TrackSet> {
        let set = self.current();
        let settled = |there: bool, stated: Option<bool>| there || waited || stated == Some(false);
        (settled(set.video, self.metadata.has_video)
            && settled(set.audio, self.metadata.has_audio)
            && (set.video || set.audio))
            .then_some(set)
    }
}

fn configure<C>(
    track: &mut Option<Track<C>>,
    record: &Bytes,
    parse: impl FnOnce(&Bytes) -> Result<C, ConfigError>,
) -> Result<Configured, PackagerError> {
    let outcome = match track {
        Some(known) if known.record == *record => {
            let outcome = if known.current {
                Configured::Same
            } else {
                Configured::New
            };
            known.current = true;
            return Ok(outcome);
        }
        Some(known) if known.current => Configured::Changed,
        _ => Configured::New,
    };
    let config = parse(record)?;
    // Copied: the record outlives the network buffer that it may be a slice of.
    *track = Some(Track {
        record: Bytes::copy_from_slice(record),
        config,
        current: true,
    });
    Ok(outcome)
}
