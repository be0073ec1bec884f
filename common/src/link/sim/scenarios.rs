//! What may happen to a link and its channels, each as a scenario in the simulated world.

use super::{origin::VIDEO, *};
use crate::live::window::{LiveWindow, SegmentLookup};

fn seeds() -> impl Iterator<Item = u64> {
    1..=24
}

#[test]
fn a_relay_that_is_there_from_the_start_mirrors_everything() {
    for seed in seeds() {
        let mut world = World::new(
            Weather {
                seed,
                delay_ms: 1500,
                ..FAIR
            },
            3000,
        );
        world.run(1);
        world.start();
        world.run(90);
        world.calm_down();
        world.relay.assert_mirrors(&world.origin);
        assert_eq!(world.relay.source.log, ["offline", "window"]);
        assert_eq!(world.relay.rung.log, ["offline", "starting", "window"]);
        assert_eq!(world.relay.source.absent() + world.relay.rung.absent(), 0);
    }
}

#[test]
fn parts_whose_streams_fail_are_fetched_and_no_gap_is_listed() {
    for seed in seeds() {
        let mut world = World::new(
            Weather {
                seed,
                delay_ms: 800,
                loss: 20,
                ..FAIR
            },
            3000,
        );
        world.start();
        world.run(90);
        world.calm_down();
        world.relay.assert_mirrors(&world.origin);
        assert!(world.relay.source.gaps.is_empty(), "seed {seed}");
    }
}

#[test]
fn a_broken_link_is_resumed_without_a_gap() {
    for seed in seeds() {
        let weather = Weather {
            seed,
            delay_ms: 600,
            loss: 5,
            fetch_loss: 10,
            breaks: 20,
            ..FAIR
        };
        let mut world = World::new(weather, 3000);
        world.start();
        world.run(120);
        world.calm_down();
        assert!(world.connections > 3, "seed {seed}");
        world.relay.assert_mirrors(&world.origin);
        // Also the window itself came once: everything after it is resumed.
        assert_eq!(
            world
                .relay
                .source
                .log
                .iter()
                .filter(|&&entry| entry == "window")
                .count(),
            1,
            "seed {seed}"
        );
    }
}

#[test]
fn who_joins_late_gets_the_window_and_its_newest_bodies() {
    for seed in seeds() {
        let mut world = World::new(
            Weather {
                seed,
                delay_ms: 400,
                ..FAIR
            },
            3000,
        );
        world.has_viewers = false;
        world.start();
        world.run(45 + seed % 7);
        world.has_viewers = true;
        world.run(5);
        assert!(world.relay.source.bodies_filled > 0, "seed {seed}");
        world.calm_down();
        world.relay.assert_mirrors(&world.origin);
        let window = world.relay.source.current();
        for rendition in origin::RENDITIONS {
            let newest = window.edge(rendition).unwrap().last_complete.unwrap();
            assert!(matches!(window.segment(rendition, newest), SegmentLookup::Here(_)));
        }
    }
}

#[test]
fn epochs_end_and_follow_each_other() {
    for seed in seeds() {
        let mut world = World::new(
            Weather {
                seed,
                delay_ms: 900,
                loss: 5,
                breaks: 5,
                ..FAIR
            },
            3000,
        );
        for _ in 0..3 {
            world.start();
            world.run(20 + seed % 5);
            world.end();
            world.run(seed % 4);
        }
        world.calm_down();
        world.relay.source.assert_mirrors(&world.origin.source);
        // Which of the rung's epochs came is a matter of when the link broke.
        let Relay { source, rung, .. } = &world.relay;
        rung.assert_bodies_match(&world.origin.rung);
        assert!(source.windows.iter().chain(&rung.windows).all(LiveWindow::ended));
    }
}

#[test]
fn what_cannot_be_delivered_is_listed_as_a_gap_of_its_length() {
    let mut gaps = 0;
    for seed in seeds() {
        let mut world = World::new(
            Weather {
                seed,
                delay_ms: 300,
                loss: 15,
                fetch_loss: 100,
                ..FAIR
            },
            3000,
        );
        world.start();
        world.run(40);
        world.calm_down();
        world.relay.assert_mirrors_with_gaps(&world.origin);
        gaps += world.relay.source.gaps.len();
    }
    assert!(gaps > 0);
}

#[test]
fn a_link_that_is_too_slow_loses_video_first_and_never_more_than_its_bounds_in_memory() {
    let mut skipped = 0;
    for seed in 1..=6 {
        let weather = Weather {
            seed,
            delay_ms: 100,
            fetch_loss: 100,
            rate: Some(900_000),
            ..FAIR
        };
        let mut world = World::new(weather, 1 << 20);
        world.start();
        world.run(60);
        assert!(world.most_in_flight > MAX_IN_FLIGHT_BYTES / 2, "seed {seed}");
        world.calm_down();
        world.relay.assert_mirrors_with_gaps(&world.origin);
        skipped += world.relay.source.gaps.len();
        assert!(
            world
                .relay
                .source
                .gaps
                .iter()
                .all(|gap| gap.rendition == origin::RENDITIONS[0]),
            "sound was lost"
        );
    }
    assert!(skipped > 0);
}

#[test]
fn a_room_without_viewers_is_left_after_the_linger_and_comes_back() {
    let mut world = World::new(FAIR, 3000);
    world.start();
    world.run(20);
    world.has_viewers = false;
    world.run(73);
    assert!(!world.relay.source.windows.is_empty());
    world.run(4);
    assert_eq!(world.relay.source.log.last(), Some(&"forgotten"));
    assert_eq!(world.connection.as_ref().unwrap().publisher.channel_count(), 0);
    world.has_viewers = true;
    world.run(5);
    world.calm_down();
    world.relay.assert_mirrors(&world.origin);
}

#[test]
fn a_rung_is_made_while_it_is_watched_and_follows_its_source() {
    for seed in seeds() {
        let weather = Weather {
            seed,
            delay_ms: 800,
            loss: 10,
            ..FAIR
        };
        let mut world = World::new(weather, 3000);
        world.wants_rung = false;
        world.start();
        world.run(21 + seed % 7);
        assert!(world.origin.rung.current().is_none() && world.relay.rung.log.is_empty());
        let mut epochs = BTreeSet::new();
        for _ in 0..2 {
            world.wants_rung = true;
            world.run(40);
            let rung = world.relay.rung.current();
            assert!(epochs.insert(rung.epoch()) && !rung.ended(), "seed {seed}");
            let source = world.relay.source.current();
            let parent = rung.description().parent.map(|parent| parent.epoch);
            assert_eq!(parent, Some(source.epoch()));
            for segment in rung.segments(VIDEO) {
                // The source's newest may be a moment late.
                if let Some(same) = source.kept_segment(VIDEO, segment.msn()) {
                    assert_eq!(same.discontinuity_number(), segment.discontinuity_number());
                }
            }
            let (msn, _) = rung.next(VIDEO);
            let behind = world.origin.source.current().unwrap().next(VIDEO).0.0 - msn.0;
            assert!(behind <= 2, "seed {seed}: {behind} segments behind the source");
            // Half a minute at the relay, ten seconds at the origin, and the second that each looks in.
            world.wants_rung = false;
            world.run(44);
            assert!(world.origin.rung.current().unwrap().ended(), "seed {seed}");
            assert!(world.relay.rung.windows.is_empty());
        }
        assert_eq!(
            world.relay.rung.log,
            ["starting", "window", "forgotten", "starting", "window", "forgotten"],
            "seed {seed}"
        );
        world.calm_down();
        world.relay.source.assert_mirrors(&world.origin.source);
    }
}

#[test]
fn a_link_that_is_away_for_longer_than_the_origin_remembers_starts_a_new_window() {
    let mut world = World::new(FAIR, 3000);
    world.start();
    world.run(20);
    world.weather.breaks = 100;
    world.run(400);
    assert!(world.connection.is_none());
    world.calm_down();
    world.relay.assert_mirrors(&world.origin);
    assert_eq!(world.relay.source.log, ["window", "window"]);
}

#[test]
fn after_a_long_break_the_relay_is_at_the_live_edge_at_once() {
    let mut world = World::new(
        Weather {
            rate: Some(1_500_000),
            ..FAIR
        },
        300_000,
    );
    world.start();
    world.run(20);
    world.weather.breaks = 100;
    world.run(30);
    assert!(world.connection.is_none());
    world.weather.breaks = 0;
    world.run(9);
    // What was missed is not sent first: at most one part is on its way.
    let newest = |window: &LiveWindow| {
        let segment = window.segments(origin::RENDITIONS[0]).next_back().unwrap();
        segment.dts() + segment.duration()
    };
    let (ours, theirs) = (
        newest(world.relay.source.current()),
        newest(world.origin.source.current().unwrap()),
    );
    assert!(theirs - ours <= 90_000 / 2, "{} ticks behind", theirs - ours);
    assert_eq!(world.relay.source.log, ["window", "window"]);
    world.calm_down();
    world.relay.assert_mirrors(&world.origin);
}
