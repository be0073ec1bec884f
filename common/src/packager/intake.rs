//! An access unit's first steps: whether it can be taken at all, and its place in time.

use super::{
    Packager, PackagerError, PackagerNow,
    clock::Placement,
    gather::Frame,
    part::{MAX_SAMPLE_BYTES, MAX_SOUND_BYTES},
    tracks::is_carried,
};
use crate::media::access_unit::{AccessUnit, TrackId, TrackKind};

impl Packager {
    pub(super) fn access_unit(&mut self, now: PackagerNow, unit: AccessUnit) -> Result<(), PackagerError> {
        let most = match unit.track.kind {
            TrackKind::Video => MAX_SAMPLE_BYTES,
            TrackKind::Audio => MAX_SOUND_BYTES,
        };
        let bytes = unit.payload.len();
        if bytes > most {
            self.meters.count_unusable(unit.track.kind);
            return Err(PackagerError::TooLarge { bytes, most });
        }
        // Without configuration a frame cannot be decoded; an empty one is a hint of silence.
        let (track, configured) = (unit.track, self.tracks.current());
        self.meters.came(now, &unit, configured);
        if !is_carried(track) || unit.payload.is_empty() || !configured.has(track) {
            self.meters.count_unusable(track.kind);
            return Ok(());
        }
        let at_ms = match self.clock.place(track, self.tracks.leading(), unit.timestamp_ms, now) {
            Placement::At(at_ms) => at_ms,
            Placement::AfterBreak(at_ms) => {
                self.break_off();
                at_ms
            }
            Placement::Stray => {
                self.meters.count_stray(track.kind);
                return Ok(());
            }
        };
        if !self.budget.pays(at_ms, bytes) {
            self.meters.too_much();
            return Err(PackagerError::TooMuch);
        }
        let video = self.tracks.video().filter(|_| track == TrackId::VIDEO);
        if let Some(config) = video {
            self.captions.look(config.codec, &unit.payload);
            self.gop.frame(at_ms, unit.sync);
        }
        self.meters.frame(now, &unit, at_ms, &self.tracks);
        self.inbox.push_back(Frame {
            track,
            at_ms,
            composition_ms: unit.composition_ms,
            sync: unit.sync || track.kind == TrackKind::Audio,
            payload: unit.payload,
        });
        self.run(now)
    }
}
