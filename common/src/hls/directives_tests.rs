use proptest::prelude::*;

use super::*;
use crate::{
    live::{
        LiveEvent,
        testing::{AUDIO, Script, VIDEO, description},
        window::Retention,
    },
    time::Monotonic,
};

/// Segments 7 and 8 complete, 9 with `open_parts` of its four video parts.
fn window(open_parts: usize) -> LiveWindow {
    let mut window = LiveWindow::new(description(), Retention::origin());
    let mut left = open_parts;
    for (now, event) in Script::steady(3).events() {
        if let LiveEvent::Part(part) = &event
            && part.id.rendition == VIDEO
            && part.id.msn == Msn(9)
        {
            if left == 0 {
                continue;
            }
            left -= 1;
        }
        window.apply(event, now).unwrap();
    }
    window
}

fn ask(window: &LiveWindow, query: &str) -> Answer {
    answer(window, VIDEO, &parse(Some(query)).unwrap())
}

fn wait(msn: u64, part: Option<u32>) -> Answer {
    Answer::Wait(WaitFor {
        msn: Msn(msn),
        part,
        skip: Skip::No,
    })
}

const NOW: Answer = Answer::Now(Skip::No);

#[test]
fn malformed_directives_are_refused() {
    for query in [
        "_HLS_msn=1&_HLS_msn=1",
        "_HLS_msn=1&_HLS_part=0&_HLS_part=0",
        "_HLS_skip=YES&_HLS_skip=YES",
    ] {
        assert!(
            matches!(parse(Some(query)), Err(DirectiveError::Repeated(_))),
            "{query}"
        );
    }
    for query in [
        "_HLS_msn",
        "_HLS_msn=",
        "_HLS_msn=-1",
        "_HLS_msn=+1",
        "_HLS_msn=1.0",
        "_HLS_msn=0x1",
        "_HLS_msn=%31",
    ] {
        assert_eq!(parse(Some(query)), Err(DirectiveError::NotANumber(MSN)), "{query}");
    }
    let overflow = "_HLS_msn=18446744073709551616";
    assert_eq!(parse(Some(overflow)), Err(DirectiveError::NotANumber(MSN)));
    assert_eq!(
        parse(Some("_HLS_msn=1&_HLS_part=x")),
        Err(DirectiveError::NotANumber(PART))
    );
    assert_eq!(parse(Some("_HLS_part=0")), Err(DirectiveError::PartWithoutMsn));
}

#[test]
fn what_is_not_ours_is_passed_over() {
    assert_eq!(parse(None), Ok(Directives::default()));
    assert_eq!(parse(Some("token=a.b.c&_HLS_future=1&&x")), Ok(Directives::default()));
    let directives = parse(Some("token=x&_HLS_part=3&_HLS_skip=v2&_HLS_msn=9")).unwrap();
    assert_eq!(
        directives,
        Directives {
            position: Some((Msn(9), Some(3))),
            skip: Skip::Yes
        }
    );
    assert_eq!(parse(Some("_HLS_skip=maybe")).unwrap().skip, Skip::No);
}

#[test]
fn what_is_listed_is_answered_now() {
    let window = window(2);
    for query in [
        "",
        "_HLS_msn=8",
        "_HLS_msn=0",
        "_HLS_msn=8&_HLS_part=3",
        "_HLS_msn=9&_HLS_part=1",
    ] {
        assert_eq!(ask(&window, query), NOW, "{query}");
    }
    assert_eq!(
        ask(&window, "_HLS_msn=9&_HLS_part=1&_HLS_skip=YES"),
        Answer::Now(Skip::Yes)
    );
}

#[test]
fn what_comes_next_is_waited_for() {
    let window = window(2);
    assert_eq!(ask(&window, "_HLS_msn=9"), wait(9, None));
    assert_eq!(
        ask(&window, "_HLS_msn=10"),
        wait(10, None),
        "the one after the open one"
    );
    assert_eq!(ask(&window, "_HLS_msn=9&_HLS_part=2"), wait(9, Some(2)));
    assert_eq!(ask(&window, "_HLS_msn=10&_HLS_part=0"), wait(10, Some(0)));
}

#[test]
fn a_part_past_the_end_of_a_segment_means_the_next_segments_first() {
    assert_eq!(ask(&window(2), "_HLS_msn=8&_HLS_part=4"), NOW, "part 9.0 is listed");
    assert_eq!(ask(&window(0), "_HLS_msn=8&_HLS_part=4"), wait(9, Some(0)));
    assert_eq!(ask(&window(0), "_HLS_msn=8&_HLS_part=4294967296"), wait(9, Some(0)));
    assert_eq!(
        ask(&window(4), "_HLS_msn=9&_HLS_part=4"),
        wait(10, Some(0)),
        "the segment closed while it was waited for"
    );
}

#[test]
fn the_far_future_is_refused() {
    let window = window(2);
    let segment = Answer::Refuse(RefuseReason::SegmentTooFar);
    let part = Answer::Refuse(RefuseReason::PartTooFar);
    assert_eq!(ask(&window, "_HLS_msn=11"), segment);
    assert_eq!(ask(&window, "_HLS_msn=18446744073709551615"), segment);
    // 3 s of 0.5 s parts: six beyond the last one listed.
    assert_eq!(ask(&window, "_HLS_msn=9&_HLS_part=7"), wait(9, Some(7)));
    assert_eq!(ask(&window, "_HLS_msn=9&_HLS_part=8"), part);
    assert_eq!(ask(&window, "_HLS_msn=10&_HLS_part=6"), part);
    assert_eq!(ask(&window, "_HLS_msn=10&_HLS_part=99999999999"), part);
}

#[test]
fn an_ended_stream_answers_everything_at_once() {
    let mut window = window(4);
    window.apply(LiveEvent::End, Monotonic::default()).unwrap();
    for query in ["_HLS_msn=10&_HLS_part=0&_HLS_skip=YES", "_HLS_msn=1000"] {
        assert_eq!(ask(&window, query), NOW, "{query}");
    }
}

proptest! {
    #[test]
    fn any_query_is_read_or_refused(query in ".{0,60}") {
        let _ = parse(Some(&query));
    }

    #[test]
    fn any_position_is_answered_and_a_wait_ends_with_what_it_waited_for(
        msn in prop_oneof![0..20_u64, Just(u64::MAX)],
        part in prop_oneof![0..20_u32, Just(u32::MAX)],
        has_part in any::<bool>(),
        open_parts in 0..5_usize,
    ) {
        let window = window(open_parts);
        let directives = Directives { position: Some((Msn(msn), has_part.then_some(part))), skip: Skip::No };
        for rendition in [VIDEO, AUDIO, RenditionId(7)] {
            if let Answer::Wait(wait) = answer(&window, rendition, &directives) {
                let again = Directives { position: Some((wait.msn, wait.part)), skip: wait.skip };
                prop_assert_eq!(answer(&window, rendition, &again), Answer::Wait(wait));
                prop_assert!((wait.msn, wait.part.unwrap_or(0)) >= (window.edge(rendition).unwrap().open, 0));
            }
        }
    }
}
