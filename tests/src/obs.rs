//! Debian's OBS Studio on a screen that nobody sees, with a profile of its own, driven by obs-websocket as a stream deck would.
//!
//! Its scene is a moving picture with a beeping tone from a file, at 640x360, so that two cores can draw it in software.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message as Frame};

use crate::process::{Process, free_tcp, wait_for};

/// OBS loads its plugins and compiles its shaders for a software GPU.
const START: Duration = Duration::from_secs(40);
const SOON: Duration = Duration::from_secs(10);
const SIZE: (u32, u32) = (640, 360);
const FILM_SECONDS: &str = "20";

/// What a streamer sets in OBS.
#[derive(Clone, Copy, Debug)]
pub struct ObsSettings {
    pub frame_rate: u32,
    /// Settings > Output > Keyframe Interval in seconds; `None` is "0 s (auto)", which is 250 frames.
    pub key_seconds: Option<u32>,
    /// In the x264 options; `None` is what x264's preset says.
    pub b_frames: Option<u32>,
}

impl Default for ObsSettings {
    /// OBS as it is after its installation, but for the size.
    fn default() -> Self {
        Self {
            frame_rate: 30,
            key_seconds: None,
            b_frames: None,
        }
    }
}

/// A running OBS. It goes with its screen when it is dropped.
#[derive(Debug)]
pub struct Obs {
    pub process: Process,
    socket: WebSocketStream<TcpStream>,
    requests: u64,
    _screen: Process,
    _folder: TempDir,
}

impl Obs {
    /// Starts OBS with this server and stream key. It does not stream yet.
    pub async fn start(rtmp: SocketAddr, key: &str, settings: ObsSettings) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let root = folder.path();
        let (screen, display) = screen(root).await?;
        let control = free_tcp()?;
        film(&root.join("film.mp4"))?;
        write_configuration(root, &format!("rtmp://{rtmp}/live"), key, control.port(), settings)?;
        let mut command = Command::new("obs");
        command
            .args(["--multi", "--profile", "evening", "--collection", "evening"])
            .env("DISPLAY", display)
            .env("HOME", root)
            .env("XDG_CONFIG_HOME", root.join("config"))
            .env("XDG_RUNTIME_DIR", root)
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("QT_QPA_PLATFORM", "xcb");
        let process = Process::start("obs", &mut command, root)?;
        let mut socket = wait_for("obs-websocket", START, async || {
            let stream = TcpStream::connect(control).await.ok()?;
            let (socket, _) = client_async(format!("ws://{control}"), stream).await.ok()?;
            Some(socket)
        })
        .await
        .with_context(|| process.log())?;
        let hello = timeout(SOON, message(&mut socket, 0)).await??;
        ensure!(hello["rpcVersion"] == 1, "another protocol: {hello}");
        let identify = json!({ "op": 1, "d": { "rpcVersion": 1, "eventSubscriptions": 0 } });
        socket.send(Frame::text(identify.to_string())).await?;
        timeout(SOON, message(&mut socket, 2)).await??;
        let mut obs = Self {
            process,
            socket,
            requests: 0,
            _screen: screen,
            _folder: folder,
        };
        // The server listens a moment before the scene is there.
        for _ in 0..100 {
            if obs.request("GetStreamStatus").await.is_ok() {
                return Ok(obs);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("OBS does not get ready: {}", obs.process.log())
    }

    /// As the button "Start Streaming"; waits until OBS is connected.
    pub async fn start_stream(&mut self) -> Result<()> {
        self.request("StartStream").await?;
        self.until_streaming(true).await
    }

    /// As the button "Stop Streaming"; waits until OBS is done.
    pub async fn stop_stream(&mut self) -> Result<()> {
        self.request("StopStream").await?;
        self.until_streaming(false).await
    }

    /// How OBS thinks it is doing: `outputSkippedFrames`, `outputReconnecting` and more.
    pub async fn status(&mut self) -> Result<Value> {
        self.request("GetStreamStatus").await
    }

    async fn until_streaming(&mut self, wanted: bool) -> Result<()> {
        for _ in 0..100 {
            if self.status().await?["outputActive"] == wanted {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("OBS is not streaming = {wanted}: {}", self.process.log())
    }

    async fn request(&mut self, kind: &str) -> Result<Value> {
        self.requests += 1;
        let request = json!({ "op": 6, "d": { "requestType": kind, "requestId": self.requests.to_string() } });
        self.socket.send(Frame::text(request.to_string())).await?;
        let answer = timeout(SOON, message(&mut self.socket, 7)).await??;
        ensure!(answer["requestStatus"]["result"] == true, "{kind}: {answer}");
        Ok(answer["responseData"].clone())
    }
}

/// The next message with this opcode.
async fn message(socket: &mut WebSocketStream<TcpStream>, opcode: u8) -> Result<Value> {
    loop {
        let frame = socket.next().await.context("OBS closed the socket")??;
        let Frame::Text(text) = frame else { continue };
        let message: Value = serde_json::from_str(&text)?;
        if message["op"] == opcode {
            return Ok(message["d"].clone());
        }
    }
}

/// An X server in memory, and its name.
async fn screen(folder: &Path) -> Result<(Process, String)> {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"]);
    let process = Process::start("xvfb", &mut command, folder)?;
    let number = wait_for("the screen", SOON, async || {
        let log = process.log();
        log.lines().find_map(|line| line.trim().parse::<u32>().ok())
    })
    .await?;
    Ok((process, format!(":{number}")))
}

fn film(file: &PathBuf) -> Result<()> {
    let picture = format!("testsrc2=size={}x{}:rate=60", SIZE.0, SIZE.1);
    let status = Command::new("ffmpeg")
        .args([
            "-hide_banner",
            "-loglevel",
            "error",
            "-nostdin",
            "-f",
            "lavfi",
            "-i",
            &picture,
        ])
        .args([
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=330:beep_factor=4:sample_rate=48000",
            "-t",
            FILM_SECONDS,
        ])
        .args([
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-g",
            "60",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
        ])
        .arg(file)
        .status()?;
    ensure!(status.success(), "ffmpeg makes no film");
    Ok(())
}

fn write_configuration(root: &Path, server: &str, key: &str, control: u16, settings: ObsSettings) -> Result<()> {
    let home = root.join("config/obs-studio");
    let profile = home.join("basic/profiles/evening");
    let scenes = home.join("basic/scenes");
    std::fs::create_dir_all(&profile)?;
    std::fs::create_dir_all(&scenes)?;
    std::fs::write(
        home.join("global.ini"),
        format!(
            "[General]\nFirstRun=true\nEnableAutoUpdates=false\n\
             [Basic]\nProfile=evening\nProfileDir=evening\nSceneCollection=evening\nSceneCollectionFile=evening\n\
             [BasicWindow]\nWarnBeforeStartingStream=false\nWarnBeforeStoppingStream=false\nPreviewEnabled=false\n\
             [OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\nServerPort={control}\nAlertsEnabled=false\nAuthRequired=false\n"
        ),
    )?;
    let ObsSettings {
        frame_rate,
        key_seconds,
        b_frames,
    } = settings;
    let (width, height) = SIZE;
    // The simple mode has no key interval and no x264 options.
    let mode = if key_seconds.is_none() && b_frames.is_none() {
        "Simple"
    } else {
        "Advanced"
    };
    std::fs::write(
        profile.join("basic.ini"),
        format!(
            "[General]\nName=evening\n\
             [Video]\nBaseCX={width}\nBaseCY={height}\nOutputCX={width}\nOutputCY={height}\nFPSType=0\nFPSCommon={frame_rate}\n\
             [Audio]\nSampleRate=48000\n\
             [Output]\nMode={mode}\nRetryDelay=2\nMaxRetries=25\n\
             [SimpleOutput]\nStreamEncoder=x264\nVBitrate=1000\nABitrate=128\n\
             [AdvOut]\nEncoder=obs_x264\nTrackIndex=1\nTrack1Bitrate=128\n"
        ),
    )?;
    let encoder = json!({
        "rate_control": "CBR",
        "bitrate": 1000,
        "preset": "veryfast",
        "keyint_sec": key_seconds.unwrap_or(0),
        "x264opts": b_frames.map(|frames| format!("bframes={frames} b-adapt=0")).unwrap_or_default(),
    });
    std::fs::write(profile.join("streamEncoder.json"), encoder.to_string())?;
    let service = json!({
        "type": "rtmp_custom",
        "settings": { "server": server, "key": key, "use_auth": false, "bwtest": false },
    });
    std::fs::write(profile.join("service.json"), service.to_string())?;
    let film = json!({
        "id": "ffmpeg_source",
        "versioned_id": "ffmpeg_source",
        "name": "Film",
        "enabled": true,
        "volume": 1.0,
        "mixers": 255,
        "settings": {
            "is_local_file": true,
            "local_file": root.join("film.mp4"),
            "looping": true,
            "restart_on_activate": false,
            "hw_decode": false,
        },
    });
    let item = json!({
        "name": "Film",
        "id": 1,
        "visible": true,
        "pos": { "x": 0.0, "y": 0.0 },
        "scale": { "x": 1.0, "y": 1.0 },
        "align": 5,
        "bounds_type": 0,
    });
    let scene = json!({
        "id": "scene",
        "versioned_id": "scene",
        "name": "Scene",
        "enabled": true,
        "settings": { "id_counter": 1, "custom_size": false, "items": [item] },
    });
    let collection = json!({
        "name": "evening",
        "current_scene": "Scene",
        "current_program_scene": "Scene",
        "scene_order": [{ "name": "Scene" }],
        "sources": [film, scene],
    });
    std::fs::write(scenes.join("evening.json"), collection.to_string())?;
    Ok(())
}
