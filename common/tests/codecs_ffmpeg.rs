//! What real encoders send in FLV, demuxed and put into init segments and fragments, read by ffprobe and decoded by ffmpeg (which
//! have to be installed).

#![expect(clippy::unwrap_used, reason = "a failing test may panic, in its helpers too")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use bytes::Bytes;
use common::{
    cmaf::{
        fragment::{self, FragmentSample, FragmentTrack},
        init,
    },
    flv::{
        demux::{Demuxed, Demuxer},
        tag::{Tag, TagKind},
    },
    live::VideoRange,
    media::{
        access_unit::{AccessUnit, ColourInfo, MediaMessage, TrackId},
        audio_config::AudioConfig,
        video_config::VideoConfig,
    },
};

/// Frames of silence put behind each sound.
const SILENT_FRAMES: usize = 10;

/// The tags of an FLV file.
fn tags(flv: &Bytes) -> Vec<Tag> {
    const FILE_HEADER: usize = 13;
    const TAG_HEADER: usize = 11;
    let mut tags = Vec::new();
    let mut at = FILE_HEADER;
    while at + TAG_HEADER < flv.len() {
        let header = &flv[at..at + TAG_HEADER];
        let size = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
        tags.push(Tag {
            kind: match header[0] {
                8 => TagKind::Audio,
                9 => TagKind::Video,
                _ => TagKind::Script,
            },
            timestamp_ms: u32::from_be_bytes([header[7], header[4], header[5], header[6]]),
            body: flv.slice(at + TAG_HEADER..at + TAG_HEADER + size),
        });
        at += TAG_HEADER + size + 4;
    }
    tags
}

#[derive(Default)]
struct Stream {
    video: Vec<VideoConfig>,
    audio: BTreeMap<TrackId, Vec<AudioConfig>>,
    units: BTreeMap<TrackId, Vec<AccessUnit>>,
    colours: Vec<ColourInfo>,
}

fn stream(fixture: &str) -> Stream {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../testdata/flv")
        .join(fixture);
    let flv = Bytes::from(fs::read(path).unwrap());
    let mut demuxer = Demuxer::new();
    let mut stream = Stream::default();
    for found in tags(&flv).iter().flat_map(|tag| demuxer.push(tag).unwrap()) {
        match found {
            Demuxed::Media(MediaMessage::Config { track, codec, record }) if track == TrackId::VIDEO => {
                stream.video.push(VideoConfig::parse(codec, &record).unwrap());
            }
            Demuxed::Media(MediaMessage::Config { track, codec, record }) => {
                let config = AudioConfig::parse(codec, &record).unwrap();
                let told = stream.audio.entry(track).or_default();
                told.push(config);
                // ffmpeg sends a FLAC header again at the end, filled in.
                told.dedup();
            }
            Demuxed::Media(MediaMessage::AccessUnit(unit)) => {
                stream.units.entry(unit.track).or_default().push(unit);
            }
            Demuxed::Media(MediaMessage::Colour(colour)) => stream.colours.push(colour),
            Demuxed::Media(MediaMessage::Metadata(_) | MediaMessage::Unsupported { .. }) => {}
            Demuxed::Unsupported(unsupported) => panic!("{unsupported:?}"),
        }
    }
    stream
}

impl Stream {
    /// The one configuration of the video track, with what the publisher says of its colours.
    fn video(&self) -> VideoConfig {
        let [config] = &self.video[..] else {
            panic!("{:?}", self.video)
        };
        let mut config = config.clone();
        config.colour = self.colours.last().copied().unwrap_or_default().or(config.colour);
        config
    }

    fn audio(&self, index: u8) -> &AudioConfig {
        let [config] = &self.audio[&TrackId::audio(index)][..] else {
            panic!("{:?}", self.audio)
        };
        config
    }

    /// The video track as a file.
    fn video_file(&self, name: &str) -> File {
        let units = &self.units[&TrackId::VIDEO];
        let samples: Vec<_> = (0..units.len())
            .map(|index| FragmentSample {
                duration: 3600,
                composition_offset: units[index].composition_ms * 90,
                sync: units[index].sync,
                payload: units[index].payload.clone(),
            })
            .collect();
        assert!(samples[0].sync);
        let body = fragment::write(FragmentTrack::Video, 1, 0, &samples).unwrap();
        File::new(name, &[init::video(&self.video()).unwrap(), body])
    }

    /// An audio track as a file, with silence at its end if there is one for the codec.
    fn audio_file(&self, name: &str, index: u8) -> File {
        let config = self.audio(index);
        let units = &self.units[&TrackId::audio(index)];
        let payloads = units.iter().map(|unit| unit.payload.clone());
        let silence = config.silent_frame().into_iter().cycle().take(SILENT_FRAMES);
        let samples: Vec<_> = payloads
            .chain(silence)
            .map(|payload| FragmentSample {
                duration: config.frame_samples,
                composition_offset: 0,
                sync: true,
                payload,
            })
            .collect();
        let frame_duration = config.frame_samples;
        let body = fragment::write(FragmentTrack::Audio { frame_duration }, 1, 0, &samples).unwrap();
        File::new(name, &[init::audio(config, Some("fr-CA")).unwrap(), body])
    }
}

struct File(PathBuf);

impl File {
    fn new(name: &str, parts: &[Bytes]) -> Self {
        let path = std::env::temp_dir().join(format!("streamcircle-codecs-{}-{name}.mp4", std::process::id()));
        fs::write(&path, parts.concat()).unwrap();
        Self(path)
    }

    /// What ffprobe says of the stream, fields by name.
    fn probe(&self) -> BTreeMap<String, String> {
        let output = Command::new("ffprobe")
            .args(["-v", "error", "-count_frames", "-show_streams", "-of", "flat=h=0"])
            .arg(&self.0)
            .output()
            .expect("ffprobe is installed");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && complaints.is_empty(), "{complaints}");
        let text = String::from_utf8(output.stdout).unwrap();
        let fields = text.lines().filter_map(|line| {
            let (key, value) = line.split_once('=')?;
            Some((key.rsplit('.').next()?.to_owned(), value.trim_matches('"').to_owned()))
        });
        fields.collect()
    }

    /// The decoded sound, samples of all channels in turn.
    fn pcm(&self) -> Vec<i16> {
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-xerror", "-i"])
            .arg(&self.0)
            .args(["-f", "s16le", "pipe:1"])
            .output()
            .expect("ffmpeg is installed");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && complaints.is_empty(), "{complaints}");
        let (samples, _) = output.stdout.as_chunks::<2>();
        samples.iter().map(|sample| i16::from_le_bytes(*sample)).collect()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Fields of a probe have these values.
fn assert_fields(probe: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(
            probe.get(*name).map(String::as_str),
            Some(*value),
            "{name} in {probe:?}"
        );
    }
}

#[test]
fn hevc_with_b_frames_decodes() {
    let stream = stream("hevc_aac.flv");
    assert_eq!(stream.video().codecs, "hvc1.1.6.L30.90");
    let probe = stream.video_file("hevc").probe();
    assert_fields(
        &probe,
        &[
            ("codec_name", "hevc"),
            ("codec_tag_string", "hvc1"),
            ("width", "128"),
            ("height", "72"),
            ("nb_read_frames", "15"),
        ],
    );
}

#[test]
fn high_dynamic_range_is_in_the_init_segment() {
    let stream = stream("hevc_hdr10.flv");
    assert_eq!(stream.video().range(), VideoRange::Pq);
    let file = stream.video_file("hdr10");
    assert_fields(
        &file.probe(),
        &[
            ("nb_read_frames", "15"),
            ("color_transfer", "smpte2084"),
            ("color_primaries", "bt2020"),
            ("color_space", "bt2020nc"),
            ("side_data_type", "Content light level metadata"),
            ("max_content", "1000"),
            ("red_x", "34000/50000"),
            ("max_luminance", "10000000/10000"),
        ],
    );
}

#[test]
fn av1_decodes_whether_its_header_comes_early_or_late() {
    for fixture in ["av1_opus.flv", "av1_late_header.flv"] {
        let stream = stream(fixture);
        assert_eq!(stream.video().codecs, "av01.0.00M.08");
        let expected = [("codec_tag_string", "av01"), ("width", "128"), ("nb_read_frames", "15")];
        assert_fields(&stream.video_file(fixture).probe(), &expected);
    }
}

#[test]
fn vp9_decodes() {
    let stream = stream("vp9_flac.flv");
    assert_eq!(stream.video().codecs, "vp09.00.10.08");
    let expected = [("codec_tag_string", "vp09"), ("width", "128"), ("nb_read_frames", "15")];
    assert_fields(&stream.video_file("vp9").probe(), &expected);
}

#[test]
fn sounds_of_all_codecs_decode_and_silence_behind_them_is_silent() {
    for (fixture, codec, channels) in [
        ("hevc_aac.flv", "aac", "1"),
        ("av1_opus.flv", "opus", "1"),
        ("opus_surround.flv", "opus", "6"),
        ("vp9_flac.flv", "flac", "1"),
        ("ac3.flv", "ac3", "1"),
        ("eac3_surround.flv", "eac3", "6"),
    ] {
        let stream = stream(fixture);
        let file = stream.audio_file(codec, 0);
        let config = stream.audio(0);
        let rate = config.output_rate.to_string();
        assert_fields(
            &file.probe(),
            &[("codec_name", codec), ("channels", channels), ("sample_rate", &rate)],
        );
        let pcm = file.pcm();
        assert!(
            pcm.iter().any(|sample| sample.unsigned_abs() > 1000),
            "{fixture} is heard"
        );
        if config.silent_frame().is_some() {
            // The first frame of silence may still have an echo of the sound in it.
            let silent = (SILENT_FRAMES - 2) * config.frame_samples as usize * usize::from(config.channels);
            let loudest = pcm[pcm.len() - silent..]
                .iter()
                .map(|sample| sample.unsigned_abs())
                .max();
            assert!(loudest <= Some(8), "{fixture}: {loudest:?}");
        }
    }
}

#[test]
fn each_of_several_sounds_has_its_own_configuration() {
    let stream = stream("tracks.flv");
    assert_eq!(stream.video().codecs, "avc1.64000a");
    let rates = [48_000, 44_100, 48_000];
    for (index, rate) in (0..).zip(rates) {
        let config = stream.audio(index);
        assert_eq!(config.sample_rate, rate);
        let probe = stream.audio_file(&format!("track{index}"), index).probe();
        assert_fields(&probe, &[("sample_rate", &rate.to_string()), ("language", "fra")]);
    }
    assert_eq!(stream.units.len(), 4);
}
