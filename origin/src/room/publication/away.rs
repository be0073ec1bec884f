//! How a room's stream is, also while its publisher is gone or stood in for.

use std::time::Duration;

use common::packager::IngestHealth;

use super::{Publication, now};

/// How it is with a room's publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Presence {
    /// It has the room, though it may be silent.
    is_there: bool,
    /// A slate is shown in its place.
    is_stood_in_for: bool,
    /// Since its newest media.
    silent_for: Duration,
}

impl Publication {
    /// `None`: no stream is open.
    pub(in crate::room) fn health(&self) -> Option<IngestHealth> {
        let (inner, now) = (self.lock(), now());
        let presence = Presence {
            is_there: inner.publisher.is_some(),
            is_stood_in_for: inner.stands_in,
            silent_for: now.monotonic.since(inner.last_media),
        };
        Some(told(inner.packager.as_ref()?.health(now), presence))
    }
}

/// `health` as it is with such a publisher: while it is away nothing that is known of media is its own, or of now. Its first warning says that
/// it is away.
fn told(health: IngestHealth, presence: Presence) -> IngestHealth {
    let Presence {
        is_there,
        is_stood_in_for,
        silent_for,
    } = presence;
    if is_there && !is_stood_in_for {
        return health;
    }
    let seconds = silent_for.as_secs();
    let meanwhile = if is_stood_in_for {
        "the slate is shown"
    } else {
        "the room waits for it"
    };
    let warning = if is_there {
        format!(
            "Nothing has arrived for {seconds} s, {meanwhile}: check the network of the computer that streams, and whether OBS still streams"
        )
    } else {
        format!(
            "The publisher is gone for {seconds} s, {meanwhile}: start streaming again in OBS, and check the network of the computer that \
             streams"
        )
    };
    IngestHealth {
        away_seconds: Some(seconds as f64),
        video: None,
        audio: None,
        audio_tracks: Vec::new(),
        av_offset_milliseconds: None,
        clock_drift_ppm: None,
        warnings: [warning].into_iter().chain(health.cut_off.clone()).collect(),
        ..health
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(is_there: bool, is_stood_in_for: bool) -> IngestHealth {
        let health = IngestHealth {
            av_offset_milliseconds: Some(3),
            warnings: vec!["Sound is silent".to_owned()],
            ..IngestHealth::default()
        };
        let presence = Presence {
            is_there,
            is_stood_in_for,
            silent_for: Duration::from_millis(12_900),
        };
        told(health, presence)
    }

    #[test]
    fn a_publisher_that_sends_is_not_away() {
        let health = with(true, false);
        assert_eq!((health.away_seconds, health.warnings.len()), (None, 1));
        assert_eq!(health.av_offset_milliseconds, Some(3));
    }

    #[test]
    fn who_is_away_and_what_is_shown_meanwhile_is_the_only_thing_said() {
        for (is_there, slate, says) in [
            (
                false,
                false,
                "The publisher is gone for 12 s, the room waits for it: start streaming again",
            ),
            (
                false,
                true,
                "The publisher is gone for 12 s, the slate is shown: start streaming again",
            ),
            (
                true,
                true,
                "Nothing has arrived for 12 s, the slate is shown: check the network",
            ),
        ] {
            let health = with(is_there, slate);
            assert_eq!((health.away_seconds, health.warnings.len()), (Some(12.0), 1));
            assert!(health.warnings[0].starts_with(says), "{:?}", health.warnings);
            assert_eq!(health.av_offset_milliseconds, None);
        }
    }
}
