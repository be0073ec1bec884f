//! A publisher to feed a packager with, and a reader that holds what comes out to every rule.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;

use crate::{
    cmaf::inspect::{self, SampleEntry},
    id::{Epoch, Msn},
    live::{
        EpochDescription, LiveEvent, Part, RenditionFormat,
        window::{LiveWindow, Retention},
    },
    media::{
        aac::{AacConfig, tests::RECORD_OBS},
        access_unit::{AccessUnit, Codec, MediaMessage, TrackId, TrackKind},
        h264::tests::RECORD_720P30,
    },
    packager::{Memory, Packager, PackagerConfig, PackagerNow},
    time::{Monotonic, UnixMillis},
};

pub(super) const START_UNIX_MS: i64 = 1_700_000_000_000;

/// Another 48 kHz stereo configuration: without the extension.
pub(super) const RECORD_AAC_OTHER: &[u8] = &[0x11, 0x90];
pub(super) const RECORD_AAC_44100: &[u8] = &[0x12, 0x10];

/// Of 20 ms: what a publisher sends of silence, and what is put in for it.
const OPUS_SILENCE: &[u8] = &[0xfc, 0xff, 0xfe];

/// A packager with a publisher: frames are told apart by the number in their payload.
pub(super) struct Bench {
    pub(super) packager: Packager,
    pub(super) now_ms: u64,
    pub(super) pushed: [u64; 2],
    pub(super) reader: Reader,
}

impl Bench {
    pub(super) fn new(part_target_ms: u32) -> Self {
        Self::remembering(part_target_ms, Memory::default())
    }

    /// Ends the stream; the room's next one, in another process.
    pub(super) fn next_stream(mut self) -> Self {
        self.end();
        self.after_a_crash()
    }

    /// The room's next stream, in another process: this one was not told that it ends.
    pub(super) fn after_a_crash(self) -> Self {
        let text = self.packager.memory().to_text();
        Self::remembering(333, Memory::from_text(&text).unwrap())
    }

    fn remembering(part_target_ms: u32, memory: Memory) -> Self {
        let config = PackagerConfig {
            part_target_ms,
            seed: 1,
            first_msn: Msn(7),
        };
        Self {
            packager: Packager::remembering(config, memory),
            now_ms: 1000,
            pushed: [0, 0],
            reader: Reader::new(Msn(7)),
        }
    }

    pub(super) fn now(&self) -> PackagerNow {
        PackagerNow {
            monotonic: Monotonic(Duration::from_millis(self.now_ms)),
            unix: UnixMillis(START_UNIX_MS + i64::try_from(self.now_ms).unwrap()),
        }
    }

    pub(super) fn push(&mut self, message: MediaMessage) {
        let now = self.now();
        self.packager.push(now, message).unwrap();
        self.read();
    }

    pub(super) fn configure(&mut self, codec: Codec, record: &'static [u8]) {
        self.push(MediaMessage::Config {
            track: TrackId {
                kind: codec.kind(),
                index: 0,
            },
            codec,
            record: Bytes::from_static(record),
        });
    }

    pub(super) fn configure_sound(&mut self, index: u8, record: &'static [u8]) {
        self.push(MediaMessage::Config {
            track: TrackId::audio(index),
            codec: Codec::Aac,
            record: Bytes::from_static(record),
        });
    }

    pub(super) fn configure_both(&mut self) {
        self.configure(Codec::Aac, RECORD_OBS);
        self.configure(Codec::H264, RECORD_720P30);
    }

    pub(super) fn video(&mut self, timestamp_ms: u32, composition_ms: i32, sync: bool) {
        let payload = self.payload(TrackKind::Video);
        self.push(MediaMessage::AccessUnit(AccessUnit {
            track: TrackId::VIDEO,
            timestamp_ms,
            composition_ms,
            sync,
            payload,
        }));
    }

    pub(super) fn audio(&mut self, timestamp_ms: u32) {
        self.sound(0, timestamp_ms);
    }

    /// A frame of the sound of this number.
    pub(super) fn sound(&mut self, index: u8, timestamp_ms: u32) {
        let payload = self.payload(TrackKind::Audio);
        self.push(MediaMessage::AccessUnit(AccessUnit {
            track: TrackId::audio(index),
            timestamp_ms,
            composition_ms: 0,
            sync: true,
            payload,
        }));
    }

    fn payload(&mut self, track: TrackKind) -> Bytes {
        let number = &mut self.pushed[usize::from(track == TrackKind::Audio)];
        *number += 1;
        // Eight bytes, which no frame of silence has.
        Bytes::copy_from_slice(&number.to_be_bytes())
    }

    /// Sends `ms` of both tracks from a timestamp on, in real time.
    pub(super) fn send(&mut self, from: u32, ms: u32, fps: u32, gop: u32) {
        self.send_with(1, from, ms, fps, gop);
    }

    /// The same with so many sounds.
    pub(super) fn send_with(&mut self, sounds: u8, from: u32, ms: u32, fps: u32, gop: u32) {
        let begin = self.now_ms;
        let mut sound = 0;
        for frame in 0..ms * fps / 1000 {
            let at = frame * 1000 / fps;
            while sound * 1024 / 48 <= at {
                self.now_ms = begin + u64::from(sound * 1024 / 48);
                for index in 0..sounds {
                    self.sound(index, from + sound * 1024 / 48);
                }
                sound += 1;
            }
            self.now_ms = begin + u64::from(at);
            self.video(from + at, 0, frame % gop == 0);
        }
        self.now_ms = begin + u64::from(ms);
    }

    pub(super) fn tick(&mut self) {
        let now = self.now();
        self.packager.tick(now);
        self.read();
    }

    pub(super) fn interrupt(&mut self) {
        let now = self.now();
        self.packager.interrupted(now);
        self.read();
    }

    pub(super) fn end(&mut self) {
        let now = self.now();
        self.packager.end(now);
        self.read();
        self.reader.finish();
        let dropped = self.packager.health(self.now()).dropped;
        let video = dropped.before_start_video + dropped.out_of_time_video + dropped.unusable_video;
        let audio = dropped.before_start_audio + dropped.out_of_time_audio + dropped.unusable_audio;
        assert_eq!(
            self.reader.frames[0] + video,
            self.pushed[0],
            "video frames: {dropped:?}"
        );
        assert_eq!(
            self.reader.frames[1] + audio,
            self.pushed[1],
            "audio frames: {dropped:?}"
        );
    }

    fn read(&mut self) {
        while let Some(event) = self.packager.poll() {
            self.reader.take(event);
        }
    }

    pub(super) fn epochs(&self) -> usize {
        self.reader.epochs.len()
    }

    /// Segments of a rendition of the newest epoch.
    pub(super) fn segments(&self, rendition: usize) -> Vec<Segment> {
        self.reader.epochs.last().unwrap().tracks[rendition]
            .segments
            .values()
            .cloned()
            .collect()
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Segment {
    pub(super) parts: Vec<Part>,
    pub(super) closed: bool,
}

impl Segment {
    pub(super) fn seconds(&self, timescale: u32) -> f64 {
        self.parts.iter().map(|p| f64::from(p.duration)).sum::<f64>() / f64::from(timescale)
    }

    pub(super) fn is_discontinuity(&self) -> bool {
        self.parts[0].flags.discontinuity
    }
}

#[derive(Default)]
pub(super) struct Track {
    pub(super) segments: BTreeMap<Msn, Segment>,
    inits: u32,
    /// Ticks at which what has been read ends.
    end: Option<u64>,
    number: u64,
}

pub(super) struct EpochRead {
    pub(super) description: EpochDescription,
    pub(super) tracks: Vec<Track>,
    pub(super) ended: bool,
}

/// Reads events as a strict window would, and the bytes in them.
pub(super) struct Reader {
    pub(super) epochs: Vec<EpochRead>,
    /// Frames of the publisher read, by track.
    pub(super) frames: [u64; 2],
    next_msn: Msn,
    /// The newest epoch's, as the origin has it.
    window: Option<LiveWindow>,
    pub(super) silent: u64,
    /// Parts below 85 % because the next frame did not fit.
    pub(super) forced: u64,
}

impl Reader {
    fn new(next_msn: Msn) -> Self {
        Self {
            epochs: Vec::new(),
            frames: [0, 0],
            next_msn,
            window: None,
            silent: 0,
            forced: 0,
        }
    }

    fn take(&mut self, event: LiveEvent) {
        if let LiveEvent::Start(description) = &event {
            assert!(
                self.epochs.last().is_none_or(|epoch| epoch.ended),
                "an epoch starts within another"
            );
            assert!(
                self.epochs
                    .iter()
                    .all(|epoch| epoch.description.epoch != description.epoch)
            );
            assert_eq!(description.first_msn, self.next_msn);
            assert_ne!(description.epoch, Epoch(0));
            description.validate().unwrap();
            self.window = Some(LiveWindow::new(description.clone(), Retention::origin()));
            let tracks = description.renditions.iter().map(|_| Track::default()).collect();
            self.epochs.push(EpochRead {
                description: (**description).clone(),
                tracks,
                ended: false,
            });
            return;
        }
        let window = self.window.as_mut().expect("a start comes first");
        window.apply(event.clone(), Monotonic::default()).unwrap();
        let epoch = self.epochs.last_mut().unwrap();
        assert!(!epoch.ended, "{event:?} after the end");
        match event {
            LiveEvent::Init {
                rendition,
                init_id,
                body,
            } => {
                let track = &mut epoch.tracks[usize::from(rendition.0)];
                assert_eq!(init_id, track.inits);
                track.inits += 1;
                let description = &epoch.description.renditions[usize::from(rendition.0)];
                let is_read = ["avc1", "mp4a"]
                    .iter()
                    .any(|known| description.codecs.starts_with(known));
                if !is_read {
                    return;
                }
                let init = inspect::read_init(&body).unwrap();
                assert_eq!(init.timescale, description.timescale);
                let is_video = matches!(init.entry, SampleEntry::Video { .. });
                assert_eq!(is_video, matches!(description.format, RenditionFormat::Video { .. }));
            }
            LiveEvent::Part(part) => self.part(part),
            LiveEvent::SegmentEnd { rendition, msn } => {
                let track = &mut epoch.tracks[usize::from(rendition.0)];
                let mut newest = track.segments.last_entry().expect("a segment to end");
                assert!(!newest.get().closed && *newest.key() == msn);
                newest.get_mut().closed = true;
            }
            LiveEvent::BitRate { rendition, bit_rate } => {
                let declared = &mut epoch.description.renditions[usize::from(rendition.0)].bit_rate;
                assert!(
                    bit_rate.peak >= declared.peak && bit_rate.average >= declared.average && bit_rate != *declared
                );
                *declared = bit_rate;
            }
            LiveEvent::End => {
                epoch.ended = true;
                self.close_epoch();
            }
            LiveEvent::Start(_) => unreachable!(),
        }
    }

    fn part(&mut self, part: Part) {
        let epoch = self.epochs.last_mut().unwrap();
        let index = usize::from(part.id.rendition.0);
        let description = &epoch.description.renditions[index];
        let is_video = matches!(description.format, RenditionFormat::Video { .. });
        let track = &mut epoch.tracks[index];
        let first_msn = epoch.description.first_msn;
        let expected = match track.segments.last_key_value() {
            None => (first_msn, 0),
            Some((msn, segment)) if segment.closed => (msn.next(), 0),
            Some((msn, segment)) => (*msn, u32::try_from(segment.parts.len()).unwrap()),
        };
        assert_eq!((part.id.msn, part.id.part), expected);
        assert_eq!(part.init_id + 1, track.inits, "refers to the newest init segment");

        let fragments = inspect::read_fragments(&part.body).unwrap();
        let [fragment] = fragments.as_slice() else {
            panic!("{} fragments", fragments.len())
        };
        assert_eq!(fragment.samples[0].dts, part.dts);
        assert_eq!(fragment.duration(), u64::from(part.duration));
        match track.end {
            Some(end) if part.flags.discontinuity => assert!(part.dts >= end, "{} after {end}", part.dts),
            Some(end) => assert_eq!(part.dts, end, "a hole or an overlap at {:?}", part.id),
            None => assert!(!part.flags.discontinuity),
        }
        track.end = Some(part.dts + u64::from(part.duration));
        let silence = AacConfig::parse(&Bytes::from_static(RECORD_OBS))
            .unwrap()
            .silent_frame();
        for sample in &fragment.samples {
            assert!(sample.duration > 0);
            if sample.payload == silence || sample.payload == OPUS_SILENCE {
                self.silent += 1;
                continue;
            }
            let number = u64::from_be_bytes(sample.payload.as_ref().try_into().unwrap());
            assert!(number > track.number, "frame {number} after {}", track.number);
            track.number = number;
            self.frames[usize::from(!is_video)] += 1;
        }
        assert_eq!(part.flags.independent, fragment.samples[0].is_sync());
        assert!(
            part.id.part > 0 || part.flags.independent,
            "a segment starts without a key frame"
        );

        let target = u64::from(epoch.description.part_target_ms) * u64::from(description.timescale);
        let duration = u64::from(part.duration) * 1000;
        if fragment.samples.len() > 1 {
            assert!(
                duration <= target,
                "{:?} lasts {} ms",
                part.id,
                duration / u64::from(description.timescale)
            );
        }
        // Checked at the next part, which shows what did not fit.
        let previous = track
            .segments
            .values()
            .next_back()
            .and_then(|s| s.parts.last())
            .filter(|p| !p.flags.last);
        if let Some(previous) = previous.filter(|p| p.id.msn == part.id.msn) {
            let lasted = u64::from(previous.duration) * 1000;
            let with_next = lasted + u64::from(fragment.samples[0].duration) * 1000;
            if lasted * 100 < target * 85 {
                assert!(with_next > target, "{:?} is short for no reason", previous.id);
                self.forced += 1;
            }
        }
        let segment = track.segments.entry(part.id.msn).or_default();
        segment.closed = part.flags.last;
        segment.parts.push(part);
    }

    fn close_epoch(&mut self) {
        let epoch = self.epochs.last_mut().unwrap();
        let limit = f64::from(epoch.description.target_duration_s) + 0.4995;
        let mut numbers = Vec::new();
        for (track, rendition) in epoch.tracks.iter().zip(&epoch.description.renditions) {
            for (msn, segment) in &track.segments {
                let seconds = segment.seconds(rendition.timescale);
                assert!(seconds <= limit, "segment {msn} lasts {seconds} s");
            }
            let breaks: Vec<_> = track
                .segments
                .iter()
                .map(|(msn, s)| (*msn, s.is_discontinuity()))
                .collect();
            numbers.push(breaks);
        }
        assert!(numbers.windows(2).all(|pair| pair[0] == pair[1]), "{numbers:?}");
        if let Some((msn, _)) = numbers[0].last() {
            self.next_msn = msn.next();
        }
    }

    fn finish(&self) {
        assert!(self.epochs.last().is_none_or(|epoch| epoch.ended));
    }
}
