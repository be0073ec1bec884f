//! Streams for tests: what a packager would make of steady sound and picture.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::{
    id::{Epoch, Msn, PartId, RenditionId},
    live::{BitRate, EpochDescription, LiveEvent, Part, PartFlags, RenditionDescription, RenditionFormat},
    time::{Monotonic, UnixMillis},
};

pub(crate) const VIDEO: RenditionId = RenditionId(0);
pub(crate) const AUDIO: RenditionId = RenditionId(1);
pub(crate) const FIRST_MSN: Msn = Msn(7);
/// 2026-11-22T10:00:00Z.
const ANCHOR: i64 = 1_795_341_600_000;
const VIDEO_SCALE: u32 = 90_000;
const AUDIO_SCALE: u32 = 48_000;
/// 23 frames of AAC, 0.4907 s.
const AUDIO_PART: u64 = 23 * 1024;
const VIDEO_PART: u64 = 45_000;
const PARTS: u64 = 4;

pub(crate) fn description() -> Arc<EpochDescription> {
    Arc::new(EpochDescription {
        ladder: Vec::new(),
        audio_only: false,
        opens_early: false,
        parent: None,
        epoch: Epoch(0x0123_4567_89ab_cdef),
        target_duration_s: 2,
        part_target_ms: 500,
        first_msn: FIRST_MSN,
        renditions: vec![
            RenditionDescription {
                format: RenditionFormat::Video {
                    range: Default::default(),
                    captions: crate::media::captions::Captions::default(),
                    width: 1920,
                    height: 1080,
                    frame_rate_millihertz: 60_000,
                },
                codecs: "avc1.640028".to_owned(),
                timescale: VIDEO_SCALE,
                bit_rate: BitRate {
                    peak: 6_300_000,
                    average: 5_900_000,
                },
            },
            RenditionDescription {
                format: RenditionFormat::Audio {
                    index: 0,
                    name: "main".to_owned(),
                    language: None,
                    channels: 2,
                    sample_rate: AUDIO_SCALE,
                },
                codecs: "mp4a.40.2".to_owned(),
                timescale: AUDIO_SCALE,
                bit_rate: BitRate {
                    peak: 200_000,
                    average: 160_000,
                },
            },
        ],
    })
}

/// A steady stream of 2 s segments; before each segment counted in `breaks` the publisher was away for 3 s.
pub(crate) struct Script {
    pub(crate) segments: u64,
    pub(crate) breaks: Vec<u64>,
    pub(crate) ended: bool,
}

impl Script {
    pub(crate) fn steady(segments: u64) -> Self {
        Self {
            segments,
            breaks: Vec::new(),
            ended: false,
        }
    }

    /// Events with the time at which a packager would have made them.
    pub(crate) fn events(&self) -> Vec<(Monotonic, LiveEvent)> {
        let mut timed = Vec::new();
        self.rendition(VIDEO, VIDEO_SCALE, VIDEO_PART, &mut timed);
        self.rendition(AUDIO, AUDIO_SCALE, AUDIO_PART, &mut timed);
        timed.sort_by_key(|&(at, _)| at);
        if self.ended {
            let at = timed.last().map_or_else(Monotonic::default, |&(at, _)| at);
            timed.push((at, LiveEvent::End));
        }
        timed
    }

    fn rendition(&self, rendition: RenditionId, scale: u32, step: u64, timed: &mut Vec<(Monotonic, LiveEvent)>) {
        let at = |ticks: u64| Monotonic(Duration::from_micros(ticks * 1_000_000 / u64::from(scale)));
        let mut dts = 10 * u64::from(scale);
        let mut video_end = dts;
        let mut init_id = 0;
        let init = |init_id: u32| LiveEvent::Init {
            rendition,
            init_id,
            body: Bytes::from(format!("init{init_id}")),
        };
        timed.push((at(dts), init(0)));
        for segment in 0..self.segments {
            let is_break = self.breaks.contains(&segment);
            if is_break {
                dts += 3 * u64::from(scale);
                video_end += 3 * u64::from(scale);
                init_id += 1;
                timed.push((at(dts), init(init_id)));
            }
            video_end += PARTS * VIDEO_PART * u64::from(scale) / u64::from(VIDEO_SCALE);
            let msn = Msn(FIRST_MSN.0 + segment);
            for part in 0.. {
                // Whole audio parts only: the segment ends with the part that ends nearest the video's.
                let last = dts + step + step / 2 > video_end;
                let independent = rendition == AUDIO || part == 0;
                let flags = PartFlags {
                    independent,
                    last,
                    discontinuity: is_break && part == 0,
                    gap: false,
                };
                let millis = i64::try_from(dts * 1000 / u64::from(scale)).unwrap();
                timed.push((
                    at(dts + step),
                    LiveEvent::Part(Part {
                        id: PartId { rendition, msn, part },
                        init_id,
                        dts,
                        duration: u32::try_from(step).unwrap(),
                        program_date_time: UnixMillis(ANCHOR + millis),
                        flags,
                        body: Bytes::from(format!("{}/{msn}.{part}", rendition.0)),
                    }),
                ));
                dts += step;
                if last {
                    break;
                }
            }
        }
    }
}
