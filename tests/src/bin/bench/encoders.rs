//! A table of the encoders that people have: what each sends goes to its end through ffmpeg without an error, and meanwhile through a
//! page in Chromium.

use std::time::Duration;

use anyhow::{Context, Result};
use e2e::{
    decoded::Decoding,
    encoders::{AAC, Encoding, Ffmpeg, X264, gstreamer, nginx_push},
    obs::{Obs, ObsSettings},
    picture_watch,
    process::Process,
    screening::{Audience, Screening},
};

use crate::results::{Results, say};

/// Of film; what is decoded is less by what passed before the player came.
const SECONDS: u32 = 25;
const END: Duration = Duration::from_secs(90);

/// One line of the table.
struct Row {
    name: &'static str,
    encoder: Encoder,
    sounds: usize,
}

enum Encoder {
    Ffmpeg(Encoding),
    Gstreamer,
    Nginx,
    Obs(ObsSettings),
}

fn rows() -> Vec<Row> {
    let row = |name, encoder, sounds| Row { name, encoder, sounds };
    let debian = |video| {
        Encoder::Ffmpeg(Encoding {
            video,
            seconds: SECONDS,
            ..Encoding::default()
        })
    };
    let newer = |video, audio: &'static [&'static str], output| {
        Encoder::Ffmpeg(Encoding {
            ffmpeg: Ffmpeg::Newer,
            video,
            audio,
            output,
            seconds: SECONDS,
            ..Encoding::default()
        })
    };
    let obs = |frame_rate, b_frames: Option<u32>| {
        Encoder::Obs(ObsSettings {
            frame_rate,
            key_seconds: b_frames.map(|_| 2),
            b_frames,
        })
    };
    let enhanced = "-rtmp_enhanced_codecs hvc1,av01,vp09";
    vec![
        row("OBS as installed, 30 fps", obs(30, None), 1),
        row("OBS, 24 fps", obs(24, None), 1),
        row("OBS, 60 fps", obs(60, None), 1),
        row("OBS, x264 with 2 B-frames", obs(30, Some(2)), 1),
        row("Debian's ffmpeg", debian(X264), 1),
        row(
            "Debian's ffmpeg, 3 B-frames",
            debian("-c:v libx264 -preset veryfast -bf 3 -pix_fmt yuv420p -g 60 -b:v 800k"),
            1,
        ),
        row("nginx-rtmp push", Encoder::Nginx, 1),
        row("GStreamer rtmp2sink", Encoder::Gstreamer, 1),
        row("newer ffmpeg, H.264", newer(X264, &[AAC], ""), 1),
        row("newer ffmpeg, two sounds", newer(X264, &[AAC, AAC], ""), 2),
        row("newer ffmpeg, Opus", newer(X264, &["libopus -b:a 96k -ac 2"], ""), 1),
        row("newer ffmpeg, FLAC", newer(X264, &["flac -ac 2"], ""), 1),
        row("newer ffmpeg, AC-3", newer(X264, &["ac3 -b:a 192k -ac 2"], ""), 1),
        row("newer ffmpeg, E-AC-3", newer(X264, &["eac3 -b:a 192k -ac 2"], ""), 1),
        row(
            "newer ffmpeg, HEVC",
            newer(
                "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=60 -pix_fmt yuv420p",
                &[AAC],
                enhanced,
            ),
            1,
        ),
        row(
            "newer ffmpeg, AV1 and Opus",
            newer(
                "-c:v libaom-av1 -usage realtime -cpu-used 8 -g 60 -b:v 600k -pix_fmt yuv420p",
                &["libopus -b:a 96k -ac 2"],
                enhanced,
            ),
            1,
        ),
        row(
            "newer ffmpeg, VP9",
            newer(
                "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 60 -b:v 600k -pix_fmt yuv420p",
                &[AAC],
                enhanced,
            ),
            1,
        ),
    ]
}

pub(crate) async fn run(results: &mut Results) -> Result<()> {
    say("encoders, each decoded to its end by ffmpeg and played in Chromium: 15 minutes");
    for row in rows() {
        match watch(&row).await {
            Ok((frames, told)) => {
                results.add(
                    &format!("{}: decoded without an error", row.name),
                    "frames",
                    frames as f64,
                    1,
                );
                say(&format!("    {told}"));
            }
            Err(error) => {
                results.add(&format!("{}: decoded without an error", row.name), "frames", 0.0, 1);
                say(&format!("    NOT: {error:#}"));
            }
        }
    }
    Ok(())
}

/// Pictures that ffmpeg decoded, and what else there is to say.
async fn watch(row: &Row) -> Result<(usize, String)> {
    let screening = Screening::prepare().await?;
    let (url, folder) = (screening.publish_url(), screening.origin.folder());
    let (mut processes, mut obs): (Vec<Process>, _) = (Vec::new(), None);
    match &row.encoder {
        Encoder::Ffmpeg(encoding) => processes.push(encoding.start(&url, folder)?),
        Encoder::Gstreamer => processes.push(gstreamer(&url, SECONDS, folder)?),
        Encoder::Nginx => {
            let (nginx, address) = nginx_push(screening.path.address, &screening.origin.admin, folder)?;
            let encoding = Encoding {
                seconds: SECONDS,
                ..Encoding::default()
            };
            processes.extend([
                nginx,
                encoding.start(&format!("rtmp://{address}/in/{}", screening.room.key), folder)?,
            ]);
        }
        Encoder::Obs(settings) => {
            let mut started = Obs::start(screening.path.address, &screening.room.key, *settings).await?;
            started.start_stream().await?;
            obs = Some(started);
        }
    }
    let on_air = screening.until_live().await;
    on_air.with_context(|| processes.first().map(Process::log).unwrap_or_default())?;
    let viewer = screening.friend("Bob").await?;
    let decoding = Decoding::start(&viewer, true, row.sounds, folder)?;
    let audience = Audience::enter_by(&screening.doors()[1..]).await;
    let page = match audience {
        Ok(audience) => {
            tokio::time::sleep(Duration::from_secs(8)).await;
            let seen = picture_watch::seen(&audience.pages[0]).await?;
            audience.leave().await?;
            format!(
                "in Chromium {}x{}, {} pictures, {} stalls",
                seen.width,
                seen.height,
                seen.frames,
                seen.stalls.len()
            )
        }
        Err(error) => format!("not in Chromium: {}", error.to_string().replace('\n', " ")),
    };
    if let Some(mut obs) = obs {
        tokio::time::sleep(Duration::from_secs(8)).await;
        obs.stop_stream().await?;
    }
    let tracks = tokio::task::spawn_blocking(move || decoding.to_the_end(END)).await??;
    let list: Vec<String> = tracks
        .iter()
        .map(|track| format!("{} ({} ms gap)", track.frames, track.longest_gap_ms))
        .collect();
    let pictures = tracks.first().context("nothing was decoded")?.frames;
    Ok((pictures, format!("tracks: {}; {page}", list.join(", "))))
}
