//! What an epoch was made from, kept for one that has to begin before anything is measured anew: a publisher that comes back with another
//! codec is to be seen with its first key frame.

use super::{gop::FramePace, tracks::TrackSet};
use crate::{
    live::BitRate,
    media::access_unit::{MAX_AUDIO_TRACKS, TrackId},
};

#[derive(Default)]
pub(super) struct Memory {
    /// Of the newest epoch with a picture.
    pub(super) pace: Option<FramePace>,
    /// Of the newest epoch.
    pub(super) tracks: TrackSet,
    video_rate: Option<BitRate>,
    audio_rates: [Option<BitRate>; MAX_AUDIO_TRACKS as usize],
}

impl Memory {
    pub(super) fn rate(&self, track: TrackId) -> Option<BitRate> {
        if track == TrackId::VIDEO {
            return self.video_rate;
        }
        self.audio_rates.get(usize::from(track.index)).copied()?
    }

    pub(super) fn keep_rate(&mut self, track: TrackId, rate: BitRate) {
        if track == TrackId::VIDEO {
            self.video_rate = Some(rate);
        } else if let Some(kept) = self.audio_rates.get_mut(usize::from(track.index)) {
            *kept = Some(rate);
        }
    }
}
