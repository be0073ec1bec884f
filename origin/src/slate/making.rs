//! A slate made by ffmpeg: each track encoded once, kept in the data folder under a hash of what it was made of.
//!
//! The folder is a cache: whatever is removed from it is made again.

use std::{
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::LazyLock,
    time::Duration,
};

use bytes::Bytes;
use common::{
    flv::{
        demux::{Demuxed, Demuxer},
        file::FileReader,
    },
    media::{
        access_unit::{Codec, MediaMessage},
        audio_config::AudioConfig,
    },
    packager::STAND_IN_GOP_MS,
};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tokio::{process::Command, sync::Semaphore};

use super::{
    card,
    clip::{Clip, LoopUnit, TrackLoop},
    format::{TrackFormat, layout},
};
use crate::transcode::spawn_encoder;

/// Length of the silence that is repeated; long enough to tell the length of a frame by.
const SILENCE: Duration = Duration::from_secs(10);
/// For one track on a machine that is busy with the stream.
const ENCODING: Duration = Duration::from_secs(60);
/// Largest file that is read back: a still picture is a few hundred KiB.
const MAX_FILE_LEN: u64 = 16 << 20;
/// Files kept; the oldest make room.
const MAX_FILES: usize = 64;
/// Goes into the hash: files of another way of making are not used.
const VERSION: u32 = 2;

static CARD: LazyLock<Bytes> = LazyLock::new(|| card::draw().into());

/// Why there is no slate; for people.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    #[error("ffmpeg cannot be started: {0}")]
    NoFfmpeg(io::Error),
    #[error("ffmpeg cannot make it ({status}): {said}")]
    Failed { status: ExitStatus, said: String },
    #[error("ffmpeg was too slow")]
    TooSlow,
    #[error("what ffmpeg made cannot be used")]
    Unusable,
    #[error("the folder of slates cannot be used: {0}")]
    Folder(#[from] io::Error),
}

/// Makes slates, one at a time.
pub struct SlateMaker {
    ffmpeg: PathBuf,
    folder: PathBuf,
    at_work: Semaphore,
}

impl SlateMaker {
    /// `folder` is made when it is first needed.
    pub fn new(ffmpeg: PathBuf, folder: PathBuf) -> Self {
        Self {
            ffmpeg,
            folder,
            at_work: Semaphore::new(1),
        }
    }

    /// Makes a slate, or takes it from the folder; without a picture the card of ours. Dropping the future stops ffmpeg.
    ///
    /// # Errors
    /// ffmpeg is missing or cannot encode a track.
    pub async fn make(&self, tracks: &[TrackFormat], picture: Option<Bytes>) -> Result<Clip, NotMade> {
        let Ok(_turn) = self.at_work.acquire().await else {
            return Err(NotMade::TooSlow);
        };
        tokio::fs::create_dir_all(&self.folder).await?;
        let picture = picture.unwrap_or_else(|| CARD.clone());
        let mut clip = Clip::default();
        for format in tracks {
            clip.tracks.push(self.track(format, &picture).await?);
        }
        Ok(clip)
    }

    async fn track(&self, format: &TrackFormat, picture: &Bytes) -> Result<TrackLoop, NotMade> {
        let file = self.folder.join(format!("{}.flv", name(format, picture)));
        if let Some(track) = kept(&file, format).await {
            return Ok(track);
        }
        self.make_room().await?;
        let part = file.with_extension("part");
        let encoded = self.encode(format, picture, &part).await;
        if let Err(error) = encoded {
            let _ = tokio::fs::remove_file(&part).await;
            return Err(error);
        }
        tokio::fs::rename(&part, &file).await?;
        let track = kept(&file, format).await;
        if track.is_none() {
            let _ = tokio::fs::remove_file(&file).await;
        }
        track.ok_or(NotMade::Unusable)
    }

    async fn encode(&self, format: &TrackFormat, picture: &Bytes, to: &Path) -> Result<(), NotMade> {
        let still = to.with_extension("png");
        tokio::fs::write(&still, picture).await?;
        let mut command = Command::new(&self.ffmpeg);
        command
            .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
            .args(arguments(format, &still))
            .args(["-f", "flv"])
            .arg(to)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let output = match spawn_encoder(&mut command) {
            Ok(encoder) => tokio::time::timeout(ENCODING, encoder.wait_with_output()).await,
            Err(error) => Ok(Err(error)),
        };
        let _ = tokio::fs::remove_file(&still).await;
        let output = output.map_err(|_| NotMade::TooSlow)?.map_err(NotMade::NoFfmpeg)?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(NotMade::Failed {
            status: output.status,
            said: said.lines().last().unwrap_or_default().chars().take(200).collect(),
        })
    }

    async fn make_room(&self) -> Result<(), NotMade> {
        let mut files = Vec::new();
        let mut entries = tokio::fs::read_dir(&self.folder).await?;
        while let Some(entry) = entries.next_entry().await? {
            files.push((entry.metadata().await?.modified()?, entry.path()));
        }
        files.sort();
        let too_many = files.len().saturating_sub(MAX_FILES - 1);
        for (_, file) in files.into_iter().take(too_many) {
            tokio::fs::remove_file(file).await?;
        }
        Ok(())
    }
}

/// What a track is made of, as a file's name.
fn name(format: &TrackFormat, picture: &Bytes) -> String {
    let mut hash = Sha256::new();
    hash.update(VERSION.to_be_bytes());
    // The number of a sound does not change how it sounds.
    match format {
        TrackFormat::Audio {
            codec,
            channels,
            sample_rate,
            ..
        } => hash.update(format!("{codec:?} {channels} {sample_rate}")),
        video @ TrackFormat::Video { .. } => {
            hash.update(format!("{video:?}"));
            hash.update(picture);
        }
    }
    let hash = hash.finalize();
    HEXLOWER.encode(&hash[..16])
}

fn arguments(format: &TrackFormat, still: &Path) -> Vec<String> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    match *format {
        TrackFormat::Video {
            codec,
            width,
            height,
            frame_rate_millihertz,
        } => {
            let rate = format!("{frame_rate_millihertz}/1000");
            let frames = frames_of_gop(frame_rate_millihertz);
            let mut arguments = words(&format!("-framerate {rate} -i"));
            arguments.push(still.display().to_string());
            arguments.extend(words(&format!("-an -r {rate} -frames:v {frames} -g {frames} -bf 0")));
            arguments.push("-vf".to_owned());
            arguments.push(format!(
                "scale={width}:{height}:force_original_aspect_ratio=decrease:flags=bicubic,\
                 pad={width}:{height}:(ow-iw)/2:(oh-ih)/2:black,setsar=1,format=yuv420p,\
                 loop=loop=-1:size=1,setpts=N*1000/{frame_rate_millihertz}/TB"
            ));
            arguments.extend(words(match codec {
                Codec::Hevc => "-c:v libx265 -preset fast -x265-params log-level=error:scenecut=0:bframes=0:open-gop=0",
                Codec::Av1 => "-c:v libsvtav1 -preset 8",
                Codec::Vp9 => "-c:v libvpx-vp9 -deadline realtime -cpu-used 6 -lag-in-frames 0 -b:v 500k",
                _ => "-c:v libx264 -preset veryfast -tune stillimage -crf 20 -sc_threshold 0 -threads 1",
            }));
            arguments
        }
        TrackFormat::Audio {
            codec,
            channels,
            sample_rate,
            ..
        } => {
            let layout = layout(channels).unwrap_or("stereo");
            let seconds = SILENCE.as_secs();
            let mut arguments = words(&format!(
                "-f lavfi -i anullsrc=r={sample_rate}:cl={layout} -t {seconds}"
            ));
            arguments.extend(words(match codec {
                Codec::Opus => "-vn -c:a libopus -frame_duration 20",
                Codec::Flac => "-vn -c:a flac",
                Codec::Ac3 => "-vn -c:a ac3",
                Codec::Eac3 => "-vn -c:a eac3",
                _ => "-vn -c:a aac -b:a 64k",
            }));
            arguments
        }
    }
}

fn frames_of_gop(frame_rate_millihertz: u32) -> u64 {
    (u64::from(frame_rate_millihertz) * u64::from(STAND_IN_GOP_MS) / 1_000_000).max(1)
}

/// The track as it stands in the file; `None` when there is no such file, or something else is in it.
async fn kept(file: &Path, format: &TrackFormat) -> Option<TrackLoop> {
    let length = tokio::fs::metadata(file).await.ok()?.len();
    if length > MAX_FILE_LEN {
        return None;
    }
    let content = tokio::fs::read(file).await.ok()?;
    read(&content, format)
}

fn read(content: &[u8], format: &TrackFormat) -> Option<TrackLoop> {
    let mut file = FileReader::default();
    file.buffer().extend_from_slice(content);
    let mut demuxer = Demuxer::new();
    let (mut configured, mut units, mut times) = (None, Vec::new(), Vec::new());
    while let Some(tag) = file.next_tag().ok()? {
        for demuxed in demuxer.push(&tag).ok()? {
            match demuxed {
                Demuxed::Media(MediaMessage::Config { codec, record, .. }) => configured = Some((codec, record)),
                Demuxed::Media(MediaMessage::AccessUnit(unit)) if !unit.payload.is_empty() => {
                    times.push(unit.timestamp_ms);
                    units.push(LoopUnit {
                        sync: unit.sync,
                        payload: unit.payload,
                    });
                }
                _ => {}
            }
        }
    }
    let (codec, record) = configured?;
    let is_asked_for = match format {
        TrackFormat::Video { codec: asked, .. } | TrackFormat::Audio { codec: asked, .. } => *asked == codec,
    };
    if !is_asked_for || !units.first()?.sync {
        return None;
    }
    let nanos = match *format {
        TrackFormat::Video {
            frame_rate_millihertz, ..
        } => units.len() as u64 * 1_000_000_000_000 / u64::from(frame_rate_millihertz),
        TrackFormat::Audio { sample_rate, .. } => {
            let samples = frame_samples(codec, &times, sample_rate)?;
            // Another rate would end the epoch that the slate is to go on in.
            let config = AudioConfig::parse(codec, &record).ok()?;
            if codec == Codec::Aac && (config.sample_rate, u64::from(config.frame_samples)) != (sample_rate, samples) {
                return None;
            }
            units.len() as u64 * samples * 1_000_000_000 / u64::from(sample_rate)
        }
    };
    Some(TrackLoop {
        track: format.track(),
        codec,
        record,
        units,
        nanos,
    })
}

/// Samples of one frame: as the codec has it, or as measured over all of them.
fn frame_samples(codec: Codec, times: &[u32], sample_rate: u32) -> Option<u64> {
    Some(match codec {
        Codec::Aac => 1024,
        Codec::Ac3 | Codec::Eac3 => 1536,
        _ => {
            let (first, last) = (*times.first()?, *times.last()?);
            let millis = u64::from(last.checked_sub(first)?);
            millis * u64::from(sample_rate) / 1000 / u64::try_from(times.len() - 1).ok().filter(|&count| count > 0)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maker(folder: &Path) -> SlateMaker {
        SlateMaker::new("ffmpeg".into(), folder.join("slates"))
    }

    const VIDEO: TrackFormat = TrackFormat::Video {
        codec: Codec::H264,
        width: 320,
        height: 240,
        frame_rate_millihertz: 29_970,
    };
    const AUDIO: TrackFormat = TrackFormat::Audio {
        index: 1,
        codec: Codec::Aac,
        channels: 1,
        sample_rate: 44_100,
    };

    #[tokio::test]
    async fn a_card_is_made_once_and_matches() {
        let folder = tempfile::tempdir().unwrap();
        let made = maker(folder.path()).make(&[VIDEO, AUDIO], None).await.unwrap();
        let [video, audio] = &made.tracks[..] else {
            panic!("{} tracks", made.tracks.len());
        };
        assert_eq!(video.units.len(), 29);
        let key_frames: Vec<bool> = video.units.iter().map(|unit| unit.sync).collect();
        assert_eq!(key_frames.iter().filter(|sync| **sync).count(), 1);
        assert!(key_frames[0] && video.nanos <= u64::from(STAND_IN_GOP_MS) * 1_000_000);
        let config = common::media::video_config::VideoConfig::parse(video.codec, &video.record).unwrap();
        assert_eq!((config.width, config.height), (320, 240));
        let config = AudioConfig::parse(audio.codec, &audio.record).unwrap();
        assert_eq!((config.channels, config.sample_rate), (1, 44_100));
        assert_eq!(
            (audio.track, audio.nanos / audio.units.len() as u64),
            (TrackFormat::track(&AUDIO), 23_219_954)
        );
        // Nothing that can encode is there any more.
        let again = SlateMaker::new("/nowhere/ffmpeg".into(), folder.path().join("slates"));
        assert_eq!(again.make(&[VIDEO, AUDIO], None).await.unwrap(), made);
        let other = again.make(&[VIDEO], Some(Bytes::from_static(b"picture"))).await;
        assert!(matches!(other, Err(NotMade::NoFfmpeg(_))), "{other:?}");
    }

    #[tokio::test]
    async fn a_picture_that_ffmpeg_cannot_read_is_told_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let made = maker(folder.path())
            .make(&[VIDEO], Some(Bytes::from_static(b"none")))
            .await;
        assert!(
            matches!(&made, Err(NotMade::Failed { said, .. }) if !said.is_empty()),
            "{made:?}"
        );
        assert_eq!(std::fs::read_dir(folder.path().join("slates")).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_is_broken_is_made_again() {
        assert_eq!(read(b"", &VIDEO), None);
        assert_eq!(read(b"FLV\x01\x05\0\0\0\x09\0\0\0\0", &VIDEO), None);
        assert_eq!(read(b"no file of ours", &VIDEO), None);
    }
}
