//! Tracks that come and reach no viewer: for their codec or their number, for a configuration that cannot be read, or for want of one.

use crate::{
    media::access_unit::{AccessUnit, Codec, MAX_AUDIO_TRACKS, TrackId},
    packager::{
        PackagerNow,
        tracks::{TrackSet, is_carried, place},
    },
    time::Monotonic,
};

use super::milliseconds;

/// Tracks in codecs that are not carried, remembered of one publisher.
pub(super) const MAX_UNSUPPORTED: usize = 8;

/// Longest name of a codec, in bytes.
pub(super) const MAX_CODEC_NAME: usize = 64;

/// Tracks that may have a configuration.
const TRACKS: usize = 1 + MAX_AUDIO_TRACKS as usize;

/// A track without a configuration may get one for so long, in milliseconds: some codecs tell it in key frames alone.
const CONFIG_WAIT_MS: i64 = 5_000;

/// A track that comes and is not carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) track: TrackId,
    pub(super) why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It is in this codec, or it is one too many.
    Unsupported(String),
    /// Its newest configuration, of this codec, cannot be read.
    Unreadable(Codec),
    /// Nor can this one's, but one before could, and is still used: the track may be carried in vain.
    Outdated(Codec),
    /// Its frames came without one.
    Unconfigured,
}

/// Frames of a track that is not configured.
#[derive(Clone, Copy)]
struct Stretch {
    since: Monotonic,
    newest: Monotonic,
}

/// What is remembered of one publisher.
#[derive(Default)]
pub(super) struct LeftOutTracks {
    unsupported: Vec<(TrackId, String)>,
    /// By [`place`].
    unreadable: [Option<(TrackId, Codec)>; TRACKS],
    unconfigured: [Option<(TrackId, Stretch)>; TRACKS],
}

impl LeftOutTracks {
    /// A track that is not carried.
    pub(super) fn unsupported(&mut self, track: TrackId, codec: &str) {
        let codec: String = codec.chars().take(MAX_CODEC_NAME / char::MAX.len_utf8()).collect();
        if self.unsupported.len() < MAX_UNSUPPORTED && !self.unsupported.contains(&(track, codec.clone())) {
            self.unsupported.push((track, codec));
        }
    }

    /// A track that is carried said how it is coded.
    pub(super) fn configured(&mut self, track: TrackId, codec: Codec, is_readable: bool) {
        self.unreadable[place(track)] = (!is_readable).then_some((track, codec));
    }

    /// A frame came; `configured` are the tracks that have been.
    pub(super) fn frame(&mut self, now: PackagerNow, unit: &AccessUnit, configured: TrackSet) {
        let track = unit.track;
        if !is_carried(track) || unit.payload.is_empty() {
            return;
        }
        let stretch = &mut self.unconfigured[place(track)];
        if configured.has(track) {
            *stretch = None;
            return;
        }
        let newest = now.monotonic;
        let (_, stretch) = stretch.get_or_insert((track, Stretch { since: newest, newest }));
        stretch.newest = newest;
    }

    /// All of them, once each; `configured` are the tracks that have been.
    pub(super) fn report(&self, configured: TrackSet) -> Vec<LeftOut> {
        let unsupported = self.unsupported.iter().map(|(track, codec)| LeftOut {
            track: *track,
            why: Why::Unsupported(codec.clone()),
        });
        let unreadable = self.unreadable.iter().flatten().map(|&(track, codec)| LeftOut {
            track,
            why: if configured.has(track) {
                Why::Outdated(codec)
            } else {
                Why::Unreadable(codec)
            },
        });
        let unconfigured = self.unconfigured.iter().flatten();
        let unconfigured = unconfigured
            .filter(|(track, stretch)| {
                self.unreadable[place(*track)].is_none()
                    && milliseconds(stretch.newest, stretch.since) >= CONFIG_WAIT_MS
            })
            .map(|&(track, _)| LeftOut {
                track,
                why: Why::Unconfigured,
            });
        unsupported.chain(unreadable).chain(unconfigured).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::time::UnixMillis;

    #[test]
    fn what_a_publisher_does_not_send_right_is_bounded() {
        let mut tracks = LeftOutTracks::default();
        for index in 0..=u8::MAX {
            tracks.unsupported(TrackId::audio(index), &"x".repeat(1000));
        }
        let told = tracks.report(TrackSet::default());
        assert_eq!(told.len(), MAX_UNSUPPORTED);
        let is_short = |why: &Why| matches!(why, Why::Unsupported(codec) if codec.len() <= MAX_CODEC_NAME);
        assert!(told.iter().all(|track| is_short(&track.why)));
    }

    #[test]
    fn a_configuration_that_can_be_read_takes_the_word_back() {
        let mut tracks = LeftOutTracks::default();
        tracks.configured(TrackId::VIDEO, Codec::Hevc, false);
        tracks.configured(TrackId::audio(1), Codec::Aac, false);
        tracks.configured(TrackId::VIDEO, Codec::Hevc, true);
        let sound = LeftOut {
            track: TrackId::audio(1),
            why: Why::Unreadable(Codec::Aac),
        };
        assert_eq!(tracks.report(TrackSet::default()), [sound]);
        let carried = LeftOut {
            track: TrackId::audio(1),
            why: Why::Outdated(Codec::Aac),
        };
        let configured = TrackSet::default().with(TrackId::audio(1));
        assert_eq!(tracks.report(configured), [carried], "it is on air as it was before");
    }

    #[test]
    fn frames_without_a_configuration_are_told_of_after_five_seconds_and_until_one_comes() {
        let mut tracks = LeftOutTracks::default();
        let unit = AccessUnit {
            track: TrackId::VIDEO,
            timestamp_ms: 0,
            composition_ms: 0,
            sync: true,
            payload: Bytes::from_static(b"frame"),
        };
        let mut send = |seconds: u64, configured: TrackSet| {
            let now = PackagerNow {
                monotonic: Monotonic(Duration::from_secs(seconds)),
                unix: UnixMillis(0),
            };
            tracks.frame(now, &unit, configured);
            tracks.report(configured).len()
        };
        let none = TrackSet::default();
        assert_eq!([send(1, none), send(5, none), send(6, none)], [0, 0, 1]);
        assert_eq!(send(7, none.with(TrackId::VIDEO)), 0);
    }
}
