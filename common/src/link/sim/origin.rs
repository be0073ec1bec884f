//! A made-up origin: a source of one video and one audio rendition, a part of each every half second, four parts a segment; and a rung
//! of it, which is made while somebody watches it.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use bytes::Bytes;

use super::Random;
use crate::{
    id::{ChannelId, Epoch, Msn, PartId, RenditionId},
    link::publisher::ChannelView,
    live::{
        BitRate, EpochDescription, LiveEvent, Parent, Part, PartFlags, RenditionDescription, RenditionFormat,
        window::{LiveWindow, Retention},
    },
    time::{Monotonic, UnixMillis},
};

pub(super) const PART_MS: u64 = 500;
const PARTS_PER_SEGMENT: u64 = 4;
const FIRST_MSN: u64 = 7;
pub(super) const VIDEO: RenditionId = RenditionId(0);
pub(super) const RENDITIONS: [RenditionId; 2] = [VIDEO, RenditionId(1)];
const TIMESCALES: [u64; 2] = [90_000, 48_000];
/// How long the rung is made though nobody watches it any more.
const RUNG_LINGER: Duration = Duration::from_secs(10);
/// Epochs of the rung are counted from here.
const RUNG_EPOCHS: u64 = 1000;

/// Bodies are slices of it: cheap, and telling apart.
static NOISE: LazyLock<Bytes> = LazyLock::new(|| {
    let mut random = Random::new(99);
    (0..(2 << 20) / 8).flat_map(|_| random.draw().to_le_bytes()).collect()
});

pub(super) struct Origin {
    pub(super) source: Made,
    pub(super) rung: Made,
    /// Since the source's epoch began.
    born: u64,
    video_part_len: usize,
    /// There is a source that the rung can be made of.
    offers_rung: bool,
    demand: Demand,
}

/// Whether somebody watches the rung.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    Now,
    Until(Monotonic),
}

/// A channel's epochs.
#[derive(Default)]
pub(super) struct Made {
    windows: Vec<LiveWindow>,
}

impl Made {
    pub(super) fn current(&self) -> Option<&LiveWindow> {
        self.windows.last()
    }

    pub(super) fn window(&self, epoch: Epoch) -> Option<&LiveWindow> {
        self.windows.iter().find(|window| window.epoch() == epoch)
    }

    fn open(&mut self) -> Option<&mut LiveWindow> {
        self.windows.last_mut().filter(|window| !window.ended())
    }

    fn apply(&mut self, event: LiveEvent, now: Monotonic) {
        self.windows.last_mut().unwrap().apply(event, now).unwrap();
    }

    /// Ends its epoch, in the middle of a segment or not.
    fn end(&mut self, now: Monotonic) {
        let Some(window) = self.open() else { return };
        for rendition in window.description().rendition_ids() {
            let (msn, parts) = window.next(rendition);
            if parts > 0 {
                window.apply(LiveEvent::SegmentEnd { rendition, msn }, now).unwrap();
            }
        }
        window.apply(LiveEvent::End, now).unwrap();
    }
}

impl Origin {
    pub(super) fn new(video_part_len: usize) -> Self {
        Self {
            source: Made::default(),
            rung: Made::default(),
            born: 0,
            video_part_len,
            offers_rung: false,
            demand: Demand::Until(Monotonic::default()),
        }
    }

    pub(super) fn channel(&self, channel: &ChannelId) -> &Made {
        match channel.rung {
            None => &self.source,
            Some(_) => &self.rung,
        }
    }

    pub(super) fn view(&self, channel: &ChannelId, followed: Option<Epoch>) -> ChannelView<'_> {
        let is_rung = channel.rung.is_some();
        if is_rung && !self.offers_rung {
            return ChannelView::default();
        }
        let made = self.channel(channel);
        ChannelView {
            is_made: is_rung,
            current: made.current(),
            followed: followed.and_then(|epoch| made.window(epoch)),
        }
    }

    /// Somebody watches the rung from now on, or nobody does any more.
    pub(super) fn watch_rung(&mut self, is_watched: bool, now: Monotonic) {
        self.demand = if is_watched {
            Demand::Now
        } else {
            Demand::Until(now + RUNG_LINGER)
        };
    }

    pub(super) fn start(&mut self) {
        let first = Msn(FIRST_MSN);
        let epoch = Epoch(self.source.windows.len() as u64 + 1);
        let description = description(epoch, None, first);
        self.born = 0;
        self.offers_rung = true;
        let window = LiveWindow::new(Arc::new(description), Retention::origin());
        self.source.windows.push(window);
    }

    /// A part of each rendition is born, and of the rung if it is wanted.
    pub(super) fn bear(&mut self, now: Monotonic) {
        let birth = Birth::new(self.born);
        self.tend_rung(&birth, now);
        for (rendition, len) in RENDITIONS.into_iter().zip([self.video_part_len, 500]) {
            birth.put(&mut self.source, rendition, len, now);
        }
        if self.rung.open().is_some() {
            birth.put(&mut self.rung, VIDEO, self.video_part_len / 4, now);
        }
        if self.born.is_multiple_of(11) {
            let bit_rate = BitRate {
                peak: 1000 + self.born as u32,
                average: 1000,
            };
            let rendition = VIDEO;
            self.source.apply(LiveEvent::BitRate { rendition, bit_rate }, now);
        }
        self.born += 1;
        let windows = self.source.windows.iter_mut().chain(&mut self.rung.windows);
        windows.for_each(|window| window.expire(now));
    }

    /// The rung starts with a segment of the source, and stops when nobody watches.
    fn tend_rung(&mut self, birth: &Birth, now: Monotonic) {
        let is_wanted = match self.demand {
            Demand::Now => true,
            Demand::Until(end) => now < end,
        };
        if !is_wanted {
            self.rung.end(now);
        } else if self.rung.open().is_none() && birth.part == 0 {
            let epoch = Epoch(RUNG_EPOCHS + self.rung.windows.len() as u64);
            let parent = Parent {
                epoch: self.source.current().unwrap().epoch(),
                discontinuities: birth.discontinuities(),
            };
            let description = description(epoch, Some(parent), birth.msn);
            let window = LiveWindow::new(Arc::new(description), Retention::origin());
            self.rung.windows.push(window);
        }
    }

    /// The publisher stops.
    pub(super) fn end(&mut self, now: Monotonic) {
        self.source.end(now);
        self.rung.end(now);
    }

    /// A source that has ended has no rungs.
    pub(super) fn each_second(&mut self) {
        self.offers_rung = self.source.open().is_some();
    }
}

fn description(epoch: Epoch, parent: Option<Parent>, first_msn: Msn) -> EpochDescription {
    let video = RenditionFormat::Video {
        range: Default::default(),
        captions: crate::media::captions::Captions::default(),
        width: 16,
        height: 16,
        frame_rate_millihertz: 30_000,
    };
    let audio = RenditionFormat::Audio {
        index: 0,
        name: "main".to_owned(),
        language: None,
        channels: 2,
        sample_rate: 48_000,
    };
    let all = [(video, "avc1"), (audio, "mp4a.40.2")].into_iter().zip(TIMESCALES);
    let renditions = all.map(|((format, codecs), timescale)| RenditionDescription {
        format,
        codecs: codecs.to_owned(),
        timescale: timescale as u32,
        bit_rate: BitRate {
            peak: 1000,
            average: 1000,
        },
    });
    EpochDescription {
        ladder: Vec::new(),
        audio_only: false,
        opens_early: false,
        parent,
        epoch,
        target_duration_s: 2,
        part_target_ms: PART_MS as u32,
        first_msn,
        renditions: renditions.take(if parent.is_some() { 1 } else { 2 }).collect(),
    }
}

/// What all renditions' parts of one moment have in common.
struct Birth {
    born: u64,
    msn: Msn,
    part: u64,
    init_id: u32,
    starts_anew: bool,
}

impl Birth {
    /// Discontinuities of the epoch up to its segment.
    fn discontinuities(&self) -> u64 {
        u64::from(self.init_id)
    }

    fn new(born: u64) -> Self {
        let (msn, part) = (FIRST_MSN + born / PARTS_PER_SEGMENT, born % PARTS_PER_SEGMENT);
        // Every fifth segment starts after a break, with another init segment.
        let init_id = ((msn - FIRST_MSN) / 5) as u32;
        Self {
            born,
            msn: Msn(msn),
            part,
            init_id,
            starts_anew: part == 0 && init_id > 0 && (msn - FIRST_MSN).is_multiple_of(5),
        }
    }

    fn put(&self, made: &mut Made, rendition: RenditionId, len: usize, now: Monotonic) {
        let (msn, init_id) = (self.msn, self.init_id);
        let is_first = made.current().unwrap().description().first_msn == msn;
        if self.part == 0 && (self.starts_anew || is_first) {
            let body = NOISE.slice(init_id as usize..init_id as usize + 100);
            made.apply(
                LiveEvent::Init {
                    rendition,
                    init_id,
                    body,
                },
                now,
            );
        }
        let duration = TIMESCALES[usize::from(rendition.0)] * PART_MS / 1000;
        let offset = (self.born * 7) as usize % 5000;
        let is_last = self.part + 1 == PARTS_PER_SEGMENT;
        // Every third segment is closed by an event of its own.
        let closed_by_event = msn.0.is_multiple_of(3);
        made.apply(
            LiveEvent::Part(Part {
                id: PartId {
                    rendition,
                    msn,
                    part: self.part as u32,
                },
                init_id,
                dts: self.born * duration,
                duration: duration as u32,
                program_date_time: UnixMillis((self.born * PART_MS) as i64),
                flags: PartFlags {
                    independent: self.part == 0,
                    last: is_last && !closed_by_event,
                    discontinuity: self.starts_anew && !is_first,
                    gap: false,
                },
                body: NOISE.slice(offset..offset + len),
            }),
            now,
        );
        if is_last && closed_by_event {
            made.apply(LiveEvent::SegmentEnd { rendition, msn }, now);
        }
    }
}
