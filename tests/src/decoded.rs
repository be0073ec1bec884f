//! A room decoded by ffmpeg to the end of its stream: every picture and every sound, and what ffmpeg had to say.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Result, ensure};

use crate::{api::Viewer, process::Process};

/// ffmpeg that follows a room.
#[derive(Debug)]
pub struct Decoding {
    process: Process,
}

/// What came out of one track.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    pub frames: usize,
    pub first_ms: i64,
    pub last_ms: i64,
    /// Longest time from the end of one frame to the next.
    pub longest_gap_ms: i64,
    /// Longest time by which a frame begins before the last one ended.
    pub longest_overlap_ms: i64,
}

impl Decoding {
    /// Follows pictures and `sounds` tracks of sound from now on.
    pub fn start(viewer: &Viewer, has_pictures: bool, sounds: usize, log_dir: &Path) -> Result<Self> {
        let mut command = Command::new("ffmpeg");
        command
            .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-copyts", "-i"])
            .arg(viewer.url("index.m3u8"));
        if has_pictures {
            command.args(["-map", "0:v:0"]);
        }
        for number in 0..sounds {
            command.args(["-map", &format!("0:a:{number}")]);
        }
        command.args([
            "-fps_mode",
            "passthrough",
            "-enc_time_base",
            "1:1000",
            "-f",
            "framecrc",
            "-",
        ]);
        Ok(Self {
            process: Process::start("decoder", &mut command, log_dir)?,
        })
    }

    /// Waits until ffmpeg has seen the stream end; an error if anything could not be decoded.
    pub fn to_the_end(mut self, limit: Duration) -> Result<Vec<Decoded>> {
        let status = self.process.wait(limit)?;
        let log = self.process.log();
        let complaints: Vec<&str> = log
            .lines()
            .filter(|line| !line.starts_with('#') && !line.starts_with(|first: char| first.is_ascii_digit()))
            .collect();
        ensure!(
            status.success() && complaints.is_empty(),
            "ffmpeg: {status}: {}",
            complaints.join("\n")
        );
        Ok(read(&log))
    }
}

/// Lines of `framecrc`: stream, decode time, time, duration, size, checksum.
fn read(log: &str) -> Vec<Decoded> {
    let mut tracks: Vec<Decoded> = Vec::new();
    let mut ends: Vec<i64> = Vec::new();
    for line in log.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<i64> = line.split(',').map_while(|field| field.trim().parse().ok()).collect();
        let [stream, _, at, duration, ..] = fields[..] else {
            continue;
        };
        let stream = usize::try_from(stream).unwrap_or_default();
        if tracks.len() <= stream {
            tracks.resize_with(stream + 1, Decoded::default);
            ends.resize(stream + 1, at);
        }
        let (track, end) = (&mut tracks[stream], &mut ends[stream]);
        if track.frames == 0 {
            track.first_ms = at;
            *end = at;
        }
        track.frames += 1;
        track.last_ms = at;
        track.longest_gap_ms = track.longest_gap_ms.max(at - *end);
        track.longest_overlap_ms = track.longest_overlap_ms.max(*end - at);
        *end = at + duration;
    }
    tracks
}
