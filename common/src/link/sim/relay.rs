//! The relay's end in the simulation: a subscriber, and windows of each channel that refuse whatever does not follow.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    id::{ChannelId, PartId, RenditionId},
    link::subscriber::{Output, Subscriber, SubscriberConfig},
    live::{
        LiveEvent,
        window::{LiveWindow, Lookup, Retention, SegmentRecord, WindowRecords},
    },
    time::Monotonic,
};

use super::origin::{Made, Origin};

pub(super) struct Relay {
    pub(super) subscriber: Subscriber,
    pub(super) wakes_at: Option<Monotonic>,
    /// When it woke last, and how often at that time.
    wakes: (Monotonic, u32),
    pub(super) source: Mirror,
    pub(super) rung: Mirror,
}

/// What came of a channel.
#[derive(Default)]
pub(super) struct Mirror {
    /// The current window is the last one.
    pub(super) windows: Vec<LiveWindow>,
    /// Every window that came, and every epoch that ended, in order.
    pub(super) log: Vec<&'static str>,
    /// Parts that were applied as gaps.
    pub(super) gaps: BTreeSet<PartId>,
    pub(super) bodies_filled: usize,
}

impl Relay {
    pub(super) fn new(seed: u64) -> Self {
        let config = SubscriberConfig {
            name: "relay".to_owned(),
            public_url: "http://relay.test".to_owned(),
            software: "sim".to_owned(),
            retention: Retention {
                kept_after: Duration::from_secs(3600),
                ..Retention::relay()
            },
            seed,
        };
        Self {
            subscriber: Subscriber::new(config),
            wakes_at: None,
            wakes: (Monotonic::default(), 0),
            source: Mirror::default(),
            rung: Mirror::default(),
        }
    }

    /// A timer that is due again and again without anything done is a busy loop.
    pub(super) fn count_wake(&mut self, now: Monotonic) {
        let before = if self.wakes.0 == now { self.wakes.1 } else { 0 };
        self.wakes = (now, before + 1);
        assert!(before < 5, "the relay wakes again and again");
    }

    pub(super) fn carry_out(&mut self, output: Output, now: Monotonic) {
        let channel = match &output {
            Output::PutWindow { channel, .. }
            | Output::Apply { channel, .. }
            | Output::Fill { channel, .. }
            | Output::Offline { channel }
            | Output::Starting { channel }
            | Output::Forget { channel }
            | Output::BadWindow { channel, .. } => channel.clone(),
            Output::Close { .. } | Output::Connect { .. } | Output::Frame(_) | Output::Fetch { .. } => {
                unreachable!("the world does these, or they do not come")
            }
        };
        self.mirror(&channel).take(output, now);
    }

    fn mirror(&mut self, channel: &ChannelId) -> &mut Mirror {
        match channel.rung {
            None => &mut self.source,
            Some(_) => &mut self.rung,
        }
    }

    /// The same records as at the origin, and no body that differs from the origin's.
    pub(super) fn assert_mirrors(&self, origin: &Origin) {
        self.source.assert_mirrors(&origin.source);
        self.rung.assert_mirrors(&origin.rung);
    }

    /// The same places, with gaps of the same length where something was lost; and no body that differs.
    pub(super) fn assert_mirrors_with_gaps(&self, origin: &Origin) {
        self.source.assert_mirrors_with_gaps(&origin.source);
        self.rung.assert_mirrors_with_gaps(&origin.rung);
    }
}

impl Mirror {
    pub(super) fn current(&self) -> &LiveWindow {
        self.windows.last().unwrap()
    }

    fn take(&mut self, output: Output, now: Monotonic) {
        match output {
            Output::PutWindow { window, .. } => {
                self.log.push("window");
                if let Some(old) = self.windows.last() {
                    assert!(
                        old.epoch() == window.epoch() || old.ended(),
                        "a new epoch before the old one ended"
                    );
                }
                self.windows.retain(|old| old.epoch() != window.epoch());
                self.windows.push(*window);
            }
            Output::Apply { epoch, event, .. } => {
                if event == LiveEvent::End {
                    self.log.push("end");
                }
                if let LiveEvent::Part(part) = &event
                    && part.flags.gap
                {
                    self.gaps.insert(part.id);
                }
                let window = self.windows.last_mut().unwrap();
                assert_eq!(window.epoch(), epoch);
                window.apply(event, now).unwrap();
            }
            Output::Fill { epoch, id, body, .. } => {
                if let Some(window) = self.windows.iter_mut().find(|window| window.epoch() == epoch) {
                    self.bodies_filled += usize::from(window.fill(id, body).unwrap());
                }
            }
            Output::Offline { .. } => self.log.push("offline"),
            Output::Starting { .. } => self.log.push("starting"),
            Output::Forget { .. } => {
                self.log.push("forgotten");
                self.windows.clear();
            }
            Output::BadWindow { error, .. } => panic!("a bad window: {error}"),
            Output::Close { .. } | Output::Connect { .. } | Output::Frame(_) | Output::Fetch { .. } => {
                unreachable!("they are of no channel")
            }
        }
    }

    pub(super) fn assert_mirrors(&self, origin: &Made) {
        let (ours, theirs) = (self.current(), origin.current().unwrap());
        assert_eq!(ours.epoch(), theirs.epoch());
        assert_same(&ours.records(), &theirs.records());
        assert_eq!(ours.description(), theirs.description());
        assert_eq!(ours.ended(), theirs.ended());
        self.assert_bodies_match(origin);
    }

    fn assert_mirrors_with_gaps(&self, origin: &Made) {
        let mut theirs = origin.current().unwrap().records();
        for (rendition, segments) in (0..).map(RenditionId).zip(&mut theirs.renditions) {
            for segment in segments {
                for (part, record) in (0..).zip(&mut segment.parts) {
                    if self.gaps.contains(&PartId {
                        rendition,
                        msn: segment.msn,
                        part,
                    }) {
                        record.flags.gap = true;
                        record.flags.independent = false;
                        record.size = 0;
                    }
                }
            }
        }
        let mut ours = self.current().records();
        // A gap in the place of a segment's last part may say `last` where the origin closed the segment by an event.
        for segment in ours.renditions.iter_mut().chain(&mut theirs.renditions).flatten() {
            segment.parts.iter_mut().for_each(|part| part.flags.last = false);
        }
        assert_same(&ours, &theirs);
        self.assert_bodies_match(origin);
    }

    pub(super) fn assert_bodies_match(&self, origin: &Made) {
        for window in &self.windows {
            let Some(theirs) = origin.window(window.epoch()) else {
                continue;
            };
            for rendition in window.description().rendition_ids() {
                for segment in window.segments(rendition) {
                    for part in 0..segment.parts().len() as u32 {
                        let id = PartId {
                            rendition,
                            msn: segment.msn(),
                            part,
                        };
                        if let Lookup::Here(body) = window.part(id) {
                            assert_eq!(theirs.part(id), Lookup::Here(body), "{id:?}");
                        }
                    }
                }
            }
        }
    }

    /// Parts whose body is not here.
    pub(super) fn absent(&self) -> usize {
        let window = self.current();
        let parts = window
            .description()
            .rendition_ids()
            .flat_map(|rendition| window.segments(rendition))
            .flat_map(|s| s.parts());
        parts
            .filter(|part| part.body.is_none() && !part.record.flags.gap)
            .count()
    }
}

/// Compares from the newest segment back, so that a difference is short to read.
fn assert_same(ours: &WindowRecords, theirs: &WindowRecords) {
    for (ours, theirs) in ours.renditions.iter().zip(&theirs.renditions) {
        let newest = |records: &[SegmentRecord]| records.last().map(|last| (last.msn, last.parts.len(), last.complete));
        assert_eq!(newest(ours), newest(theirs));
        for (ours, theirs) in ours.iter().rev().zip(theirs.iter().rev()) {
            assert_eq!(ours, theirs);
        }
        assert_eq!(ours.len(), theirs.len());
    }
}
