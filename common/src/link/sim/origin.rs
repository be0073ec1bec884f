//! A made-up origin: one video and one audio rendition, a part of each every half second, four parts a segment.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;

use super::Random;
use crate::{
    id::{Epoch, Msn, PartId, RenditionId},
    link::publisher::RoomView,
    live::{
        BitRate, EpochDescription, LiveEvent, Part, PartFlags, RenditionDescription, RenditionFormat,
        window::{LiveWindow, Retention},
    },
    time::{Monotonic, UnixMillis},
};

pub(super) const PART_MS: u64 = 500;
const PARTS_PER_SEGMENT: u64 = 4;
const FIRST_MSN: u64 = 7;
pub(super) const RENDITIONS: [RenditionId; 2] = [RenditionId(0), RenditionId(1)];

/// Bodies are slices of it: cheap, and telling apart.
static NOISE: LazyLock<Bytes> = LazyLock::new(|| {
    let mut random = Random::new(99);
    (0..(2 << 20) / 8).flat_map(|_| random.draw().to_le_bytes()).collect()
});

pub(super) struct Origin {
    windows: Vec<LiveWindow>,
    born: u64,
    video_part_len: usize,
}

impl Origin {
    pub(super) fn new(video_part_len: usize) -> Self {
        Self {
            windows: Vec::new(),
            born: 0,
            video_part_len,
        }
    }

    pub(super) fn current(&self) -> Option<&LiveWindow> {
        self.windows.last()
    }

    pub(super) fn window(&self, epoch: Epoch) -> Option<&LiveWindow> {
        self.windows.iter().find(|window| window.epoch() == epoch)
    }

    pub(super) fn view(&self, followed: Option<Epoch>) -> RoomView<'_> {
        RoomView {
            current: self.current(),
            followed: followed.and_then(|epoch| self.window(epoch)),
        }
    }

    pub(super) fn start(&mut self) {
        let rendition = |format, codecs: &str, timescale| RenditionDescription {
            format,
            codecs: codecs.to_owned(),
            timescale,
            bit_rate: BitRate {
                peak: 1000,
                average: 1000,
            },
        };
        let description = EpochDescription {
            ladder: Vec::new(),
            audio_only: false,
            parent: None,
            epoch: Epoch(self.windows.len() as u64 + 1),
            target_duration_s: 2,
            part_target_ms: PART_MS as u32,
            first_msn: Msn(FIRST_MSN),
            renditions: vec![
                rendition(
                    RenditionFormat::Video {
                        range: Default::default(),
                        captions: false,
                        width: 16,
                        height: 16,
                        frame_rate_millihertz: 30_000,
                    },
                    "avc1",
                    90_000,
                ),
                rendition(
                    RenditionFormat::Audio {
                        index: 0,
                        name: "main".to_owned(),
                        language: None,
                        channels: 2,
                        sample_rate: 48_000,
                    },
                    "mp4a.40.2",
                    48_000,
                ),
            ],
        };
        self.born = 0;
        self.windows
            .push(LiveWindow::new(Arc::new(description), Retention::origin()));
    }

    /// A part of each rendition is born.
    pub(super) fn bear(&mut self, now: Monotonic) {
        let (msn, number) = (FIRST_MSN + self.born / PARTS_PER_SEGMENT, self.born % PARTS_PER_SEGMENT);
        let is_last = number + 1 == PARTS_PER_SEGMENT;
        // Every fifth segment starts after a break, with another init segment; every third is closed by an event of its own.
        let init_id = ((msn - FIRST_MSN) / 5) as u32;
        let starts_anew = number == 0 && init_id > 0 && (msn - FIRST_MSN).is_multiple_of(5);
        let closed_by_event = msn.is_multiple_of(3);
        for (rendition, timescale) in RENDITIONS.into_iter().zip([90_000u64, 48_000]) {
            if number == 0 && (starts_anew || msn == FIRST_MSN) {
                let body = NOISE.slice(init_id as usize..init_id as usize + 100);
                self.apply(
                    LiveEvent::Init {
                        rendition,
                        init_id,
                        body,
                    },
                    now,
                );
            }
            let duration = timescale * PART_MS / 1000;
            let len = if rendition == RENDITIONS[0] {
                self.video_part_len
            } else {
                500
            };
            let offset = (self.born * 7) as usize % 5000;
            self.apply(
                LiveEvent::Part(Part {
                    id: PartId {
                        rendition,
                        msn: Msn(msn),
                        part: number as u32,
                    },
                    init_id,
                    dts: self.born * duration,
                    duration: duration as u32,
                    program_date_time: UnixMillis((self.born * PART_MS) as i64),
                    flags: PartFlags {
                        independent: number == 0,
                        last: is_last && !closed_by_event,
                        discontinuity: starts_anew,
                        gap: false,
                    },
                    body: NOISE.slice(offset..offset + len),
                }),
                now,
            );
            if is_last && closed_by_event {
                self.apply(
                    LiveEvent::SegmentEnd {
                        rendition,
                        msn: Msn(msn),
                    },
                    now,
                );
            }
        }
        if self.born.is_multiple_of(11) {
            let bit_rate = BitRate {
                peak: 1000 + self.born as u32,
                average: 1000,
            };
            self.apply(
                LiveEvent::BitRate {
                    rendition: RENDITIONS[0],
                    bit_rate,
                },
                now,
            );
        }
        self.born += 1;
        self.windows.iter_mut().for_each(|window| window.expire(now));
    }

    /// The publisher stops, in the middle of a segment or not.
    pub(super) fn end(&mut self, now: Monotonic) {
        for rendition in RENDITIONS {
            let (msn, parts) = self.windows.last().unwrap().next(rendition);
            if parts > 0 {
                self.apply(LiveEvent::SegmentEnd { rendition, msn }, now);
            }
        }
        self.apply(LiveEvent::End, now);
    }

    fn apply(&mut self, event: LiveEvent, now: Monotonic) {
        self.windows.last_mut().unwrap().apply(event, now).unwrap();
    }
}
