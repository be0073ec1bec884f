//! A room's media plane: what its publisher sends goes through the packager into the live window, at once and in one place.

mod away;
mod delivery;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{
    id::Msn,
    live::EpochDescription,
    media::access_unit::MediaMessage,
    packager::{Memory, Offer, Packager, PackagerConfig, PackagerError, PackagerNow},
    time::{Monotonic, UnixMillis},
};
use node::{
    clock,
    live::{Live, LiveWindows},
};
use tokio::sync::watch;
use tracing::warn;

use super::{
    configurations::Configurations,
    state::{PublisherId, STALL_SILENCE},
};
use crate::transcode::Ladder;

/// What the room's actor and everybody who shows the room follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Since when there is something to play; `None`: nothing is.
    pub(super) started_at: Option<UnixMillis>,
    /// First media sequence number that is not used yet.
    pub(super) next_msn: Msn,
}

pub(super) struct Publication {
    live: Arc<Live>,
    part_target_ms: u32,
    ladder: Arc<Ladder>,
    inner: Mutex<Inner>,
    progress: watch::Sender<Progress>,
}

#[derive(Default)]
struct Inner {
    packager: Option<Packager>,
    /// Of the stream before, while none is open: the next one is mostly from the same encoder, and need not be measured before it is seen.
    memory: Memory,
    /// Outlives the packager.
    offer: Offer,
    /// The packager's tap is open.
    tapped: bool,
    publisher: Option<PublisherId>,
    last_media: Monotonic,
    /// Of the publisher's tracks: what it has to have said again after something stood in for it.
    configurations: Configurations,
    /// What was pushed last is a slate's.
    stands_in: bool,
    /// That media of this publisher was left out is in the log.
    told_left_out: bool,
}

/// Why the publisher's connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// It is not the room's any more.
    NotThePublisher,
    /// It sends more than a room may hold.
    TooMuch,
}

fn now() -> PackagerNow {
    PackagerNow {
        monotonic: clock::monotonic(),
        unix: clock::unix_millis(),
    }
}

impl Publication {
    pub(super) fn new(live: Arc<Live>, part_target_ms: u32, ladder: Arc<Ladder>) -> Self {
        Self {
            live,
            part_target_ms,
            ladder,
            inner: Mutex::default(),
            progress: watch::Sender::default(),
        }
    }

    pub(super) fn live(&self) -> &Arc<Live> {
        &self.live
    }

    pub(super) fn ladder(&self) -> &Arc<Ladder> {
        &self.ladder
    }

    pub(super) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Media from `publisher` is taken from now on. `first_msn` counts when no stream is open; `seed` makes its epochs.
    pub(super) fn accept(&self, publisher: PublisherId, first_msn: Msn, seed: u64) {
        let mut inner = self.lock();
        inner.publisher = Some(publisher);
        inner.last_media = clock::monotonic();
        inner.configurations.clear();
        inner.told_left_out = false;
        inner.end_stand_in();
        if inner.packager.is_none() {
            let config = PackagerConfig {
                part_target_ms: self.part_target_ms,
                seed,
                first_msn,
            };
            let mut packager = Packager::remembering(config, std::mem::take(&mut inner.memory));
            packager.set_offer(self.ladder.keepable(inner.offer.clone()));
            inner.packager = Some(packager);
            inner.tapped = false;
        }
    }

    /// What the room's next stream is to be planned by.
    pub(super) fn memory(&self) -> Memory {
        let inner = self.lock();
        let open = inner.packager.as_ref().map(Packager::memory);
        open.unwrap_or_else(|| inner.memory.clone())
    }

    /// Plans the next stream by `memory`, which another process left.
    pub(super) fn recall(&self, memory: Memory) {
        self.lock().memory = memory;
    }

    /// What epochs that start from now on offer beside the source.
    pub(super) fn set_offer(&self, offer: Offer) {
        let mut inner = self.lock();
        let kept = self.ladder.keepable(offer.clone());
        if let Some(packager) = &mut inner.packager {
            packager.set_offer(kept);
        }
        inner.offer = offer;
    }

    /// Whether a stream is open, with or without a publisher.
    pub(super) fn is_open(&self) -> bool {
        self.lock().packager.is_some()
    }

    /// Whether there is something to play, if only what is left of a stream that is over.
    pub(super) fn has_media(&self) -> bool {
        self.live.read(|windows| windows.current().is_some()) || self.ladder.has_media()
    }

    /// Of the epoch that goes on.
    pub(super) fn description(&self) -> Option<Arc<EpochDescription>> {
        let current = |windows: &LiveWindows| {
            let current = windows.current().filter(|window| !window.ended());
            current.map(|window| Arc::clone(window.description()))
        };
        self.live.read(current)
    }

    /// Packages one message. Bad media is counted and left out: the stream goes on.
    pub(super) fn push(&self, publisher: PublisherId, message: MediaMessage) -> Result<(), NotTaken> {
        let now = now();
        let mut inner = self.lock();
        if inner.publisher != Some(publisher) {
            return Err(NotTaken::NotThePublisher);
        }
        inner.last_media = now.monotonic;
        self.turn_tap(&mut inner);
        let mut again = Vec::new();
        if inner.end_stand_in() {
            again = inner.configurations.to_vec();
        }
        inner.configurations.note(&message);
        let mut told = inner.told_left_out;
        let mut taken = Ok(());
        if let Some(packager) = &mut inner.packager {
            for message in again.into_iter().chain([message]) {
                match packager.push(now, message) {
                    Ok(()) => {}
                    Err(PackagerError::TooMuch) => taken = Err(NotTaken::TooMuch),
                    Err(reason) if !std::mem::replace(&mut told, true) => {
                        warn!(%reason, "media left out; more of this publisher's is only counted");
                    }
                    Err(_) => {}
                }
            }
            self.deliver(packager);
        }
        inner.told_left_out = told;
        taken
    }

    /// Packages what stands in for a publisher that is gone or silent; nothing, while one sends.
    pub(super) fn stand_in(&self, messages: Vec<MediaMessage>) {
        self.outlive(|| {
            let now = now();
            let mut inner = self.lock();
            if messages.is_empty() || inner.publisher.is_some() && now.monotonic.since(inner.last_media) < STALL_SILENCE
            {
                return;
            }
            self.turn_tap(&mut inner);
            let begins = !std::mem::replace(&mut inner.stands_in, true);
            if let Some(packager) = &mut inner.packager {
                if begins {
                    packager.interrupted(now);
                    packager.set_stand_in(true);
                }
                for message in messages {
                    if let Err(reason) = packager.push(now, message) {
                        warn!(%reason, "a slate's media left out");
                    }
                }
                self.deliver(packager);
            }
        });
    }

    /// How long the publisher has sent nothing.
    pub(super) fn silent_for(&self) -> Duration {
        clock::monotonic().since(self.lock().last_media)
    }

    /// The publisher is gone for now.
    pub(super) fn interrupt(&self) {
        self.outlive(|| {
            let mut inner = self.lock();
            inner.publisher = None;
            if inner.stands_in {
                // The break was when the slate began; another would leave the slate without its configurations.
                return;
            }
            if let Some(packager) = &mut inner.packager {
                packager.interrupted(now());
                self.deliver(packager);
            }
        });
    }

    /// The stream is over.
    pub(super) fn end(&self) {
        self.outlive(|| {
            let mut inner = self.lock();
            inner.publisher = None;
            inner.stands_in = false;
            if let Some(mut packager) = inner.packager.take() {
                packager.end(now());
                self.deliver(&mut packager);
                inner.memory = packager.memory();
            }
        });
        self.progress.send_modify(|progress| progress.started_at = None);
    }

    /// Lets time-outs of the packager and the retention of the window happen.
    pub(super) fn tick(&self) {
        self.outlive(|| {
            let mut inner = self.lock();
            if let Some(packager) = &mut inner.packager {
                packager.tick(now());
                self.deliver(packager);
            }
        });
        self.live.expire();
        self.ladder.expire();
    }

    /// Opens the tap while somebody watches a rung.
    fn turn_tap(&self, inner: &mut Inner) {
        let wanted = self.ladder.wants_tap();
        if let Some(packager) = inner.packager.as_mut().filter(|_| inner.tapped != wanted) {
            packager.set_tap(wanted);
            inner.tapped = wanted;
            if !wanted {
                self.ladder.tap_shut();
            }
        }
    }
}

impl Inner {
    /// A publisher sends again: what stood in for it is over. False: nothing did.
    fn end_stand_in(&mut self) -> bool {
        let stood_in = std::mem::replace(&mut self.stands_in, false);
        if let Some(packager) = self.packager.as_mut().filter(|_| stood_in) {
            packager.interrupted(now());
            packager.set_stand_in(false);
        }
        stood_in
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use common::{
        id::RenditionId,
        live::{
            BitRate, LiveEvent, RenditionDescription, RenditionFormat,
            window::{LiveWindow, Retention},
        },
        media::access_unit::{AccessUnit, Codec, StreamMetadata, TrackId},
    };

    use node::shutdown::Shutdown;

    use super::*;
    use crate::transcode::Transcoder;

    fn on_air() -> Publication {
        let ladder = Ladder::new(Transcoder::none(&Shutdown::new()), Retention::origin());
        let publication = Publication::new(Arc::new(Live::new(Retention::origin())), 500, ladder);
        publication.accept(PublisherId(1), Msn(7), 1);
        let description = EpochDescription {
            ladder: Vec::new(),
            audio_only: false,
            opens_early: false,
            parent: None,
            epoch: common::id::Epoch(1),
            target_duration_s: 2,
            part_target_ms: 500,
            first_msn: Msn(7),
            renditions: vec![RenditionDescription {
                format: RenditionFormat::Audio {
                    index: 0,
                    name: "main".to_owned(),
                    language: None,
                    channels: 2,
                    sample_rate: 48_000,
                },
                codecs: "mp4a.40.2".to_owned(),
                timescale: 48_000,
                bit_rate: BitRate {
                    peak: 128_000,
                    average: 128_000,
                },
            }],
        };
        publication.live.apply(LiveEvent::Start(Arc::new(description))).unwrap();
        publication.progress.send_modify(|progress| {
            progress.started_at = Some(clock::unix_millis());
        });
        publication
    }

    #[test]
    fn a_bug_in_packaging_ends_the_stream_and_not_the_room() {
        let publication = on_air();
        publication.outlive(|| {
            let _inner = publication.lock();
            panic!("a bug");
        });
        assert!(!publication.is_open());
        assert_eq!(publication.progress().borrow().started_at, None);
        let ended = |live: &Live| live.read(|windows| windows.current().is_some_and(LiveWindow::ended));
        assert!(ended(&publication.live));
        let message = MediaMessage::Metadata(StreamMetadata::default());
        assert_eq!(
            publication.push(PublisherId(1), message),
            Err(NotTaken::NotThePublisher)
        );
        publication.accept(PublisherId(2), Msn(8), 2);
        assert!(publication.is_open());
    }

    fn sound(timestamp_ms: u32) -> MediaMessage {
        MediaMessage::AccessUnit(AccessUnit {
            track: TrackId::AUDIO,
            timestamp_ms,
            composition_ms: 0,
            sync: true,
            payload: Bytes::from_static(b"frame"),
        })
    }

    #[test]
    fn a_publisher_that_was_stood_in_for_goes_on_without_saying_again_what_it_sends() {
        let (publication, config) = begun_with_sound();
        let publisher = PublisherId(1);
        let send = |from: u32| {
            (0..200).for_each(|number| publication.push(publisher, sound(from + number * 64 / 3)).unwrap());
        };
        let begun = || {
            publication
                .live
                .read(|windows| windows.current().unwrap().next(RenditionId(0)).0)
        };
        let epoch = publication.description().unwrap().epoch;
        let before = begun();
        publication.stand_in(vec![config.clone(), sound(90_000)]);
        assert_eq!(begun(), before, "nothing stands in for a publisher that sends");
        // As if it had been silent.
        publication.lock().publisher = None;
        let card = (0..200).map(|number| sound(number * 64 / 3));
        publication.stand_in([config].into_iter().chain(card).collect());
        let shown = begun();
        assert!(shown > before);
        publication.lock().publisher = Some(publisher);
        send(5_000);
        assert!(begun() > Msn(shown.0 + 1), "{:?} after {shown:?}", begun());
        assert_eq!(publication.description().unwrap().epoch, epoch);
    }

    /// A publisher of sound that has begun, and its configuration.
    fn begun_with_sound() -> (Publication, MediaMessage) {
        let ladder = Ladder::new(Transcoder::none(&Shutdown::new()), Retention::origin());
        let publication = Publication::new(Arc::new(Live::new(Retention::origin())), 333, ladder);
        publication.accept(PublisherId(1), Msn(7), 1);
        let metadata = StreamMetadata {
            has_video: Some(false),
            has_audio: Some(true),
            ..StreamMetadata::default()
        };
        let config = MediaMessage::Config {
            track: TrackId::AUDIO,
            codec: Codec::Aac,
            record: Bytes::from_static(&[0x11, 0x90]),
        };
        let sounds = (0..200).map(|number| sound(number * 64 / 3));
        for message in [MediaMessage::Metadata(metadata), config.clone()]
            .into_iter()
            .chain(sounds)
        {
            publication.push(PublisherId(1), message).unwrap();
        }
        (publication, config)
    }

    /// Of x264 at 1280x720, 30 frames a second.
    const RECORD_720P30: &[u8] = &[
        0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb,
        0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60, 0x01, 0x00,
        0x04, 0x68, 0xef, 0x8f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00,
    ];

    #[test]
    fn a_stream_that_starts_again_with_a_key_frame_every_250_pictures_is_published_with_its_first_one() {
        let ladder = Ladder::new(Transcoder::none(&Shutdown::new()), Retention::origin());
        let publication = Publication::new(Arc::new(Live::new(Retention::origin())), 333, ladder);
        let send = |number: u64, first_msn: Msn, pictures: u32| {
            let publisher = PublisherId(number);
            publication.accept(publisher, first_msn, number);
            let metadata = MediaMessage::Metadata(StreamMetadata {
                has_audio: Some(false),
                ..StreamMetadata::default()
            });
            let config = MediaMessage::Config {
                track: TrackId::VIDEO,
                codec: Codec::H264,
                record: Bytes::from_static(RECORD_720P30),
            };
            let picture = |frame: u32| {
                MediaMessage::AccessUnit(AccessUnit {
                    track: TrackId::VIDEO,
                    timestamp_ms: frame * 1000 / 30,
                    composition_ms: 0,
                    sync: frame.is_multiple_of(250),
                    payload: Bytes::from_static(b"frame"),
                })
            };
            let messages = [metadata, config].into_iter().chain((0..pictures).map(picture));
            messages.for_each(|message| publication.push(publisher, message).unwrap());
        };
        send(1, Msn(7), 600);
        let first = publication.description().unwrap().epoch;
        publication.end();
        let next = publication.progress().borrow().next_msn;
        send(2, next, 30);
        assert_ne!(publication.description().unwrap().epoch, first);
        let shown = publication
            .live
            .read(|windows| windows.current().unwrap().next(RenditionId(0)));
        assert_eq!(shown, (next, 3), "parts of a third of a second");
    }

    fn next_msn(publication: &Publication) -> Msn {
        publication
            .live
            .read(|windows| windows.current().unwrap().next(RenditionId(0)).0)
    }

    #[test]
    fn an_epoch_that_its_window_gave_up_is_followed_by_another() {
        let (publication, _) = begun_with_sound();
        let publisher = PublisherId(1);
        let epoch = publication.description().unwrap().epoch;
        // As if the packager had made what no window takes.
        publication.live.abandon();
        let send = |range: std::ops::Range<u32>| {
            range.for_each(|number| publication.push(publisher, sound(number * 64 / 3)).unwrap());
        };
        send(200..400);
        let next = publication.description().expect("there is something to play");
        assert_ne!(next.epoch, epoch);
        let first = next.first_msn;
        assert!(next_msn(&publication) > first, "and it goes on");
        send(400..600);
        assert_eq!(publication.description().unwrap().epoch, next.epoch);
        assert!(publication.progress().borrow().started_at.is_some());
    }

    #[test]
    fn a_publisher_that_sends_more_than_is_carried_is_told_so() {
        let (publication, _) = begun_with_sound();
        let publisher = PublisherId(1);
        let large = |_: &u32| {
            let MediaMessage::AccessUnit(unit) = sound(4_270) else {
                unreachable!()
            };
            let payload = Bytes::from(vec![0; 500 << 10]);
            publication.push(publisher, MediaMessage::AccessUnit(AccessUnit { payload, ..unit }))
        };
        let refused = (0..200).find_map(|number| large(&number).err());
        assert_eq!(refused, Some(NotTaken::TooMuch));
        publication.interrupt();
        let warnings = publication.health().unwrap().warnings;
        assert!(warnings[1].contains("100 Mb per second"), "{warnings:?}");
    }

    #[test]
    fn a_slate_goes_on_when_the_silent_publisher_is_lost() {
        let (publication, config) = begun_with_sound();
        // As if it had been silent.
        publication.lock().publisher = None;
        let card = (0..200).map(|number| sound(number * 64 / 3));
        publication.stand_in([config].into_iter().chain(card).collect());
        publication.lock().publisher = Some(PublisherId(1));
        publication.interrupt();
        let shown = next_msn(&publication);
        publication.stand_in((200..500).map(|number| sound(number * 64 / 3)).collect());
        assert!(next_msn(&publication) > Msn(shown.0 + 1));
        let health = publication.health().unwrap();
        assert_eq!((health.audio, health.audio_tracks), (None, Vec::new()));
        assert!(health.away_seconds.is_some());
        assert!(health.warnings.len() == 1 && health.warnings[0].contains("the slate is shown"));
    }

    #[test]
    fn a_publisher_that_is_gone_is_told_of_without_a_slate_too() {
        let (publication, config) = begun_with_sound();
        assert_eq!(publication.health().unwrap().away_seconds, None);
        publication.interrupt();
        let health = publication.health().unwrap();
        assert!(health.away_seconds.is_some());
        let says = "The publisher is gone for 0 s, the room waits for it";
        assert!(
            health.warnings.len() == 1 && health.warnings[0].starts_with(says),
            "{:?}",
            health.warnings
        );

        publication.accept(PublisherId(2), Msn(0), 1);
        publication.push(PublisherId(2), config).unwrap();
        let health = publication.health().unwrap();
        assert_eq!(
            (health.away_seconds, health.warnings, health.audio_tracks.len()),
            (None, Vec::new(), 1)
        );
    }

    #[test]
    fn a_slate_that_has_nothing_to_show_yet_breaks_nothing() {
        let (publication, _) = begun_with_sound();
        publication.lock().publisher = None;
        publication.stand_in(Vec::new());
        publication.lock().publisher = Some(PublisherId(1));
        let breaks = publication.health().unwrap().breaks;
        publication.push(PublisherId(1), sound(4_270)).unwrap();
        let after = publication.health().unwrap();
        assert_eq!((after.breaks, after.dropped.unusable_audio), (breaks, 0));
    }

    #[test]
    fn what_is_left_of_a_stream_is_media() {
        let publication = on_air();
        publication.live.apply(LiveEvent::End).unwrap();
        publication.end();
        assert!(!publication.is_open() && publication.has_media());
    }
}
