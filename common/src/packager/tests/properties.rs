//! Whatever a publisher does with its clock, frames and key frames: what comes out keeps every rule that the reader knows.

use proptest::prelude::*;

use super::harness::*;

/// One stretch of a publisher's behaviour.
#[derive(Clone, Debug)]
enum Act {
    /// Frames at a rate, a key frame every so many of them, and sound along with them.
    Send {
        fps: u32,
        frames: u32,
        gop: u32,
        b_frames: bool,
        jitter_ms: u32,
        sound: bool,
    },
    /// Nothing for a while; the publisher's clock goes on.
    Stutter { ms: u32 },
    /// The publisher's clock is set.
    Jump { to: u32 },
    /// The connection is lost and comes back.
    Outage { ms: u32 },
    /// The encoder sends its configurations again.
    Reconfigure,
}

fn act() -> impl Strategy<Value = Act> {
    let send = (
        prop_oneof![Just(24_u32), Just(25), Just(30), Just(50), Just(60), 10..60_u32],
        20..400_u32,
        5..400_u32,
        any::<bool>(),
        prop_oneof![3 => Just(0_u32), 1 => 1..30_u32],
        prop::bool::weighted(0.9),
    )
        .prop_map(|(fps, frames, gop, b_frames, jitter_ms, sound)| Act::Send {
            fps,
            frames,
            gop,
            b_frames,
            jitter_ms,
            sound,
        });
    prop_oneof![
        8 => send,
        2 => (50..5000_u32).prop_map(|ms| Act::Stutter { ms }),
        1 => any::<u32>().prop_map(|to| Act::Jump { to }),
        1 => (0..20_000_u32).prop_map(|ms| Act::Outage { ms }),
        1 => Just(Act::Reconfigure),
    ]
}

struct Publisher {
    bench: Bench,
    timestamp: u32,
    /// Sound sent, in samples, and the timestamp of the first.
    samples: u64,
    sound_from: u32,
    frame: u32,
    noise: u32,
}

impl Publisher {
    fn act(&mut self, act: &Act) {
        match *act {
            Act::Send {
                fps,
                frames,
                gop,
                b_frames,
                jitter_ms,
                sound,
            } => {
                for frame in 0..frames {
                    let step = (frame + 1) * 1000 / fps - frame * 1000 / fps;
                    let composition = if b_frames {
                        i32::try_from((frame % 3) * 33).unwrap()
                    } else {
                        0
                    };
                    self.noise = self.noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let jitter = (self.noise >> 16) % (jitter_ms + 1);
                    self.bench.video(
                        self.timestamp.wrapping_add(jitter),
                        composition,
                        self.frame.is_multiple_of(gop),
                    );
                    self.frame += 1;
                    self.advance(step, sound);
                }
            }
            Act::Stutter { ms } => self.advance(ms, false),
            Act::Jump { to } => self.set_clock(to),
            Act::Outage { ms } => {
                self.bench.interrupt();
                self.bench.now_ms += u64::from(ms);
                self.set_clock(0);
                self.frame = 0;
                self.bench.configure_both();
            }
            Act::Reconfigure => self.bench.configure_both(),
        }
    }

    fn set_clock(&mut self, to: u32) {
        self.timestamp = to;
        self.sound_from = to;
        self.samples = 0;
    }

    fn advance(&mut self, ms: u32, sound: bool) {
        self.bench.now_ms += u64::from(ms);
        self.timestamp = self.timestamp.wrapping_add(ms);
        loop {
            let at = u32::try_from(self.samples * 1000 / 48_000).unwrap();
            if at > self.timestamp.wrapping_sub(self.sound_from) {
                break;
            }
            if sound {
                self.bench.audio(self.sound_from.wrapping_add(at));
            }
            self.samples += 1024;
        }
    }
}

fn play(start: u32, part_target_ms: u32, acts: &[Act]) -> Bench {
    let mut bench = Bench::new(part_target_ms);
    bench.configure_both();
    let mut publisher = Publisher {
        bench,
        timestamp: start,
        samples: 0,
        sound_from: start,
        frame: 0,
        noise: start,
    };
    for act in acts {
        publisher.act(act);
    }
    publisher.bench.end();
    publisher.bench
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_frame_comes_out_once_or_is_counted(
        start in prop_oneof![Just(0_u32), Just(0x7fff_f000), Just(0xffff_f000), any::<u32>()],
        part_target_ms in prop_oneof![Just(333_u32), Just(500), 100..1000_u32],
        acts in prop::collection::vec(act(), 1..12),
    ) {
        play(start, part_target_ms, &acts);
    }

    #[test]
    fn a_steady_stream_is_whole_and_has_no_short_parts(
        start in prop_oneof![Just(0_u32), Just(0x7fff_e000), Just(0xffff_e000), any::<u32>()],
        part_target_ms in prop_oneof![Just(333_u32), Just(500), 100..1000_u32],
        fps in 15..=60_u32,
        // Eight pictures at least, which tell the frame rate.
        gop_tenths in 6..=100_u32,
        b_frames: bool,
    ) {
        let gop = (gop_tenths * fps / 10).max(1);
        let act = Act::Send { fps, frames: fps * 25, gop, b_frames, jitter_ms: 0, sound: true };
        let bench = play(start, part_target_ms, &[act]);
        prop_assert_eq!(bench.epochs(), 1);
        prop_assert_eq!(bench.reader.frames[0], u64::from(fps * 25));
        prop_assert_eq!(bench.reader.forced, 0);
        prop_assert_eq!(bench.packager.health(bench.now()).breaks, 1);
    }
}
