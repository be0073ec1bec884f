//! Publishers that attack: whatever they send, the packager and the window agree, and what the window holds has a bound.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use crate::{
    id::{Msn, RenditionId},
    live::{
        LiveEvent,
        window::{LiveWindow, Retention},
    },
    media::{
        aac::tests::RECORD_OBS,
        ac3::tests::AC3_MONO,
        access_unit::{AccessUnit, Codec, MediaMessage, StreamMetadata, TrackId, TrackKind},
        h264::tests::RECORD_720P30,
    },
    packager::{Packager, PackagerConfig, PackagerError, PackagerNow, part::MAX_SOUND_BYTES},
    time::{Monotonic, UnixMillis},
};

/// Longest message that comes over RTMP.
const MESSAGE: usize = 8 << 20;

/// A packager and the window that it fills.
struct Attacked {
    packager: Packager,
    window: Option<LiveWindow>,
    now_ms: u64,
    /// Bytes published.
    published: usize,
    epochs: u32,
}

impl Attacked {
    fn new(records: &[(Codec, &'static [u8])]) -> Self {
        let config = PackagerConfig {
            part_target_ms: 333,
            seed: 1,
            first_msn: Msn(7),
        };
        let mut attacked = Self {
            packager: Packager::new(config),
            window: None,
            now_ms: 1000,
            published: 0,
            epochs: 0,
        };
        let has = |kind| Some(records.iter().any(|(codec, _)| codec.kind() == kind));
        let metadata = StreamMetadata {
            has_video: has(TrackKind::Video),
            has_audio: has(TrackKind::Audio),
            ..StreamMetadata::default()
        };
        attacked.push(MediaMessage::Metadata(metadata)).unwrap();
        for &(codec, record) in records {
            let track = TrackId {
                kind: codec.kind(),
                index: 0,
            };
            let record = Bytes::from_static(record);
            attacked.push(MediaMessage::Config { track, codec, record }).unwrap();
        }
        attacked
    }

    fn now(&self) -> PackagerNow {
        PackagerNow {
            monotonic: Monotonic(Duration::from_millis(self.now_ms)),
            unix: UnixMillis(1_700_000_000_000 + self.now_ms.cast_signed()),
        }
    }

    fn push(&mut self, message: MediaMessage) -> Result<(), PackagerError> {
        let now = self.now();
        let pushed = self.packager.push(now, message);
        while let Some(event) = self.packager.poll() {
            if let LiveEvent::Start(description) = event {
                self.epochs += 1;
                self.window = Some(LiveWindow::new(description, Retention::origin()));
                continue;
            }
            if let LiveEvent::Part(part) = &event {
                self.published += part.body.len();
            }
            let window = self.window.as_mut().expect("a start comes first");
            window.apply(event, now.monotonic).unwrap();
            window.expire(now.monotonic);
        }
        pushed
    }

    fn unit(&mut self, track: TrackId, timestamp_ms: u32, sync: bool, payload: &Bytes) -> Result<(), PackagerError> {
        self.push(MediaMessage::AccessUnit(AccessUnit {
            track,
            timestamp_ms,
            composition_ms: 0,
            sync,
            payload: payload.clone(),
        }))
    }
}

fn zeros(length: usize) -> Bytes {
    vec![0; length].into()
}

#[test]
fn pictures_that_all_have_one_time_are_too_much_after_64_mib() {
    let mut attacked = Attacked::new(&[(Codec::H264, RECORD_720P30)]);
    let picture = zeros(MESSAGE);
    let refused = (0..600).find_map(|frame| attacked.unit(TrackId::VIDEO, 40, frame % 2 == 0, &picture).err());
    assert_eq!(refused, Some(PackagerError::TooMuch));
    assert!(attacked.published <= 64 << 20);
    let warnings = attacked.packager.health(attacked.now()).warnings;
    assert!(warnings[0].starts_with("The stream was cut off for more than 100 Mb per second"));
}

#[test]
fn timestamps_that_jump_back_and_forth_pay_for_nothing() {
    let mut attacked = Attacked::new(&[(Codec::H264, RECORD_720P30)]);
    let picture = zeros(1 << 20);
    let taken = (0..1000).filter(|frame| {
        let at = if frame % 2 == 0 { 0 } else { 1 << 30 };
        attacked.unit(TrackId::VIDEO, at, true, &picture).is_ok()
    });
    assert!((64..80).contains(&taken.count()));
}

#[test]
fn small_pictures_of_one_time_go_on_in_other_segments() {
    let mut attacked = Attacked::new(&[(Codec::H264, RECORD_720P30)]);
    let picture = zeros(100);
    let mut taken = 0_u32;
    while attacked
        .unit(TrackId::VIDEO, 40, taken.is_multiple_of(60), &picture)
        .is_ok()
    {
        taken += 1;
    }
    assert!((60_000..70_000).contains(&taken), "{taken}");
}

#[test]
fn sound_longer_than_any_is_refused_and_breaks_nothing() {
    let mut attacked = Attacked::new(&[(Codec::Aac, RECORD_OBS)]);
    let most = MAX_SOUND_BYTES;
    for frame in 0..15_u32 {
        let sent = attacked.unit(TrackId::AUDIO, frame * 64 / 3, true, &zeros(1_200_000));
        let bytes = 1_200_000;
        assert_eq!(sent, Err(PackagerError::TooLarge { bytes, most }));
    }
    assert_eq!(attacked.packager.health(attacked.now()).dropped.unusable_audio, 15);
    for frame in 0..200_u32 {
        attacked
            .unit(TrackId::AUDIO, frame * 64 / 3, true, &zeros(300))
            .unwrap();
    }
    assert!(attacked.published > 150 * 300);
}

#[test]
fn a_large_frame_does_not_stand_in_for_three_seconds_of_missing_ones() {
    let mut attacked = Attacked::new(&[(Codec::Ac3, &[0x10, 0x08, 0xc0])]);
    let mut frame = AC3_MONO.to_vec();
    frame.resize(MAX_SOUND_BYTES, 0);
    let frame = Bytes::from(frame);
    let mut sent = 0;
    for second in 0..30 {
        attacked.now_ms = 1000 + second * 2900;
        let at = u32::try_from(second).unwrap() * 2900;
        for at in [at, at + 32] {
            attacked.unit(TrackId::AUDIO, at, true, &frame).unwrap();
            sent += frame.len();
        }
    }
    assert!(
        attacked.epochs == 1 && attacked.published <= sent + (1 << 20),
        "{}",
        attacked.published
    );
    let parts = attacked.window.unwrap();
    assert!(parts.next(RenditionId(0)).0 > Msn(20), "the sound goes on, in gaps");
}

#[test]
fn an_epoch_that_its_player_gave_up_is_followed_by_another() {
    let mut attacked = Attacked::new(&[(Codec::Aac, RECORD_OBS)]);
    let send = |attacked: &mut Attacked, frames: std::ops::Range<u32>| {
        for frame in frames {
            attacked
                .unit(TrackId::AUDIO, frame * 64 / 3, true, &zeros(300))
                .unwrap();
        }
    };
    send(&mut attacked, 0..200);
    let begun = attacked.packager.next_msn();
    attacked.packager.abandon_epoch();
    assert_eq!(attacked.packager.poll(), None);
    send(&mut attacked, 200..400);
    assert_eq!(attacked.epochs, 2);
    let description = attacked.window.unwrap().description().clone();
    assert!(description.first_msn >= begun);
}

/// An attack that got so much published has shown what it can.
const ENOUGH: usize = 128 << 20;

/// What an attacker does next.
#[derive(Clone, Debug)]
struct Blow {
    sound: bool,
    step_ms: i64,
    kilobytes: usize,
    sync: bool,
    wait_ms: u64,
    times: u32,
    reconfigured: bool,
}

fn blow() -> impl Strategy<Value = Blow> {
    let step = prop_oneof![4 => Just(0), 2 => Just(33), 1 => Just(2900), 1 => -50..3000_i64, 1 => Just(1 << 30)];
    let size = prop_oneof![3 => 0..2_usize, 2 => 0..512_usize, 1 => 0..(MESSAGE >> 10)];
    (
        any::<bool>(),
        step,
        size,
        any::<bool>(),
        prop_oneof![Just(0), Just(33), 0..20_000_u64],
        prop_oneof![3 => 1..4_u32, 1 => 1..100_u32],
        prop::bool::weighted(0.05),
    )
        .prop_map(|(sound, step_ms, kilobytes, sync, wait_ms, times, reconfigured)| Blow {
            sound,
            step_ms,
            kilobytes,
            sync,
            wait_ms,
            times,
            reconfigured,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_packager_and_the_window_never_disagree(blows in prop::collection::vec(blow(), 1..60)) {
        let mut attacked = Attacked::new(&[(Codec::H264, RECORD_720P30), (Codec::Aac, RECORD_OBS)]);
        // Not zeros, which would be looked through as millions of empty units.
        let large = Bytes::from(vec![0xff; MESSAGE]);
        let mut timestamp = 0_i64;
        for (number, blow) in blows.iter().enumerate() {
            if blow.reconfigured {
                let record = if number % 2 == 0 { &[0x11, 0x90] } else { RECORD_OBS };
                let record = Bytes::from_static(record);
                attacked.push(MediaMessage::Config { track: TrackId::AUDIO, codec: Codec::Aac, record }).unwrap();
            }
            let track = if blow.sound { TrackId::AUDIO } else { TrackId::VIDEO };
            let payload = large.slice(..(blow.kilobytes << 10).max(1));
            for _ in 0..blow.times {
                if attacked.published > ENOUGH {
                    return Ok(());
                }
                attacked.now_ms += blow.wait_ms;
                timestamp += blow.step_ms;
                // Any timestamp.
                let _ = attacked.unit(track, timestamp as u32, blow.sync, &payload);
            }
        }
    }
}
