//! The text of the multivariant playlist: one variant of the source's quality, with its sound in a group.
//!
//! There is no variant of sound alone beside a picture: hls.js counts it as the lowest quality and would switch to it.

use crate::{
    hls::{profile::VERSION, text::Text, uri},
    live::{EpochDescription, RenditionFormat},
    media::access_unit::{TrackId, TrackKind},
};

const AUDIO_GROUP: &str = "a";

/// The playlist that stands above an epoch's media playlists.
pub fn render(description: &EpochDescription) -> String {
    let mut text = Text::with_capacity(512);
    text.push("#EXTM3U\n#EXT-X-VERSION:").number(VERSION);
    text.push("\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    let video = description
        .renditions
        .iter()
        .find(|rendition| rendition.format.kind() == TrackKind::Video);
    let audio = description
        .renditions
        .iter()
        .find(|rendition| rendition.format.kind() == TrackKind::Audio);
    let has_audio_group = video.is_some() && audio.is_some();
    if let Some(audio) = audio.filter(|_| has_audio_group) {
        text.push("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"").push(AUDIO_GROUP);
        text.push("\",NAME=\"main\",DEFAULT=YES,AUTOSELECT=YES");
        if let RenditionFormat::Audio { channels, .. } = &audio.format {
            text.push(",CHANNELS=\"").number(*channels).push("\"");
        }
        text.push(",URI=\"")
            .push(&uri::playlist_from_multivariant(description.epoch, TrackId::AUDIO))
            .push("\"\n");
    }

    let bit_rates = description.renditions.iter().map(|rendition| rendition.bit_rate);
    let (peak, average) = bit_rates.fold((0_u64, 0_u64), |(peak, average), bit_rate| {
        (peak + u64::from(bit_rate.peak), average + u64::from(bit_rate.average))
    });
    text.push("#EXT-X-STREAM-INF:BANDWIDTH=").number(peak.max(1));
    text.push(",AVERAGE-BANDWIDTH=").number(average.max(1));
    text.push(",CODECS=\"");
    for (index, rendition) in description.renditions.iter().enumerate() {
        text.push(if index > 0 { "," } else { "" }).push(&rendition.codecs);
    }
    text.push("\"");
    if let Some(RenditionFormat::Video {
        width,
        height,
        frame_rate_millihertz,
        ..
    }) = video.map(|rendition| &rendition.format)
    {
        if *width > 0 && *height > 0 {
            text.push(",RESOLUTION=").number(*width).push("x").number(*height);
        }
        if *frame_rate_millihertz > 0 {
            text.push(",FRAME-RATE=").fixed(u64::from(*frame_rate_millihertz), 3);
        }
    }
    if has_audio_group {
        text.push(",AUDIO=\"").push(AUDIO_GROUP).push("\"");
    }
    let track = if video.is_some() {
        TrackId::VIDEO
    } else {
        TrackId::AUDIO
    };
    text.push("\n")
        .push(&uri::playlist_from_multivariant(description.epoch, track))
        .push("\n");
    text.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::live::testing::description;

    #[test]
    fn picture_and_sound() {
        insta::assert_snapshot!(render(&description()), @r#"
        #EXTM3U
        #EXT-X-VERSION:9
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="main",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="0123456789abcdef/audio.m3u8"
        #EXT-X-STREAM-INF:BANDWIDTH=6500000,AVERAGE-BANDWIDTH=6060000,CODECS="avc1.640028,mp4a.40.2",RESOLUTION=1920x1080,FRAME-RATE=60.000,AUDIO="a"
        0123456789abcdef/video.m3u8
        "#);
    }

    #[test]
    fn sound_alone_is_the_variant_itself() {
        let mut description = Arc::unwrap_or_clone(description());
        description.renditions.remove(0);
        insta::assert_snapshot!(render(&description), @r#"
        #EXTM3U
        #EXT-X-VERSION:9
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-STREAM-INF:BANDWIDTH=200000,AVERAGE-BANDWIDTH=160000,CODECS="mp4a.40.2"
        0123456789abcdef/audio.m3u8
        "#);
    }

    #[test]
    fn picture_alone_has_no_audio_group() {
        let mut description = Arc::unwrap_or_clone(description());
        description.renditions.pop();
        assert!(!render(&description).contains("AUDIO"));
    }
}
