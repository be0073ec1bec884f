//! The encoders that people have, as processes: Debian's ffmpeg, a newer one, GStreamer, and nginx-rtmp that passes a stream on.
//!
//! OBS has a module of its own ([`crate::obs`]).

use std::{net::SocketAddr, path::Path, process::Command};

use anyhow::{Context, Result};

use crate::{
    api::Admin,
    process::{Process, free_tcp, program},
};

/// Whose ffmpeg.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ffmpeg {
    Debian,
    /// Of the PyPI package `imageio-ffmpeg`, which writes all of Enhanced RTMP.
    Newer,
}

impl Ffmpeg {
    pub fn command(self) -> Result<Command> {
        Ok(match self {
            Self::Debian => Command::new("ffmpeg"),
            Self::Newer => Command::new(program("newer-ffmpeg/ffmpeg").context("`make test` installs it")?),
        })
    }
}

/// An ffmpeg publisher: what it shows, and how that is encoded.
#[derive(Clone, Copy, Debug)]
pub struct Encoding {
    pub ffmpeg: Ffmpeg,
    /// A source of lavfi, or none.
    pub picture: Option<&'static str>,
    /// Options of the pictures' encoder.
    pub video: &'static str,
    /// Options of each sound's encoder, a tone each.
    pub audio: &'static [&'static str],
    /// Seconds that the sound starts after the pictures.
    pub audio_late: u32,
    /// Options of the output.
    pub output: &'static str,
    pub seconds: u32,
}

/// Pictures as most people send them.
pub const X264: &str = "-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 60 -b:v 800k";
pub const AAC: &str = "aac -b:a 128k -ac 2";
pub const MOVING: &str = "testsrc2=size=640x360:rate=30";

impl Default for Encoding {
    fn default() -> Self {
        Self {
            ffmpeg: Ffmpeg::Debian,
            picture: Some(MOVING),
            video: X264,
            audio: &[AAC],
            audio_late: 0,
            output: "",
            seconds: 3600,
        }
    }
}

impl Encoding {
    pub fn start(&self, url: &str, log_dir: &Path) -> Result<Process> {
        let mut command = self.ffmpeg.command()?;
        command.args(["-hide_banner", "-loglevel", "error", "-nostdin"]);
        if let Some(picture) = self.picture {
            command.args(["-re", "-f", "lavfi", "-i", picture]);
        }
        for number in 0..self.audio.len() {
            let tone = format!("sine=frequency={}:beep_factor=4:sample_rate=48000", 330 * (number + 1));
            if self.audio_late > 0 {
                command.args(["-itsoffset", &self.audio_late.to_string()]);
            }
            command.args(["-re", "-f", "lavfi", "-i", &tone]);
        }
        let inputs = self.audio.len() + usize::from(self.picture.is_some());
        for input in 0..inputs {
            command.args(["-map", &input.to_string()]);
        }
        if self.picture.is_some() {
            command.args(self.video.split_whitespace());
        }
        for (number, options) in self.audio.iter().enumerate() {
            let mut options = options.split_whitespace();
            command.arg(format!("-c:a:{number}")).args(options.next());
            command.args(options);
        }
        command.args(self.output.split_whitespace());
        command.args(["-t", &self.seconds.to_string(), "-flush_packets", "1", "-f", "flv", url]);
        Process::start("publisher", &mut command, log_dir)
    }
}

/// GStreamer's x264enc and voaacenc into its rtmp2sink.
pub fn gstreamer(url: &str, seconds: u32, log_dir: &Path) -> Result<Process> {
    let (frames, buffers) = (seconds * 30, seconds * 48_000 / 1024);
    let pipeline = format!(
        "videotestsrc is-live=true pattern=ball num-buffers={frames} ! video/x-raw,width=640,height=360,framerate=30/1 \
         ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=60 bitrate=800 ! h264parse ! mux. \
         audiotestsrc is-live=true wave=ticks num-buffers={buffers} ! audio/x-raw,rate=48000,channels=2 ! voaacenc ! aacparse ! mux. \
         flvmux name=mux streamable=true ! rtmp2sink location={url}"
    );
    let mut command = Command::new("gst-launch-1.0");
    command.args(["-q", "-e"]).args(pipeline.split_whitespace());
    Process::start("gstreamer", &mut command, log_dir)
}

/// An nginx that pushes what comes to its application `in` on to the server, under the name that it came with, and tells the origin
/// when a publisher is done.
pub fn nginx_push(server: SocketAddr, origin: &Admin, folder: &Path) -> Result<(Process, SocketAddr)> {
    let (rtmp, root) = (free_tcp()?, folder.display());
    let configuration = format!(
        "load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
         daemon off; master_process off; pid {root}/push.pid; error_log {root}/push-error.log;
         events {{ worker_connections 64; }}
         rtmp {{ server {{ listen {rtmp}; application in {{ live on; push rtmp://{server}/live; on_publish_done {}/hooks/rtmp/done; }} }} }}",
        origin.base()
    );
    let file = folder.join("push.conf");
    std::fs::write(&file, configuration)?;
    let mut command = Command::new("nginx");
    command.args(["-p", &root.to_string(), "-c", &file.display().to_string()]);
    Ok((Process::start("nginx-push", &mut command, folder)?, rtmp))
}
