//! The task with the real ffmpeg, fed by hand.

use common::{
    id::Msn,
    live::{EpochDescription, window::Retention},
    media::access_unit::Codec,
    time::UnixMillis,
};
use node::shutdown::Shutdown;
use tokio::time::timeout;

use super::*;
use crate::transcode::{
    Transcoder,
    budget::Budget,
    child::tests::{encoded, ffmpeg, rung},
};

const SEGMENT_MS: i64 = 1000;

#[tokio::test]
async fn a_rung_that_cannot_follow_the_sources_numbers_has_another_epoch_with_media() {
    let (config, frames) = encoded(Codec::H264, &["-c:v", "libx264", "-bf", "0"], b"avcC");
    let offered = rung();
    let description = Arc::new(EpochDescription {
        epoch: Epoch(1),
        target_duration_s: 2,
        part_target_ms: 333,
        first_msn: Msn(1),
        renditions: Vec::new(),
        ladder: vec![offered.clone()],
        audio_only: false,
        opens_early: false,
        parent: None,
    });
    let (feed, inbox) = mpsc::channel(2048);
    let live = Arc::new(Live::new(Retention::origin()));
    let maker = Maker {
        rung: offered.rung,
        ffmpeg: Arc::new(ffmpeg()),
        ladder: Ladder::new(Transcoder::none(&Shutdown::new()), Retention::origin()),
        live: Arc::clone(&live),
        inbox,
        load: Budget::default().add(offered.rung),
    };
    let stop = CancellationToken::new();
    let task = tokio::spawn(maker.run(stop.clone()));

    feed.send(Tapped::Start { description, config }).await.unwrap();
    let base_ms = frames[0].0;
    let segment = async |turn: i64, msn: u64| {
        let at_ms = base_ms + turn * SEGMENT_MS;
        let segment = Tapped::Segment {
            msn: Msn(msn),
            at_ms,
            unix: UnixMillis(at_ms),
            delay_ms: 0,
            discontinuity: false,
            discontinuities: 0,
        };
        feed.send(segment).await.unwrap();
        for (frame_ms, sync, payload) in &frames[..25] {
            let frame = Tapped::Frame {
                at_ms: frame_ms - base_ms + at_ms,
                composition_ms: 0,
                sync: *sync,
                payload: payload.clone(),
            };
            feed.send(frame).await.unwrap();
        }
    };
    let epoch_other_than = async |other: Option<Epoch>| {
        let mut changes = live.watch();
        let begun = async {
            loop {
                changes.borrow_and_update();
                let current = live.read(|windows| windows.current().map(|window| (window.epoch(), window.ended())));
                match current {
                    Some((epoch, ended)) if Some(epoch) != other || ended => return epoch,
                    _ => changes.changed().await.unwrap(),
                }
            }
        };
        timeout(Duration::from_secs(30), begun).await.expect("an epoch changes")
    };
    segment(0, 10).await;
    segment(1, 11).await;
    let first = epoch_other_than(None).await;
    // A number is left out: this epoch is over once ffmpeg comes to it.
    segment(2, 13).await;
    segment(3, 14).await;
    assert_eq!(epoch_other_than(Some(first)).await, first);
    for turn in 4..7 {
        segment(turn, 11 + turn.unsigned_abs()).await;
    }
    let mut changes = live.watch();
    let second = async {
        loop {
            changes.borrow_and_update();
            let parts = live.read(|windows| {
                let window = windows.current().filter(|window| window.epoch() != first)?;
                Some(
                    window
                        .segments(common::id::RenditionId(0))
                        .any(|segment| !segment.parts().is_empty()),
                )
            });
            if parts == Some(true) {
                return;
            }
            changes.changed().await.unwrap();
        }
    };
    timeout(Duration::from_secs(30), second)
        .await
        .expect("another epoch has media");
    stop.cancel();
    task.await.unwrap();
}
