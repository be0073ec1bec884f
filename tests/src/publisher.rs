//! Publishers: real ffmpeg, in real time.

use std::{
    io::Write,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::{
    clock_pattern,
    process::{Process, piped},
};

/// What is published.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub width: u32,
    pub height: u32,
    pub frame_rate: u32,
    /// Frames from one key frame to the next.
    pub key_interval: u32,
    pub video_kbps: u32,
    pub video: bool,
    pub audio: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            width: 640,
            height: 360,
            frame_rate: 30,
            key_interval: 60,
            video_kbps: 800,
            video: true,
            audio: true,
        }
    }
}

/// A moving test picture and a beeping tone.
pub fn test_picture(url: &str, settings: Settings, log_dir: &Path) -> Result<Process> {
    let Settings {
        width,
        height,
        frame_rate,
        video,
        audio,
        ..
    } = settings;
    let mut command = ffmpeg();
    if video {
        command.args([
            "-re",
            "-f",
            "lavfi",
            "-i",
            &format!("testsrc2=size={width}x{height}:rate={frame_rate}"),
        ]);
    }
    if audio {
        command.args([
            "-re",
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=330:beep_factor=4:sample_rate=48000",
        ]);
    }
    encode(&mut command, settings);
    push(&mut command, url);
    Process::start("publisher", &mut command, log_dir)
}

/// A picture that needs all the bits it may have, and a tone; `urls` is one URL or several in the manner of ffmpeg's tee.
pub fn noise(urls: &str, settings: Settings, log_dir: &Path) -> Result<Process> {
    let mut command = ffmpeg();
    noise_sources(&mut command, settings, &["-re"]);
    encode(&mut command, settings);
    command.args([
        "-flags",
        "+global_header",
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-f",
        "tee",
        urls,
    ]);
    Process::start("publisher", &mut command, log_dir)
}

/// As [`noise`], written as FLV to a file as fast as it can be encoded.
pub fn noise_file(settings: Settings, seconds: u32, file: &Path) -> Command {
    let mut command = ffmpeg();
    noise_sources(&mut command, settings, &[]);
    encode(&mut command, settings);
    command.args(["-t", &seconds.to_string(), "-f", "flv", "-y"]).arg(file);
    command
}

fn noise_sources(command: &mut Command, settings: Settings, pace: &[&str]) {
    let Settings {
        width,
        height,
        frame_rate,
        ..
    } = settings;
    let picture = format!("testsrc2=size={width}x{height}:rate={frame_rate},noise=alls=40:allf=t");
    let tone = "sine=frequency=330:beep_factor=4:sample_rate=48000";
    for source in [&picture, tone] {
        command.args(pace).args(["-f", "lavfi", "-i", source]);
    }
}

/// A picture with the time of its making drawn into it (see [`clock_pattern`]), and a tone.
#[derive(Debug)]
pub struct ClockPublisher {
    stop: Arc<AtomicBool>,
    painter: Option<JoinHandle<()>>,
    pub process: Process,
}

impl ClockPublisher {
    pub fn start(url: &str, settings: Settings, log_dir: &Path) -> Result<Self> {
        let Settings {
            width,
            height,
            frame_rate,
            ..
        } = settings;
        let mut command = piped("ffmpeg");
        command
            .args([
                "-hide_banner",
                "-loglevel",
                "error",
                "-fflags",
                "nobuffer",
                "-thread_queue_size",
                "4",
            ])
            .args([
                "-f",
                "rawvideo",
                "-pixel_format",
                "gray",
                "-video_size",
                &format!("{width}x{height}"),
            ])
            .args(["-framerate", &frame_rate.to_string(), "-i", "pipe:0"])
            .args([
                "-f",
                "lavfi",
                "-i",
                "sine=frequency=330:beep_factor=4:sample_rate=48000",
            ]);
        encode(&mut command, settings);
        push(&mut command, url);
        let mut process = Process::start("publisher", &mut command, log_dir)?;
        let mut frames = process.stdin().context("ffmpeg's standard input")?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let painter = std::thread::spawn(move || {
            let start = Instant::now();
            let mut canvas = clock_pattern::Canvas::new(width as usize, height as usize);
            for number in 0u32.. {
                let due = Duration::from_secs(1) * number / frame_rate;
                std::thread::sleep(due.saturating_sub(start.elapsed()));
                if stopped.load(Ordering::Relaxed)
                    || frames.write_all(canvas.paint(clock_pattern::now_ms(), number)).is_err()
                {
                    return;
                }
            }
        });
        Ok(Self {
            stop,
            painter: Some(painter),
            process,
        })
    }
}

impl Drop for ClockPublisher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A painter that waits for ffmpeg to read is freed by ffmpeg's end.
        let _ = self.process.kill();
        if let Some(painter) = self.painter.take() {
            let _ = painter.join();
        }
    }
}

fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-loglevel", "error", "-nostdin"]);
    command
}

/// As OBS does with x264 and the zero-latency tune.
fn encode(command: &mut Command, settings: Settings) {
    if settings.video {
        let rate = format!("{}k", settings.video_kbps);
        command
            .args([
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-tune",
                "zerolatency",
                "-pix_fmt",
                "yuv420p",
            ])
            .args([
                "-g",
                &settings.key_interval.to_string(),
                "-keyint_min",
                &settings.key_interval.to_string(),
            ])
            .args([
                "-sc_threshold",
                "0",
                "-b:v",
                &rate,
                "-maxrate",
                &rate,
                "-bufsize",
                &rate,
            ]);
    }
    if settings.audio {
        command.args(["-c:a", "aac", "-b:a", "128k", "-ar", "48000", "-ac", "2"]);
    }
}

fn push(command: &mut Command, url: &str) {
    command.args(["-flush_packets", "1", "-f", "flv", url]);
}
