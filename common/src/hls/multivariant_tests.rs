use std::sync::Arc;

use super::*;
use crate::{
    id::Rung,
    live::{RungDescription, testing::description},
    media::captions::Captions,
};

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

fn sound(index: u8, codecs: &str, name: &str, language: Option<&str>) -> RenditionDescription {
    RenditionDescription {
        format: RenditionFormat::Audio {
            index,
            channels: 2,
            sample_rate: 48_000,
            name: name.to_owned(),
            language: language.map(str::to_owned),
        },
        codecs: codecs.to_owned(),
        timescale: 48_000,
        bit_rate: BitRate {
            peak: 300_000,
            average: 256_000,
        },
    }
}

#[test]
fn two_dubs_a_ladder_captions_and_sound_alone() {
    let mut description = Arc::unwrap_or_clone(description());
    description.renditions.pop();
    description
        .renditions
        .push(sound(0, "mp4a.40.2", "Français", Some("fr")));
    description
        .renditions
        .push(sound(1, "mp4a.40.2", "English", Some("en")));
    description.renditions.push(sound(2, "mp4a.40.5", "Audio 3", None));
    if let RenditionFormat::Video { captions, range, .. } = &mut description.renditions[0].format {
        captions.cea608 = true;
        *range = VideoRange::Pq;
    }
    description.audio_only = true;
    description.ladder.push(RungDescription {
        rung: Rung::P720,
        width: 1280,
        height: 720,
        frame_rate_millihertz: 60_000,
        codecs: "avc1.4d4020".to_owned(),
        bit_rate: BitRate {
            peak: 3_000_000,
            average: 2_500_000,
        },
    });
    description.validate().unwrap();
    insta::assert_snapshot!(render(&description), @r#"
    #EXTM3U
    #EXT-X-VERSION:9
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Français",LANGUAGE="fr",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="0123456789abcdef/audio.m3u8"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="0123456789abcdef/audio-1.m3u8"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Audio 3",DEFAULT=NO,AUTOSELECT=NO,CHANNELS="2",URI="0123456789abcdef/audio-2.m3u8"
    #EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC",DEFAULT=NO,AUTOSELECT=YES,INSTREAM-ID="CC1"
    #EXT-X-STREAM-INF:BANDWIDTH=6600000,AVERAGE-BANDWIDTH=6156000,CODECS="avc1.640028,mp4a.40.2,mp4a.40.5",RESOLUTION=1920x1080,FRAME-RATE=60.000,VIDEO-RANGE=PQ,AUDIO="a",CLOSED-CAPTIONS="cc"
    0123456789abcdef/video.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=3300000,AVERAGE-BANDWIDTH=2756000,CODECS="avc1.4d4020,mp4a.40.2,mp4a.40.5",RESOLUTION=1280x720,FRAME-RATE=60.000,AUDIO="a",CLOSED-CAPTIONS="cc"
    0123456789abcdef/720p.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=300000,AVERAGE-BANDWIDTH=256000,CODECS="mp4a.40.2,mp4a.40.5",AUDIO="a"
    0123456789abcdef/audio.m3u8
    "#);
    insta::assert_snapshot!(render_audio_only(&description).unwrap(), @r#"
    #EXTM3U
    #EXT-X-VERSION:9
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Français",LANGUAGE="fr",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="0123456789abcdef/audio.m3u8"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="0123456789abcdef/audio-1.m3u8"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Audio 3",DEFAULT=NO,AUTOSELECT=NO,CHANNELS="2",URI="0123456789abcdef/audio-2.m3u8"
    #EXT-X-STREAM-INF:BANDWIDTH=300000,AVERAGE-BANDWIDTH=256000,CODECS="mp4a.40.2,mp4a.40.5",AUDIO="a"
    0123456789abcdef/audio.m3u8
    "#);
}

#[test]
fn sounds_of_two_codecs_are_two_groups_and_every_quality_is_there_for_both() {
    let mut description = Arc::unwrap_or_clone(description());
    description.renditions.pop();
    description.renditions.push(sound(0, "mp4a.40.2", "Film", Some("fr")));
    description.renditions.push(sound(1, "ac-3", "Film 5.1", Some("fr")));
    insta::assert_snapshot!(render(&description), @r#"
    #EXTM3U
    #EXT-X-VERSION:9
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Film",LANGUAGE="fr",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="0123456789abcdef/audio.m3u8"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a-ac-3",NAME="Film 5.1",LANGUAGE="fr",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="0123456789abcdef/audio-1.m3u8"
    #EXT-X-STREAM-INF:BANDWIDTH=6600000,AVERAGE-BANDWIDTH=6156000,CODECS="avc1.640028,mp4a.40.2",RESOLUTION=1920x1080,FRAME-RATE=60.000,AUDIO="a"
    0123456789abcdef/video.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=6600000,AVERAGE-BANDWIDTH=6156000,CODECS="avc1.640028,ac-3",RESOLUTION=1920x1080,FRAME-RATE=60.000,AUDIO="a-ac-3"
    0123456789abcdef/video.m3u8
    "#);
    assert_eq!(render_audio_only(&description), None, "it is not offered");
}

#[test]
fn picture_alone_has_no_audio_group() {
    let mut description = Arc::unwrap_or_clone(description());
    description.renditions.pop();
    assert!(!render(&description).contains("AUDIO"));
}

#[test]
fn captions_are_announced_by_the_channel_that_has_them() {
    let announced = |cea608: bool, cea708: bool| {
        let mut description = Arc::unwrap_or_clone(description());
        if let RenditionFormat::Video { captions, .. } = &mut description.renditions[0].format {
            *captions = Captions { cea608, cea708 };
        }
        let text = render(&description);
        let channel = text
            .lines()
            .filter_map(|line| line.split_once("TYPE=CLOSED-CAPTIONS")?.1.split_once("INSTREAM-ID="))
            .map(|(_, channel)| channel.to_owned());
        let channels: Vec<String> = channel.collect();
        assert_eq!(text.contains("CLOSED-CAPTIONS=\"cc\""), !channels.is_empty());
        channels
    };
    assert_eq!(announced(false, false), [""; 0]);
    assert_eq!(announced(true, false), ["\"CC1\""]);
    assert_eq!(announced(true, true), ["\"CC1\""], "the same text twice is one choice");
    assert_eq!(announced(false, true), ["\"SERVICE1\""]);
}
