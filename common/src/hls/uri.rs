//! Names of the files of an epoch, both ways. All are relative to `/live/{slug}/{epoch}/`, so that a playlist's text is the same for
//! all viewers, whatever token stands in front.

use std::{borrow::Cow, fmt};

use crate::{
    id::{Epoch, Msn, Rung},
    media::access_unit::{MAX_AUDIO_TRACKS, TrackId},
};

/// The multivariant playlist, in the folder above the epochs.
pub const MULTIVARIANT: &str = "index.m3u8";
/// The multivariant playlist of the sound alone, in the same folder.
pub const AUDIO_ONLY: &str = "audio.m3u8";

/// A file of an epoch.
///
/// A track, not a rendition's number: whoever looks a file up asks [`crate::live::EpochDescription::rendition_of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaPath {
    /// `video.m3u8`
    Playlist(TrackId),
    /// `720p.m3u8`: the picture as a rung has it, in the folder of the source's epoch; its media is in the rung's own.
    RungPlaylist(Rung),
    /// `v-init-0.mp4`
    Init { track: TrackId, init_id: u32 },
    /// `v-7.m4s`
    Segment { track: TrackId, msn: Msn },
    /// `v-7.0.m4s`
    Part { track: TrackId, msn: Msn, part: u32 },
    /// `gap.mp4`, which stands where there is no media and is never there.
    Gap,
}

const GAP: &str = "gap.mp4";
const PLAYLIST_SUFFIX: &str = ".m3u8";
const INIT_SUFFIX: &str = ".mp4";
const MEDIA_SUFFIX: &str = ".m4s";

/// Reads a file name. Each file has one name only: numbers are without leading zeros.
pub fn parse_media(file: &str) -> Option<MediaPath> {
    if file == GAP {
        return Some(MediaPath::Gap);
    }
    if let Some(name) = file.strip_suffix(PLAYLIST_SUFFIX) {
        let of_track = || tracks().find(|&track| file == playlist(track));
        let of_rung = || name.parse().ok().map(MediaPath::RungPlaylist);
        return of_track().map(MediaPath::Playlist).or_else(of_rung);
    }
    for track in tracks() {
        let Some(rest) = file.strip_prefix(&*prefix(track)) else {
            continue;
        };
        if let Some(init) = rest.strip_prefix("init-") {
            let init_id = number(init.strip_suffix(INIT_SUFFIX)?)?;
            return Some(MediaPath::Init {
                track,
                init_id: u32::try_from(init_id).ok()?,
            });
        }
        let numbers = rest.strip_suffix(MEDIA_SUFFIX)?;
        return match numbers.split_once('.') {
            None => Some(MediaPath::Segment {
                track,
                msn: Msn(number(numbers)?),
            }),
            Some((msn, part)) => {
                let part = u32::try_from(number(part)?).ok()?;
                Some(MediaPath::Part {
                    track,
                    msn: Msn(number(msn)?),
                    part,
                })
            }
        };
    }
    None
}

/// Name of a track's media playlist. None is the beginning of another: hls.js matches reports by prefix.
pub fn playlist(track: TrackId) -> Cow<'static, str> {
    match track {
        TrackId::VIDEO => "video.m3u8".into(),
        TrackId::AUDIO => "audio.m3u8".into(),
        TrackId { index, .. } => format!("audio-{index}.m3u8").into(),
    }
}

fn tracks() -> impl Iterator<Item = TrackId> {
    std::iter::once(TrackId::VIDEO).chain((0..MAX_AUDIO_TRACKS).map(TrackId::audio))
}

/// A track's media playlist as the multivariant playlist refers to it.
pub fn playlist_from_multivariant(epoch: Epoch, track: TrackId) -> String {
    format!("{epoch}/{}", playlist(track))
}

/// A rung's media playlist as the multivariant playlist of the source's epoch refers to it.
pub fn rung_playlist_from_multivariant(source: Epoch, rung: Rung) -> String {
    format!("{source}/{rung}{PLAYLIST_SUFFIX}")
}

/// The way from one epoch's folder into another's.
pub(super) fn sibling_folder(epoch: Epoch) -> String {
    format!("../{epoch}/")
}

fn prefix(track: TrackId) -> Cow<'static, str> {
    match track {
        TrackId::VIDEO => "v-".into(),
        TrackId::AUDIO => "a-".into(),
        TrackId { index, .. } => format!("a{index}-").into(),
    }
}

/// A decimal number in its one canonical form.
fn number(text: &str) -> Option<u64> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

impl MediaPath {
    /// Appends the name.
    pub(super) fn write_to(self, text: &mut super::text::Text) {
        match self {
            Self::Playlist(track) => text.push(&playlist(track)),
            Self::RungPlaylist(rung) => text.push(rung.as_str()).push(PLAYLIST_SUFFIX),
            Self::Init { track, init_id } => text
                .push(&prefix(track))
                .push("init-")
                .number(init_id)
                .push(INIT_SUFFIX),
            Self::Segment { track, msn } => text.push(&prefix(track)).number(msn.0).push(MEDIA_SUFFIX),
            Self::Part { track, msn, part } => text
                .push(&prefix(track))
                .number(msn.0)
                .push(".")
                .number(part)
                .push(MEDIA_SUFFIX),
            Self::Gap => text.push(GAP),
        };
    }
}

impl fmt::Display for MediaPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = super::text::Text::with_capacity(32);
        self.write_to(&mut text);
        f.write_str(&text.finish())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_as_the_contract_shows_them() {
        let track = TrackId::VIDEO;
        let names = [
            (MediaPath::Playlist(TrackId::AUDIO), "audio.m3u8"),
            (MediaPath::Init { track, init_id: 0 }, "v-init-0.mp4"),
            (MediaPath::Segment { track, msn: Msn(7) }, "v-7.m4s"),
            (
                MediaPath::Part {
                    track: TrackId::audio(1),
                    msn: Msn(7),
                    part: 12,
                },
                "a1-7.12.m4s",
            ),
            (MediaPath::Playlist(TrackId::audio(1)), "audio-1.m3u8"),
            (MediaPath::RungPlaylist(Rung::P720), "720p.m3u8"),
            (MediaPath::Gap, "gap.mp4"),
        ];
        for (path, name) in names {
            assert_eq!(path.to_string(), name);
            assert_eq!(parse_media(name), Some(path));
        }
        for name in [
            "",
            "v-",
            "v-07.m4s",
            "v-7.00.m4s",
            "v-+7.m4s",
            "v-7.m4s.m4s",
            "v-7.1.2.m4s",
            "v-init-.mp4",
            "x-7.m4s",
            "a0-7.m4s",
            "a4-7.m4s",
            "audio-0.m3u8",
            "721p.m3u8",
        ] {
            assert_eq!(parse_media(name), None, "{name}");
        }
        assert_eq!(parse_media("v-7.99999999999.m4s"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_a_read_one_is_the_files_only_name(name in "((v|a[0-9]?|x)?-?(init-)?[0-9.]{0,24}(m4s|mp4|.{0,4})|(audio|video|[0-9]{3,4}p)(-[0-9])?.m3u8)") {
            if let Some(path) = parse_media(&name) {
                prop_assert_eq!(path.to_string(), name);
            }
        }
    }
}
