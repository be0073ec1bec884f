//! Codecs by the names that people know them by, where FLV has a number or four letters.

use super::demux::CodecName;
use crate::media::access_unit::TrackKind;

/// What a codec is called; where that is not known, what the publisher calls it.
pub fn common_name(kind: TrackKind, codec: CodecName) -> String {
    let known = match codec {
        CodecName::Legacy(id) => match kind {
            TrackKind::Video => legacy_video(id),
            TrackKind::Audio => legacy_audio(id),
        },
        CodecName::FourCc(code) => four_cc(&code),
    };
    known.map_or_else(|| codec.to_string(), str::to_owned)
}

fn legacy_video(id: u8) -> Option<&'static str> {
    Some(match id {
        2 => "Sorenson H.263",
        3 | 6 => "Screen Video",
        4 | 5 => "VP6",
        7 => "H.264",
        12 => "HEVC without Enhanced RTMP",
        _ => return None,
    })
}

fn legacy_audio(format: u8) -> Option<&'static str> {
    Some(match format {
        0 | 3 => "PCM",
        1 => "ADPCM",
        2 | 14 => "MP3",
        4..=6 => "Nellymoser",
        7 | 8 => "G.711",
        10 => "AAC",
        11 => "Speex",
        _ => return None,
    })
}

fn four_cc(code: &[u8; 4]) -> Option<&'static str> {
    Some(match code {
        b"avc1" => "H.264",
        b"hvc1" => "HEVC",
        b"vvc1" => "VVC",
        b"vp08" => "VP8",
        b"vp09" => "VP9",
        b"av01" => "AV1",
        b"mp4a" => "AAC",
        b"Opus" => "Opus",
        b"fLaC" => "FLAC",
        b"ac-3" => "AC-3",
        b"ec-3" => "E-AC-3",
        b".mp3" => "MP3",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_two_codecs() {
        let name = |kind| common_name(kind, CodecName::Legacy(2));
        assert_eq!(
            (name(TrackKind::Video).as_str(), name(TrackKind::Audio).as_str()),
            ("Sorenson H.263", "MP3")
        );
    }

    #[test]
    fn what_nobody_knows_keeps_its_letters() {
        let name = |code| common_name(TrackKind::Video, CodecName::FourCc(code));
        assert_eq!((name(*b"vvc1").as_str(), name(*b"x\n!1").as_str()), ("VVC", "x\\n!1"));
    }
}
