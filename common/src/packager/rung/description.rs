//! What a rung's epoch is: its own picture, and all else as in the source's epoch.

use super::{RungPackager, opened::Slot};
use crate::{
    cmaf::VIDEO_TIMESCALE,
    live::{EpochDescription, Parent, RenditionDescription, RenditionFormat, VideoRange},
    media::video_config::VideoConfig,
};

impl RungPackager {
    pub(super) fn describe(&self, first: &Slot, config: &VideoConfig) -> EpochDescription {
        let captions = self.parent.captions();
        EpochDescription {
            epoch: self.epoch,
            target_duration_s: self.parent.target_duration_s,
            part_target_ms: self.parent.part_target_ms,
            first_msn: first.msn,
            renditions: vec![RenditionDescription {
                format: RenditionFormat::Video {
                    width: config.width,
                    height: config.height,
                    frame_rate_millihertz: self.rung.frame_rate_millihertz,
                    range: VideoRange::Sdr,
                    captions,
                },
                codecs: config.codecs.clone(),
                timescale: VIDEO_TIMESCALE,
                bit_rate: self.rung.bit_rate,
            }],
            ladder: Vec::new(),
            audio_only: false,
            opens_early: false,
            parent: Some(Parent {
                epoch: self.parent.epoch,
                discontinuities: first.discontinuities,
            }),
        }
    }
}
