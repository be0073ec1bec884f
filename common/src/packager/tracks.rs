//! What is known of the publisher's tracks: decoder configurations, and hints from its metadata.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::PackagerError;
use crate::media::{
    access_unit::{Codec, ColourInfo, MAX_AUDIO_TRACKS, StreamMetadata, TrackId, TrackKind},
    audio_config::{AudioConfig, ConfigError},
    video_config::VideoConfig,
};

/// A track's configuration as last sent.
struct Track<C> {
    codec: Codec,
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

/// Which tracks an epoch has: a bit for each, the picture's the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TrackSet(u8);

impl TrackSet {
    pub(super) fn with(self, track: TrackId) -> Self {
        Self(self.0 | 1 << place(track))
    }

    pub(super) fn has(self, track: TrackId) -> bool {
        self.0 & 1 << place(track) != 0
    }

    /// Whether it has only tracks that are carried.
    pub(super) fn is_known(self) -> bool {
        self.0 >> (1 + MAX_AUDIO_TRACKS) == 0
    }

    pub(super) fn has_video(self) -> bool {
        self.has(TrackId::VIDEO)
    }

    pub(super) fn has_audio(self) -> bool {
        self.audio().next().is_some()
    }

    /// Numbers of its audio tracks, in order.
    pub(super) fn audio(self) -> impl Iterator<Item = u8> {
        (0..MAX_AUDIO_TRACKS).filter(move |&index| self.has(TrackId::audio(index)))
    }

    pub(super) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The track whose timestamps and segments lead: the picture, else the first sound.
    pub(super) fn leading(self) -> TrackId {
        match self.audio().next() {
            Some(index) if !self.has_video() => TrackId::audio(index),
            _ => TrackId::VIDEO,
        }
    }
}

/// Of tracks that are carried.
pub(super) fn place(track: TrackId) -> usize {
    match track.kind {
        TrackKind::Video => 0,
        TrackKind::Audio => 1 + usize::from(track.index.min(MAX_AUDIO_TRACKS - 1)),
    }
}

/// Of several pictures only the first is carried.
pub(super) fn is_carried(track: TrackId) -> bool {
    track == TrackId::VIDEO || (track.kind == TrackKind::Audio && track.index < MAX_AUDIO_TRACKS)
}

#[derive(Default)]
pub(super) struct Tracks {
    video: Option<Track<VideoConfig>>,
    audio: [Option<Track<AudioConfig>>; MAX_AUDIO_TRACKS as usize],
    /// What the publisher says of the picture's colours beside the stream.
    colour: ColourInfo,
    pub(super) metadata: StreamMetadata,
    /// Tracks of this connection were published: those that were missing then have been waited for.
    published: bool,
}

impl Tracks {
    /// Takes a configuration record of a track that is carried.
    pub(super) fn configure(
        &mut self,
        track: TrackId,
        codec: Codec,
        record: &Bytes,
    ) -> Result<Configured, PackagerError> {
        match track.kind {
            TrackKind::Video => {
                let colour = self.colour;
                configure(&mut self.video, codec, record, |record| picture(codec, record, colour))
            }
            TrackKind::Audio => {
                let audio = &mut self.audio[place(track) - 1];
                configure(audio, codec, record, |record| AudioConfig::parse(codec, record))
            }
        }
    }

    /// Takes what the publisher says of colours.
    pub(super) fn set_colour(&mut self, colour: ColourInfo) -> Result<Configured, PackagerError> {
        if self.colour == colour {
            return Ok(Configured::Same);
        }
        self.colour = colour;
        let Some(video) = &mut self.video else {
            return Ok(Configured::New);
        };
        let config = picture(video.codec, &video.record, colour)?;
        let is_other = video.config != config;
        video.config = config;
        Ok(match (is_other, video.current) {
            (true, true) => Configured::Changed,
            (true, false) => Configured::New,
            (false, _) => Configured::Same,
        })
    }

    /// The connection is gone: the next one has to say again what it sends.
    pub(super) fn interrupt(&mut self) {
        if let Some(video) = &mut self.video {
            video.current = false;
        }
        for audio in self.audio.iter_mut().flatten() {
            audio.current = false;
        }
        self.colour = ColourInfo::default();
        self.metadata = StreamMetadata::default();
        self.published = false;
    }

    /// The tracks as they are now are published.
    pub(super) fn publish(&mut self) {
        self.published = true;
    }

    pub(super) fn video(&self) -> Option<&VideoConfig> {
        self.video
            .as_ref()
            .filter(|track| track.current)
            .map(|track| &track.config)
    }

    /// All sounds, by their numbers.
    pub(super) fn sounds(&self) -> impl Iterator<Item = (u8, &AudioConfig)> {
        let current = |track: &Option<Track<AudioConfig>>| track.as_ref().is_some_and(|track| track.current);
        let tracks = (0..).zip(&self.audio).filter(move |(_, track)| current(track));
        tracks.filter_map(|(index, track)| Some((index, &track.as_ref()?.config)))
    }

    pub(super) fn sound(&self, index: u8) -> Option<&AudioConfig> {
        let mut sounds = self.sounds();
        sounds.find(|&(other, _)| other == index).map(|(_, config)| config)
    }

    /// The tracks configured on this connection.
    pub(super) fn current(&self) -> TrackSet {
        let video = self
            .video()
            .map_or_else(TrackSet::default, |_| TrackSet::default().with(TrackId::VIDEO));
        self.sounds()
            .fold(video, |set, (index, _)| set.with(TrackId::audio(index)))
    }

    /// The track whose timestamps lead.
    pub(super) fn leading(&self) -> TrackId {
        self.current().leading()
    }

    /// The tracks of the stream, once that is clear: all are there that were there before (`expected`) or are spoken of, or what is missing
    /// was denied, or waited for long enough, now or when the epoch before began on this connection.
    pub(super) fn decided(&self, expected: TrackSet, waited: Waited) -> Option<TrackSet> {
        let set = self.current();
        if self.published || waited == Waited::Enough {
            return (set != TrackSet::default()).then_some(set);
        }
        let settled = |there: bool, stated: Option<bool>| {
            there || stated == Some(false) || (stated.is_none() && waited == Waited::ForUnknown)
        };
        let labelled = self
            .metadata
            .audio_tracks
            .iter()
            .map(|label| TrackId::audio(label.index));
        let all_sounds = labelled.filter(|&track| is_carried(track)).all(|track| set.has(track));
        let as_before = expected.audio().all(|index| set.has(TrackId::audio(index)));
        let sounds_settled =
            (all_sounds && as_before) || waited == Waited::ForUnknown || self.metadata.has_audio == Some(false);
        (settled(set.has_video(), self.metadata.has_video)
            && settled(set.has_audio(), self.metadata.has_audio)
            && sounds_settled
            && set != TrackSet::default())
        .then_some(set)
    }
}

/// For how long tracks that are not there were waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    No,
    /// Long enough for those that nobody spoke of.
    ForUnknown,
    /// Long enough for those too that the publisher said it has.
    Enough,
}

fn picture(codec: Codec, record: &Bytes, colour: ColourInfo) -> Result<VideoConfig, ConfigError> {
    let mut config = VideoConfig::parse(codec, record)?;
    config.colour = colour.or(config.colour);
    Ok(config)
}

fn configure<C>(
    track: &mut Option<Track<C>>,
    codec: Codec,
    record: &Bytes,
    parse: impl FnOnce(&Bytes) -> Result<C, ConfigError>,
) -> Result<Configured, PackagerError> {
    // Parsed anew where colours may have changed in between, which only the first one on a connection can have seen.
    let outcome = match track {
        Some(known) if known.codec == codec && known.record == *record && known.current => return Ok(Configured::Same),
        Some(known) if known.current => Configured::Changed,
        _ => Configured::New,
    };
    let config = parse(record)?;
    // Copied: the record outlives the network buffer that it may be a slice of.
    *track = Some(Track {
        codec,
        record: Bytes::copy_from_slice(record),
        config,
        current: true,
    });
    Ok(outcome)
}
