//! What streamers send in an evening, recorded by ffmpeg (which has to be installed), through real RTMP chunks, session, demuxer and packager.

#![expect(clippy::unwrap_used, reason = "a failing test may panic, in its helpers too")]

mod packager_support;

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};
use common::{
    cmaf::inspect,
    flv::tag::{Tag, TagKind},
    hls::lint::Rule,
    live::{Part, RenditionFormat},
    media::access_unit::{MediaMessage, TrackKind},
};
use packager_support::{Room, is_header, record};

/// The recording that is played over and over: so long that whole frames of both tracks fill it.
const LOOP_MS: u32 = 16_000;

const HOUR_MS: u32 = 3_600_000;

fn picture(rate: u32, seconds: u32, size: &str, keys: &[&str]) -> Vec<Tag> {
    let source = format!("testsrc2=size={size}:rate={rate}:duration={seconds}");
    let sound = format!("sine=frequency=440:sample_rate=48000:duration={seconds}");
    let mut arguments = vec!["-f", "lavfi", "-i", &source, "-f", "lavfi", "-i", &sound];
    arguments.extend(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]);
    arguments.extend(keys);
    arguments.extend(["-c:a", "aac", "-ac", "2"]);
    record(&arguments)
}

/// What is sent, as little as shows the rule.
#[derive(Clone, Copy)]
struct Rates {
    sound: u32,
    pictures: u32,
}

impl Rates {
    fn sounds_in_loop(self) -> usize {
        (LOOP_MS / 1000 * self.sound / 1024) as usize
    }

    fn pictures_in_loop(self) -> usize {
        (LOOP_MS / 1000 * self.pictures) as usize
    }
}

/// Frames of 42.67 ms, whose timestamps are rounded.
const ROUNDED: Rates = Rates {
    sound: 24_000,
    pictures: 10,
};
/// Frames of 128 ms, few enough for six hours.
const FEW: Rates = Rates {
    sound: 8_000,
    pictures: 5,
};

/// Headers, and the media of one loop in the order of their timestamps, which begin at zero.
fn loop_tags(rates: Rates) -> (Vec<Tag>, Vec<Tag>) {
    let source = format!("testsrc2=size=32x32:rate={}:duration=18", rates.pictures);
    let tone = format!("sine=frequency=440:sample_rate={}:duration=18", rates.sound);
    let gop = (rates.pictures * 2).to_string();
    let mut arguments = vec!["-f", "lavfi", "-i", &source, "-f", "lavfi", "-i", &tone];
    arguments.extend(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]);
    arguments.extend(["-g", &gop, "-keyint_min", &gop, "-sc_threshold", "0", "-bf", "0"]);
    arguments.extend(["-c:a", "aac", "-ac", "1"]);
    let (headers, media): (Vec<Tag>, Vec<Tag>) = record(&arguments)
        .into_iter()
        .filter(|tag| tag.kind != TagKind::Script)
        .partition(is_header);
    let of = |kind: TagKind| media.iter().filter(move |tag| tag.kind == kind);
    let at = |tag: &Tag, timestamp_ms: u32| Tag {
        timestamp_ms,
        ..tag.clone()
    };
    let pictures = of(TagKind::Video).take(rates.pictures_in_loop()).zip(0..);
    let sounds = of(TagKind::Audio).take(rates.sounds_in_loop()).zip(0..);
    let mut all: Vec<Tag> = pictures
        .map(|(tag, frame)| at(tag, frame * 1000 / rates.pictures))
        .chain(sounds.map(|(tag, frame)| at(tag, (frame * 1024 * 1000 + rates.sound / 2) / rates.sound)))
        .collect();
    all.sort_by_key(|tag| tag.timestamp_ms);
    assert_eq!(all.len(), rates.pictures_in_loop() + rates.sounds_in_loop());
    (headers, all)
}

/// Holds each frame that comes out to the one that went in.
#[derive(Default)]
struct Lips {
    /// By kind: frames on their way, with the milliseconds since the start at which they were sent.
    sent: [VecDeque<(Bytes, i64)>; 2],
    came: [u64; 2],
    /// Ticks at which what came so far ends.
    end: [Option<u64>; 2],
    /// Session time less the publisher's, by the first picture.
    offset_ms: Option<i64>,
    worst_ms: i64,
}

impl Lips {
    fn sent(&mut self, messages: &mut Vec<MediaMessage>, at_ms: i64) {
        for message in messages.drain(..) {
            if let MediaMessage::AccessUnit(unit) = message {
                let kind = usize::from(unit.track.kind == TrackKind::Audio);
                self.sent[kind].push_back((unit.payload, at_ms));
            }
        }
    }

    fn came(&mut self, part: &Part, rates: Rates) {
        let kind = usize::from(part.id.rendition.0);
        let timescale = if kind == 0 { 90_000 } else { rates.sound };
        assert!(!part.flags.discontinuity, "a break at {:?}", part.id);
        assert!(
            self.end[kind].is_none_or(|end| end == part.dts),
            "a hole at {:?}",
            part.id
        );
        self.end[kind] = Some(part.dts + u64::from(part.duration));
        for sample in &inspect::read_fragments(&part.body).unwrap()[0].samples {
            let sent_ms = loop {
                let (payload, sent_ms) = self.sent[kind].pop_front().expect("nothing is made up");
                if payload == sample.payload {
                    break sent_ms;
                }
                assert_eq!(self.came[kind], 0, "a frame of {kind} is missing at {sent_ms} ms");
            };
            self.came[kind] += 1;
            let at_ms = i64::try_from(sample.dts * 1000 / u64::from(timescale)).unwrap();
            let offset = *self.offset_ms.get_or_insert(at_ms - sent_ms);
            self.worst_ms = self.worst_ms.max((at_ms - sent_ms - offset).abs());
        }
    }
}

/// Plays the loop for so long from a timestamp on, in fast time.
fn evening(rates: Rates, start: u32, duration_ms: u32) {
    let (headers, media) = loop_tags(rates);
    let mut room = Room::new();
    room.lint_every_ms = 60_000;
    let mut lips = Lips::default();
    let begin = room.now_ms;
    for tag in headers {
        room.send(&Tag {
            timestamp_ms: start,
            ..tag
        });
    }
    for base in (0..duration_ms).step_by(LOOP_MS as usize) {
        for tag in &media {
            let at = base + tag.timestamp_ms;
            room.now_ms = begin + u64::from(at);
            room.send(&Tag {
                timestamp_ms: start.wrapping_add(at),
                ..tag.clone()
            });
            lips.sent(&mut room.messages, at.into());
        }
        for part in room.parts.drain(..) {
            lips.came(&part, rates);
        }
    }
    room.end();
    for part in room.parts.drain(..) {
        lips.came(&part, rates);
    }
    let loops = u64::from(duration_ms.div_ceil(LOOP_MS));
    assert_eq!(room.epochs.len(), 1);
    assert_eq!(lips.came[0], loops * rates.pictures_in_loop() as u64, "every picture");
    assert!(lips.came[1] + 3 >= loops * rates.sounds_in_loop() as u64, "all sound");
    assert!(lips.worst_ms <= 40, "sound is {} ms off the picture", lips.worst_ms);
    let health = room.packager.health(room.now());
    assert_eq!((health.breaks, health.silent_audio_frames), (1, 0));
}

#[test]
fn six_hours_go_past_the_extended_timestamp() {
    evening(FEW, 0, 6 * HOUR_MS);
}

#[test]
fn the_clock_passes_two_to_the_31() {
    evening(ROUNDED, 0x8000_0000 - HOUR_MS / 2, HOUR_MS);
}

#[test]
fn the_clock_wraps_at_two_to_the_31_as_that_of_obs_does() {
    // OBS masks bit 31 off.
    let (headers, media) = loop_tags(FEW);
    let mut room = Room::new();
    for tag in headers {
        room.send(&tag);
    }
    let begin = room.now_ms;
    for base in (0..5 * LOOP_MS).step_by(LOOP_MS as usize) {
        for tag in &media {
            let at = base + tag.timestamp_ms;
            room.now_ms = begin + u64::from(at);
            room.send(&Tag {
                timestamp_ms: (0x7fff_8000 + at) & 0x7fff_ffff,
                ..tag.clone()
            });
        }
    }
    room.end();
    assert_eq!((room.epochs.len(), room.packager.health(room.now()).breaks), (1, 1));
}

#[test]
fn the_clock_passes_two_to_the_32() {
    evening(ROUNDED, 0_u32.wrapping_sub(HOUR_MS / 2), HOUR_MS);
}

/// Plays a recording from its start to its end; the room must find nothing wrong with it.
fn play(tags: &[Tag]) -> Room {
    let mut room = Room::new();
    room.play(tags, 0);
    room.end();
    room
}

#[test]
fn key_frames_every_250_frames() {
    let room = play(&picture(
        30,
        30,
        "64x36",
        &["-g", "250", "-keyint_min", "250", "-sc_threshold", "0"],
    ));
    let targets: Vec<_> = room.epochs.iter().map(|epoch| epoch.target_duration_s).collect();
    assert_eq!((targets, room.packager.health(room.now()).breaks), (vec![9], 1));
}

#[test]
fn a_frame_rate_between_none_and_sixty() {
    // Sixty frames a second for two seconds, then every seventh, and none at all for most of a second.
    let select = "select='(lt(mod(t,6),2)+not(mod(n,7)))*not(between(mod(t,6),3,3.8))'";
    let mut keys = vec!["-vf", select, "-fps_mode", "vfr", "-g", "600"];
    keys.extend(["-force_key_frames", "expr:gte(t,n_forced*2)"]);
    let mut room = Room::new();
    // Of frames that are farther apart than a part may differ from the target, no part of the right length can be made.
    room.excused = vec![Rule::PartTooShort, Rule::PartTooLong];
    room.play(&picture(60, 30, "64x36", &keys), 0);
    room.end();
    assert_eq!(
        (room.epochs.len(), room.packager.health(room.now()).silent_audio_frames),
        (1, 0)
    );
    assert_eq!(room.packager.health(room.now()).breaks, 1);
}

#[test]
fn sound_alone() {
    let tags = record(&[
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=440:sample_rate=44100:duration=20",
        "-c:a",
        "aac",
        "-ac",
        "2",
    ]);
    let room = play(&tags);
    assert_eq!((room.epochs.len(), room.epochs[0].renditions.len()), (1, 1));
}

#[test]
fn pictures_alone() {
    let mut tags = picture(30, 20, "64x36", &["-g", "60"]);
    tags.retain(|tag| tag.kind != TagKind::Audio);
    let room = play(&tags);
    assert_eq!((room.epochs.len(), room.epochs[0].renditions.len()), (1, 1));
}

#[test]
fn sound_that_begins_three_seconds_late() {
    let mut tags = picture(30, 20, "64x36", &["-g", "60"]);
    tags.retain(|tag| tag.kind != TagKind::Audio || is_header(tag) || tag.timestamp_ms >= 3000);
    let room = play(&tags);
    assert_eq!((room.epochs.len(), room.packager.health(room.now()).breaks), (1, 1));
    // With its header as late, as some encoders do: it is waited for, as the metadata speaks of it.
    let (late, mut early): (Vec<Tag>, Vec<Tag>) = tags
        .into_iter()
        .partition(|tag| tag.kind == TagKind::Audio && is_header(tag));
    let place = early.iter().position(|tag| tag.kind == TagKind::Audio).unwrap();
    early.insert(
        place,
        Tag {
            timestamp_ms: 3000,
            ..late[0].clone()
        },
    );
    assert_eq!(play(&early).epochs.len(), 1);
}

#[test]
fn another_size_in_the_middle_of_a_connection_and_after_an_outage() {
    let keys = ["-g", "60", "-keyint_min", "60"];
    let small = picture(30, 10, "64x36", &keys);
    let large = picture(25, 10, "128x72", &["-g", "50", "-keyint_min", "50"]);
    let mut room = Room::new();
    room.play(&small, 0);
    let later: Vec<Tag> = large
        .iter()
        .filter(|tag| tag.kind != TagKind::Script)
        .map(|tag| Tag {
            timestamp_ms: tag.timestamp_ms + 10_000,
            ..tag.clone()
        })
        .collect();
    room.play(&later, 10_000);
    room.lose_publisher();
    room.now_ms += 5_000;
    room.connect();
    room.play(&small, 0);
    room.end();
    assert_eq!((room.epochs.len(), room.packager.health(room.now()).breaks), (1, 3));
    let marks = |rendition: u8| {
        let parts = room.parts.iter().filter(move |part| part.id.rendition.0 == rendition);
        let marked = parts.filter(|part| part.flags.discontinuity).map(|part| part.id.msn);
        marked.collect::<Vec<_>>()
    };
    assert_eq!(marks(0).len(), 2);
    assert_eq!(marks(0), marks(1));
}

/// An AAC tag as Enhanced RTMP carries it on another track.
fn on_track(index: u8, tag: &Tag) -> Tag {
    let mut body = BytesMut::new();
    // Audio multitrack, of one track; sequence start or coded frames.
    body.put_slice(&[0x95, if is_header(tag) { 0 } else { 1 }]);
    body.put_slice(b"mp4a");
    body.put_u8(index);
    body.put_slice(&tag.body[2..]);
    Tag {
        body: body.freeze(),
        ..tag.clone()
    }
}

#[test]
fn two_dubs_over_enhanced_rtmp() {
    let mut tags = Vec::new();
    for tag in picture(30, 20, "64x36", &["-g", "60"]) {
        if tag.kind == TagKind::Audio {
            tags.push(on_track(1, &tag));
        }
        tags.push(tag);
    }
    let room = play(&tags);
    assert_eq!(
        (room.epochs.len(), room.packager.health(room.now()).silent_audio_frames),
        (1, 0)
    );
    let names: Vec<_> = room.epochs[0].renditions[1..]
        .iter()
        .map(|rendition| match &rendition.format {
            RenditionFormat::Audio { name, .. } => name.as_str(),
            RenditionFormat::Video { .. } => "",
        })
        .collect();
    assert_eq!(names, ["main", "Audio 2"]);
}
