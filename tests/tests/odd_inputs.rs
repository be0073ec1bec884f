//! What encoders send when they are set up in other ways than one thinks of: our linter finds nothing, and a page plays on.

use std::{sync::Arc, time::Duration, time::Instant};

use anyhow::{Result, ensure};
use common::hls::lint::Rule;
use e2e::{
    encoders::Encoding,
    lint,
    picture_watch::Seen,
    publisher::Settings,
    recording::Recording,
    rtmp_sender::{Replay, Target},
    screening::{Audience, Screening},
};

const LOOK: Duration = Duration::from_secs(15);

/// Plays in a page and under the linter for a while; rules that are `excused` cannot hold for such a stream.
async fn ensure_fine(screening: &Screening, excused: &[Rule]) -> Result<Seen> {
    screening.until_live().await?;
    let audience = Audience::enter_by(&screening.doors()[1..]).await?;
    let viewer = screening.friend("Bob").await?;
    let before = audience.seen().await?.remove(0);
    let report = lint::follow(&viewer, LOOK).await?;
    let mut seen = audience.seen().await?.remove(0);
    seen.frames -= before.frames;
    audience.leave().await?;
    let violations = report.violations.iter().filter(|found| !excused.contains(&found.rule));
    let violations: Vec<String> = violations.map(ToString::to_string).collect();
    ensure!(violations.is_empty(), "{}", violations.join("\n"));
    ensure!(
        report.playlists > 15 && report.parts > 15,
        "hardly anything was looked at: {report:?}"
    );
    ensure!(seen.stalls.is_empty() && seen.jumps.is_empty(), "{seen:?}");
    Ok(seen)
}

async fn ensure_encoding_fine(encoding: Encoding) -> Result<Seen> {
    let screening = Screening::prepare().await?;
    let _publisher = encoding.start(&screening.publish_url(), screening.origin.folder())?;
    ensure_fine(&screening, &[]).await
}

async fn ensure_film_fine(change: impl FnOnce(Recording) -> Recording) -> Result<Seen> {
    let screening = Screening::prepare().await?;
    let film = change(Recording::noise(Settings::default(), screening.origin.folder())?);
    let target = Target::new(screening.path.address, &screening.room.key);
    let replay = Replay::start(&Arc::new(film), &target, Instant::now()).await?;
    let seen = ensure_fine(&screening, &[]).await?;
    replay.stop().await?;
    Ok(seen)
}

#[tokio::test]
async fn a_key_frame_every_250_pictures_plays_without_a_stall() -> Result<()> {
    let seen = ensure_encoding_fine(Encoding {
        video: "-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 250 -keyint_min 250 -sc_threshold 0 -b:v 800k",
        ..Encoding::default()
    })
    .await?;
    ensure!(seen.frames > 300, "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn frame_rates_from_none_to_sixty_play_without_a_stall() -> Result<()> {
    // 60 pictures a second for three seconds, none for one, 20 for three: as screens are recorded.
    let picture = concat!(
        "testsrc2=size=640x360:rate=60,",
        r"select=lt(mod(t\,7)\,3)+gte(mod(t\,7)\,4)*not(mod(n\,3))"
    );
    let encoding = Encoding {
        picture: Some(picture),
        video: "-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 600 \
                -force_key_frames expr:gte(t,n_forced*2) -b:v 800k",
        output: "-fps_mode vfr",
        ..Encoding::default()
    };
    let screening = Screening::prepare().await?;
    let _publisher = encoding.start(&screening.publish_url(), screening.origin.folder())?;
    // A second without pictures has one on either side to be parts of, both too long, and what is before them may be short. A key frame
    // after it is decoded before it is shown, where sound had no reason to begin a segment.
    ensure_fine(&screening, &[Rule::PartTooLong, Rule::PartTooShort, Rule::Alignment]).await?;
    Ok(())
}

#[tokio::test]
async fn sound_alone_plays_without_a_stall() -> Result<()> {
    let seen = ensure_encoding_fine(Encoding {
        picture: None,
        ..Encoding::default()
    })
    .await?;
    ensure!(seen.frames == 0, "pictures of nothing: {seen:?}");
    Ok(())
}

#[tokio::test]
async fn pictures_alone_play_without_a_stall() -> Result<()> {
    let seen = ensure_encoding_fine(Encoding {
        audio: &[],
        ..Encoding::default()
    })
    .await?;
    ensure!(seen.frames > 300, "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn sound_that_begins_three_seconds_late_plays_without_a_stall() -> Result<()> {
    let seen = ensure_film_fine(|film| film.without_sound_until(3000)).await?;
    ensure!(seen.frames > 300, "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn sound_that_arrives_three_seconds_after_its_pictures_plays_without_a_stall() -> Result<()> {
    let seen = ensure_film_fine(|film| film.with_sound_sent_late(3000)).await?;
    ensure!(seen.frames > 300, "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn a_resolution_that_changes_in_mid_stream_plays_without_a_stall() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let larger = Recording::noise(
        Settings {
            width: 854,
            height: 480,
            ..Settings::default()
        },
        folder.path(),
    )?;
    let seen = ensure_film_fine(|film| film.followed_by(&larger, 14_000)).await?;
    ensure!((seen.width, seen.height) == (854, 480), "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn two_b_frames_play_without_a_stall() -> Result<()> {
    let seen = ensure_encoding_fine(Encoding {
        video: "-c:v libx264 -preset veryfast -bf 2 -pix_fmt yuv420p -g 60 -b:v 800k",

        ..Encoding::default()
    })
    .await?;
    ensure!(seen.frames > 300, "{seen:?}");
    Ok(())
}
