//! Rungs made by the real ffmpeg, which has to be installed, of a stream that comes in real time.

#![expect(clippy::unwrap_used, reason = "a failing test may panic, in its helpers too")]

use std::{
    collections::BTreeMap,
    fs,
    future::Future,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    pin::Pin,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use common::{
    flv::{
        demux::{Demuxed, Demuxer},
        file::FileReader,
    },
    id::{Epoch, Msn, RenditionId, RoomSlug, Rung},
    live::{
        segment::Segment,
        window::{LiveWindow, Retention},
    },
    media::access_unit::MediaMessage,
    packager::Offer,
};
use node::{live::Live, shutdown::Shutdown};
use origin::{
    ingest::admission::{Admission as _, Lease as _, PublishEnd, PublishRequest, StreamKey},
    room::{KeyLookup, MsnStore, RoomAdmission, RoomLease, Rooms, RoomsConfig, StreamSettings},
    transcode::{LadderHealth, RungHold, RungState, Transcoder},
};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};

/// Long enough for anything on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(40);
const FRAME_TICKS: u64 = 3000;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = anyhow::Result<T>> + Send + 'a>>;

struct OneRoom;

impl KeyLookup for OneRoom {
    fn room<'a>(&'a self, _: &'a StreamKey) -> BoxFuture<'a, Option<RoomSlug>> {
        Box::pin(async { Ok(Some(cinema())) })
    }
}

impl MsnStore for OneRoom {
    fn reserved<'a>(&'a self, _: &'a RoomSlug) -> BoxFuture<'a, Msn> {
        Box::pin(async { Ok(Msn(0)) })
    }

    fn reserve<'a>(&'a self, _: &'a RoomSlug, _: Msn) -> BoxFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

fn cinema() -> RoomSlug {
    "cinema".parse().unwrap()
}

/// Ten seconds of 360p with sound, B-frames, and a key frame a second; with their times in milliseconds.
fn film() -> Vec<(u32, MediaMessage)> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30"])
        .args([
            "-f",
            "lavfi",
            "-i",
            "sine=sample_rate=48000",
            "-t",
            "10",
            "-pix_fmt",
            "yuv420p",
        ])
        .args([
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-g",
            "30",
            "-bf",
            "2",
            "-sc_threshold",
            "0",
        ])
        .args(["-c:a", "aac", "-ac", "2", "-f", "flv", "pipe:1"])
        .stderr(Stdio::inherit())
        .output()
        .expect("ffmpeg is installed");
    assert!(output.status.success());
    let (mut reader, mut demuxer) = (FileReader::default(), Demuxer::new());
    reader.buffer().extend_from_slice(&output.stdout);
    let mut film = Vec::new();
    while let Some(tag) = reader.next_tag().unwrap() {
        for demuxed in demuxer.push(&tag).unwrap() {
            if let Demuxed::Media(message) = demuxed {
                film.push((tag.timestamp_ms, message));
            }
        }
    }
    film
}

struct Stage {
    shutdown: Shutdown,
    rooms: Rooms,
    admission: RoomAdmission,
    film: Arc<Vec<(u32, MediaMessage)>>,
}

struct Publisher {
    hang_up: oneshot::Sender<PublishEnd>,
    task: JoinHandle<()>,
}

impl Publisher {
    async fn leave(self, how: PublishEnd) {
        self.hang_up.send(how).unwrap();
        self.task.await.unwrap();
    }
}

impl Stage {
    fn new(ffmpeg: &str) -> Self {
        Self::with(ffmpeg, |transcoder| transcoder)
    }

    fn with(ffmpeg: &str, set: impl FnOnce(Transcoder) -> Transcoder) -> Self {
        let shutdown = Shutdown::new();
        let settings = RoomsConfig {
            part_target_ms: 333,
            retention: Retention::origin(),
            slates: None,
            memories: None,
        };
        let transcoder = set(Transcoder::start(ffmpeg.into(), &shutdown));
        let rooms = Rooms::with_transcoder(settings, Arc::new(OneRoom), transcoder, shutdown.clone());
        rooms.open(&cinema());
        let offer = Offer {
            ladder: vec![Rung::P720, Rung::P240, Rung::P144],
            ..Offer::default()
        };
        rooms.set_stream_settings(
            &cinema(),
            StreamSettings {
                offer,
                ..StreamSettings::default()
            },
        );
        Self {
            admission: RoomAdmission::new(rooms.clone(), Arc::new(OneRoom)),
            shutdown,
            rooms,
            film: Arc::new(film()),
        }
    }

    /// The film in real time, over and over, as one stream.
    async fn publish(&self) -> Publisher {
        let request = PublishRequest {
            key: StreamKey::from_stream_name("sk_a").unwrap(),
            peer: "192.0.2.1:1".parse().unwrap(),
            app: "live".to_owned(),
        };
        let lease = self.admission.admit(request).await.unwrap();
        let (hang_up, ended) = oneshot::channel();
        let task = tokio::spawn(send(lease, Arc::clone(&self.film), ended));
        Publisher { hang_up, task }
    }

    fn source(&self) -> Arc<Live> {
        self.rooms.live(&cinema()).unwrap()
    }

    fn health(&self) -> LadderHealth {
        self.rooms.ladder_health(&cinema())
    }

    fn state(&self, rung: Rung) -> (RungState, u32) {
        let health = self.health();
        let found = health.rungs.iter().find(|found| found.rung == rung.as_str()).unwrap();
        (found.state, found.restarts)
    }

    async fn on_air(&self) {
        wait(&self.source(), |window| {
            window.description().ladder.len().checked_sub(1)
        })
        .await;
    }

    fn hold(&self, rung: Rung) -> RungHold {
        self.rooms.rung(&cinema(), rung).expect("the rung is offered")
    }

    /// The processes that encode a rung of this test.
    fn encoders(rung: Rung) -> Vec<String> {
        let scale = format!(":{},", rung.height());
        let mine = std::process::id().to_string();
        let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid = entry.ok()?.file_name().into_string().ok()?;
            let folder = Path::new("/proc").join(&pid);
            let parent = fs::read_to_string(folder.join("stat")).ok()?;
            let parent = parent.rsplit(')').next()?.split_whitespace().nth(1)?.to_owned();
            let command = fs::read_to_string(folder.join("cmdline")).ok()?;
            (parent == mine && command.contains(&scale) && command.contains("matroska")).then_some(pid)
        });
        processes.collect()
    }
}

/// The nice value of each thread of a process.
fn nice_values(pid: &str) -> Vec<i32> {
    let threads = fs::read_dir(Path::new("/proc").join(pid).join("task")).unwrap();
    let value = |stat: String| stat.rsplit(')').next()?.split_whitespace().nth(16)?.parse().ok();
    let values = threads.filter_map(|thread| value(fs::read_to_string(thread.ok()?.path().join("stat")).ok()?));
    values.collect()
}

/// A program that is ffmpeg, but for an encoder that works on a card that is gone when a stream comes.
fn ffmpeg_with_a_card_that_goes_away() -> tempfile::TempDir {
    let trial =
        "-f rawvideo -pix_fmt yuv420p -r 25 -s 320x240 -i pipe:0 -copyts -fps_mode passthrough -enc_time_base 1:1000";
    let made = "-c:v libx264 -preset veryfast -tune zerolatency -sc_threshold 0 -bf 0 -g 1000000 -force_key_frames 0.2";
    let script = format!(
        r#"#!/bin/sh
case "$*" in
*-encoders*) ffmpeg "$@"; echo ' V....D h264_nvenc  gone' ;;
*rawvideo*h264_nvenc*) exec ffmpeg -v error {trial} {made} -f flv pipe:1 ;;
*h264_nvenc*) echo 'the card is gone' >&2; exit 1 ;;
*) exec ffmpeg "$@" ;;
esac
"#
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ffmpeg");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

async fn send(mut lease: RoomLease, film: Arc<Vec<(u32, MediaMessage)>>, mut ended: oneshot::Receiver<PublishEnd>) {
    let start = Instant::now();
    for turn in 0.. {
        for (at_ms, message) in film.iter() {
            let at_ms = turn * 10_000 + at_ms;
            tokio::select! {
                () = sleep_until(start + Duration::from_millis(at_ms.into())) => {}
                how = &mut ended => {
                    lease.finish(how.unwrap_or(PublishEnd::Stopped));
                    return;
                }
            }
            let mut message = message.clone();
            if let MediaMessage::AccessUnit(unit) = &mut message {
                unit.timestamp_ms += turn * 10_000;
            }
            lease.push(message).unwrap();
        }
    }
}

/// Waits until the current window has what is looked for.
async fn wait<T>(live: &Live, look: impl Fn(&LiveWindow) -> Option<T>) -> T {
    let mut changes = live.watch();
    let found = async {
        loop {
            changes.borrow_and_update();
            if let Some(found) = live.read(|windows| windows.current().and_then(&look)) {
                return found;
            }
            changes.changed().await.unwrap();
        }
    };
    timeout(PATIENCE, found).await.expect("it comes in time")
}

/// Waits until it is so, with nothing to be woken by.
async fn until(is_so: impl Fn() -> bool) {
    let so = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, so).await.expect("it becomes so in time");
}

/// Of each complete segment: start and duration in ticks, its number of discontinuities, and whether it has gaps.
type Seen = BTreeMap<Msn, (u64, u64, u64, bool)>;

fn complete(window: &LiveWindow) -> Seen {
    let segments = window.segments(RenditionId(0)).filter(|segment| segment.is_complete());
    let seen = |segment: &Segment| {
        let mark = segment.discontinuity_number();
        (
            segment.msn(),
            (segment.dts(), segment.duration(), mark, segment.has_gap()),
        )
    };
    segments.map(seen).collect()
}

fn newest(window: &LiveWindow) -> Option<Msn> {
    complete(window).last_key_value().map(|(&msn, _)| msn)
}

/// Waits for so many complete segments, gaps or not, behind `after`.
async fn segments(live: &Live, after: Msn, count: usize) -> (Epoch, Seen) {
    wait(live, |window| {
        let seen = complete(window);
        (seen.range(after.next()..).count() >= count).then(|| (window.epoch(), seen))
    })
    .await
}

fn assert_aligned(source: &Live, rung: &Seen) {
    let source = source.read(|windows| complete(windows.current().unwrap()));
    let numbers: Vec<u64> = rung.keys().map(|msn| msn.0).collect();
    assert!(numbers.is_sorted_by(|a, b| a + 1 == *b), "{numbers:?}");
    let mut compared = 0;
    for (msn, &(start, duration, mark, _)) in rung {
        if let Some(&(source_start, source_duration, source_mark, _)) = source.get(msn) {
            assert!(
                start.abs_diff(source_start) < FRAME_TICKS,
                "{msn}: {start} {source_start}"
            );
            assert!(
                duration.abs_diff(source_duration) < FRAME_TICKS,
                "{msn}: {duration} {source_duration}"
            );
            assert_eq!(mark, source_mark, "{msn}");
            compared += 1;
        }
    }
    assert!(compared >= 2, "{rung:?} {source:?}");
}

/// Whether ffmpeg decodes all that is in the window without a word.
fn decodes(live: &Live) {
    let bytes: Vec<u8> = live.read(|windows| {
        let window = windows.current().unwrap();
        let parts = window.segments(RenditionId(0)).flat_map(Segment::parts);
        let bodies = parts.filter_map(|part| part.body.as_deref());
        let init = window.init(RenditionId(0), 0).unwrap().clone();
        std::iter::once(&init[..]).chain(bodies).collect::<Vec<_>>().concat()
    });
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rung.mp4");
    fs::write(&path, bytes).unwrap();
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg
        .args(["-v", "warning", "-i"])
        .arg(&path)
        .args(["-f", "null", "-"]);
    let output = ffmpeg.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[tokio::test]
async fn rungs_are_cut_as_the_source_is_and_made_only_while_watched() {
    let stage = Stage::new("ffmpeg");
    let publisher = stage.publish().await;
    stage.on_air().await;
    assert!(
        stage.rooms.rung(&cinema(), Rung::P720).is_none(),
        "larger than the source"
    );
    assert!(Stage::encoders(Rung::P240).is_empty() && Stage::encoders(Rung::P144).is_empty());

    let (large, small) = (stage.hold(Rung::P240), stage.hold(Rung::P144));
    for hold in [&large, &small] {
        let (_, seen) = segments(hold.live(), Msn(0), 3).await;
        assert_aligned(&stage.source(), &seen);
        assert!(seen.values().all(|segment| !segment.3), "{seen:?}");
        let parent = hold
            .live()
            .read(|windows| windows.current().unwrap().description().parent);
        let source = stage.source().read(|windows| windows.current().unwrap().epoch());
        assert_eq!(parent.unwrap().epoch, source);
        decodes(hold.live());
    }
    assert_eq!(
        (Stage::encoders(Rung::P240).len(), Stage::encoders(Rung::P144).len()),
        (1, 1)
    );
    assert_eq!(stage.state(Rung::P144), (RungState::Running, 0));
    let own = nice_values("self")[0];
    for pid in Stage::encoders(Rung::P240) {
        let values = nice_values(&pid);
        assert!(
            !values.is_empty() && values.iter().all(|&value| value == (own + 10).min(19)),
            "{own} {values:?}"
        );
    }

    // Claimed again within the linger, it goes on.
    drop(small);
    let small = stage.hold(Rung::P144);
    drop(large);
    until(|| Stage::encoders(Rung::P240).is_empty()).await;
    until(|| stage.state(Rung::P240).0 == RungState::Off).await;
    assert_eq!(Stage::encoders(Rung::P144).len(), 1);
    assert!(small.live().read(|windows| !windows.current().unwrap().ended()));

    publisher.leave(PublishEnd::Stopped).await;
    stage.shutdown.trigger();
    assert_eq!(stage.shutdown.drain(PATIENCE).await, 0);
    assert!(Stage::encoders(Rung::P144).is_empty());
}

#[tokio::test]
async fn a_killed_ffmpeg_leaves_gaps_and_the_rung_goes_on() {
    let stage = Stage::new("ffmpeg");
    let publisher = stage.publish().await;
    stage.on_air().await;
    let hold = stage.hold(Rung::P144);
    let (epoch, _) = segments(hold.live(), Msn(0), 1).await;

    // On a computer that is too busy, the one that made the segment may be replaced already.
    until(|| !Stage::encoders(Rung::P144).is_empty()).await;
    let (restarts, last) = (
        stage.state(Rung::P144).1,
        hold.live().read(|windows| newest(windows.current().unwrap())),
    );
    let killed = Stage::encoders(Rung::P144).remove(0);
    assert!(Command::new("kill").args(["-9", &killed]).status().unwrap().success());
    let gap = |window: &LiveWindow| {
        let seen = complete(window);
        let mut behind = seen.into_iter().filter(|&(msn, _)| Some(msn) > last);
        behind.find(|(_, segment)| segment.3).map(|(msn, _)| msn)
    };
    let gap = wait(hold.live(), gap).await;
    let back = |window: &LiveWindow| {
        let seen = complete(window);
        let back = seen.range(gap..).any(|(_, segment)| !segment.3);
        back.then(|| (window.epoch(), complete(window)))
    };
    let (after, seen) = wait(hold.live(), back).await;
    assert_eq!(after, epoch);
    assert_aligned(&stage.source(), &seen);
    assert_eq!(stage.state(Rung::P144), (RungState::Running, restarts + 1));
    assert_ne!(Stage::encoders(Rung::P144), [killed]);

    publisher.leave(PublishEnd::Stopped).await;
    stage.shutdown.trigger();
    stage.shutdown.drain(PATIENCE).await;
}

#[tokio::test]
async fn a_publisher_that_drops_and_returns_is_one_discontinuity_of_the_rung_too() {
    let stage = Stage::new("ffmpeg");
    let publisher = stage.publish().await;
    stage.on_air().await;
    let hold = stage.hold(Rung::P144);
    segments(hold.live(), Msn(0), 2).await;
    publisher.leave(PublishEnd::Lost).await;
    // ffmpeg gives back what it has, and the segment is closed where the source's is.
    let last = stage
        .source()
        .read(|windows| newest(windows.current().unwrap()).unwrap());
    wait(hold.live(), |window| (newest(window) == Some(last)).then_some(())).await;
    until(|| Stage::encoders(Rung::P144).is_empty()).await;

    let publisher = stage.publish().await;
    let (_, seen) = segments(hold.live(), last, 2).await;
    assert_aligned(&stage.source(), &seen);
    assert!(seen.values().all(|segment| !segment.3), "{seen:?}");
    assert_eq!(seen[&last.next()].2, seen[&last].2 + 1);
    publisher.leave(PublishEnd::Stopped).await;
    stage.shutdown.trigger();
    stage.shutdown.drain(PATIENCE).await;
}

#[tokio::test]
async fn an_encoder_that_fails_again_and_again_is_left_for_the_next_one_and_the_host_is_told() {
    let folder = ffmpeg_with_a_card_that_goes_away();
    let stage = Stage::new(folder.path().join("ffmpeg").to_str().unwrap());
    let publisher = stage.publish().await;
    stage.on_air().await;
    let hold = stage.hold(Rung::P144);
    let (_, seen) = segments(hold.live(), Msn(0), 2).await;
    assert_aligned(&stage.source(), &seen);
    let health = stage.health();
    assert_eq!(health.encoder.as_deref(), Some("h264_nvenc"));
    assert_eq!(stage.state(Rung::P144), (RungState::Running, 2));
    let told = |warning: &String| warning.contains("144p: h264_nvenc failed") && warning.contains("the card is gone");
    assert!(health.warnings.iter().any(told), "{health:?}");
    publisher.leave(PublishEnd::Stopped).await;
    stage.shutdown.trigger();
    stage.shutdown.drain(PATIENCE).await;
}

#[tokio::test]
async fn a_rung_for_which_there_is_no_room_is_left_out_until_there_is_and_the_host_is_told() {
    let stage = Stage::with("ffmpeg", |transcoder| transcoder.with_most_encoders(1));
    let publisher = stage.publish().await;
    stage.on_air().await;
    let small = [stage.hold(Rung::P144), stage.hold(Rung::P144)];
    segments(small[0].live(), Msn(0), 1).await;
    let large = stage.hold(Rung::P240);
    until(|| stage.state(Rung::P240).0 == RungState::Dropped).await;
    assert!(Stage::encoders(Rung::P240).is_empty());
    let health = stage.health();
    assert!(
        health
            .warnings
            .iter()
            .any(|warning| warning.contains("240p was left out")),
        "{health:?}"
    );
    assert_eq!(stage.state(Rung::P144), (RungState::Running, 0));
    assert!(stage.rooms.rung(&cinema(), Rung::P240).is_none());

    drop((small, large));
    // The other one's encoder has to be gone first.
    until(|| stage.rooms.rung(&cinema(), Rung::P240).is_some()).await;
    let large = stage.hold(Rung::P240);
    segments(large.live(), Msn(0), 1).await;
    assert!(stage.health().warnings.is_empty(), "{:?}", stage.health());
    publisher.leave(PublishEnd::Stopped).await;
    stage.shutdown.trigger();
    stage.shutdown.drain(PATIENCE).await;
}

#[tokio::test]
async fn where_no_encoder_may_work_there_is_the_source_and_the_host_is_told() {
    let stage = Stage::with("ffmpeg", |_| Transcoder::none(&Shutdown::new()));
    let publisher = stage.publish().await;
    let ladder = wait(&stage.source(), |window| Some(window.description().ladder.len())).await;
    assert_eq!(ladder, 0);
    assert!(stage.rooms.rung(&cinema(), Rung::P144).is_none());
    let health = stage.health();
    assert_eq!(health.ffmpeg, None);
    assert!(
        health
            .warnings
            .iter()
            .any(|warning| warning.contains("--max-encoders 0")),
        "{health:?}"
    );
    publisher.leave(PublishEnd::Stopped).await;
}

#[tokio::test]
async fn without_ffmpeg_there_is_the_source_and_the_host_is_told() {
    let stage = Stage::new("/nowhere/ffmpeg");
    until(|| !stage.health().warnings.is_empty()).await;
    let health = stage.health();
    assert_eq!(health.ffmpeg, None);
    assert!(health.warnings[0].contains("Install ffmpeg"), "{health:?}");
    let publisher = stage.publish().await;
    let ladder = wait(&stage.source(), |window| Some(window.description().ladder.len())).await;
    assert_eq!(ladder, 0);
    assert!(stage.rooms.rung(&cinema(), Rung::P144).is_none());
    publisher.leave(PublishEnd::Stopped).await;
}
