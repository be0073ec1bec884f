//! The text of the multivariant playlist: the source's quality first, then the rungs of its ladder, sound alone last.
//!
//! Sounds are in groups by their codec, and each quality is there once for every group: a player leaves out the variants with a codec that
//! it cannot play, and the others stay.

use crate::{
    hls::{profile::VERSION, text::Text, uri},
    live::{BitRate, EpochDescription, RenditionDescription, RenditionFormat, VideoRange},
    media::access_unit::{TrackId, TrackKind},
};

/// Sounds of the first one's codec; the other groups are named after their codecs.
const AUDIO_GROUP: &str = "a";
const CAPTIONS_GROUP: &str = "cc";

/// The playlist that stands above an epoch's media playlists.
pub fn render(description: &EpochDescription) -> String {
    let mut text = head();
    let groups = groups(description);
    let Some(video) = description
        .renditions
        .iter()
        .find(|rendition| rendition.format.kind() == TrackKind::Video)
    else {
        sound_alone(&mut text, description, &groups);
        return text.finish();
    };
    for group in &groups {
        group.media(&mut text, description);
    }
    let captions = description.captions();
    let has_captions = captions.any();
    if has_captions {
        // Of both kinds, which have the same text, the one that more players show.
        let channel = if captions.cea608 { "CC1" } else { "SERVICE1" };
        text.push("#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"")
            .push(CAPTIONS_GROUP)
            .push("\",NAME=\"CC\",DEFAULT=NO,AUTOSELECT=YES,INSTREAM-ID=\"")
            .push(channel)
            .push("\"\n");
    }
    let qualities = qualities(description, video);
    let with_each: Vec<Option<&Group<'_>>> = match groups.as_slice() {
        [] => vec![None],
        groups => groups.iter().map(Some).collect(),
    };
    for group in with_each {
        for quality in &qualities {
            quality.variant(&mut text, group, has_captions);
        }
    }
    if description.audio_only {
        for group in &groups {
            group.variant(&mut text, description);
        }
    }
    text.finish()
}

/// The playlist of sound alone beside a picture; `None` where there is no such variant.
pub fn render_audio_only(description: &EpochDescription) -> Option<String> {
    let groups = groups(description);
    if !description.audio_only || groups.is_empty() {
        return None;
    }
    let mut text = head();
    sound_alone(&mut text, description, &groups);
    Some(text.finish())
}

fn head() -> Text {
    let mut text = Text::with_capacity(1024);
    text.push("#EXTM3U\n#EXT-X-VERSION:").number(VERSION);
    text.push("\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    text
}

fn sound_alone(text: &mut Text, description: &EpochDescription, groups: &[Group<'_>]) {
    let choices: usize = groups.iter().map(|group| group.sounds.len()).sum();
    // One sound needs no group.
    for group in groups.iter().filter(|_| choices > 1) {
        group.media(text, description);
    }
    for group in groups {
        group.variant(text, description);
    }
}

/// Sounds of one codec.
struct Group<'a> {
    name: String,
    sounds: Vec<&'a RenditionDescription>,
    /// Whether variants name it.
    is_named: bool,
}

fn groups(description: &EpochDescription) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let has_video = description
        .renditions
        .iter()
        .any(|r| r.format.kind() == TrackKind::Video);
    let is_sound = |rendition: &&RenditionDescription| rendition.format.kind() == TrackKind::Audio;
    let sounds = description.renditions.iter().filter(is_sound);
    let is_named = has_video || sounds.clone().count() > 1;
    for sound in sounds {
        let same = |group: &&mut Group<'_>| family(&group.sounds[0].codecs) == family(&sound.codecs);
        if let Some(group) = groups.iter_mut().find(same) {
            group.sounds.push(sound);
            continue;
        }
        let name = if groups.is_empty() {
            AUDIO_GROUP.to_owned()
        } else {
            format!("{AUDIO_GROUP}-{}", family(&sound.codecs))
        };
        groups.push(Group {
            name,
            sounds: vec![sound],
            is_named,
        });
    }
    groups
}

/// `mp4a` of `mp4a.40.2`.
fn family(codecs: &str) -> &str {
    codecs.split('.').next().unwrap_or(codecs)
}

impl Group<'_> {
    fn media(&self, text: &mut Text, description: &EpochDescription) {
        for (place, sound) in self.sounds.iter().enumerate() {
            let RenditionFormat::Audio {
                index,
                channels,
                name,
                language,
                ..
            } = &sound.format
            else {
                continue;
            };
            text.push("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"").push(&self.name);
            text.push("\",NAME=\"").push(name).push("\"");
            if let Some(language) = language {
                text.push(",LANGUAGE=\"").push(language).push("\"");
            }
            // Without a language nothing speaks for playing one sound rather than another.
            text.push(match (place, language) {
                (0, _) => ",DEFAULT=YES,AUTOSELECT=YES",
                (_, Some(_)) => ",DEFAULT=NO,AUTOSELECT=YES",
                (_, None) => ",DEFAULT=NO,AUTOSELECT=NO",
            });
            text.push(",CHANNELS=\"").number(*channels).push("\",URI=\"");
            text.push(&uri::playlist_from_multivariant(
                description.epoch,
                TrackId::audio(*index),
            ))
            .push("\"\n");
        }
    }

    /// What the largest of the sounds needs: one plays at a time.
    fn bit_rate(&self) -> BitRate {
        BitRate {
            peak: self.sounds.iter().map(|sound| sound.bit_rate.peak).max().unwrap_or(0),
            average: self
                .sounds
                .iter()
                .map(|sound| sound.bit_rate.average)
                .max()
                .unwrap_or(0),
        }
    }

    /// Each of its codecs once.
    fn codecs(&self) -> Vec<&str> {
        let mut codecs: Vec<&str> = Vec::new();
        for sound in &self.sounds {
            if !codecs.contains(&&*sound.codecs) {
                codecs.push(&sound.codecs);
            }
        }
        codecs
    }

    fn named(&self, text: &mut Text) {
        if self.is_named {
            text.push(",AUDIO=\"").push(&self.name).push("\"");
        }
    }

    /// The variant of sound alone.
    fn variant(&self, text: &mut Text, description: &EpochDescription) {
        stream_inf(text, &[self.bit_rate()], &self.codecs());
        self.named(text);
        let track = self.sounds[0].format.track();
        text.push("\n")
            .push(&uri::playlist_from_multivariant(description.epoch, track))
            .push("\n");
    }
}

/// A picture.
struct Quality<'a> {
    uri: String,
    codecs: &'a str,
    bit_rate: BitRate,
    size: (u16, u16),
    frame_rate_millihertz: u32,
    range: VideoRange,
}

fn qualities<'a>(description: &'a EpochDescription, video: &'a RenditionDescription) -> Vec<Quality<'a>> {
    let mut qualities = Vec::with_capacity(1 + description.ladder.len());
    if let RenditionFormat::Video {
        width,
        height,
        frame_rate_millihertz,
        range,
        ..
    } = video.format
    {
        qualities.push(Quality {
            uri: uri::playlist_from_multivariant(description.epoch, TrackId::VIDEO),
            codecs: &video.codecs,
            bit_rate: video.bit_rate,
            size: (width, height),
            frame_rate_millihertz,
            range,
        });
    }
    qualities.extend(description.ladder.iter().map(|rung| Quality {
        uri: format!("{}/{}.m3u8", description.epoch, rung.rung),
        codecs: &rung.codecs,
        bit_rate: rung.bit_rate,
        size: (rung.width, rung.height),
        frame_rate_millihertz: rung.frame_rate_millihertz,
        range: VideoRange::Sdr,
    }));
    qualities
}

impl Quality<'_> {
    fn variant(&self, text: &mut Text, group: Option<&Group<'_>>, has_captions: bool) {
        let mut codecs = vec![self.codecs];
        let mut bit_rates = vec![self.bit_rate];
        if let Some(group) = group {
            codecs.extend(group.codecs());
            bit_rates.push(group.bit_rate());
        }
        stream_inf(text, &bit_rates, &codecs);
        let (width, height) = self.size;
        if width > 0 && height > 0 {
            text.push(",RESOLUTION=").number(width).push("x").number(height);
        }
        if self.frame_rate_millihertz > 0 {
            text.push(",FRAME-RATE=").fixed(self.frame_rate_millihertz.into(), 3);
        }
        text.push(match self.range {
            VideoRange::Sdr => "",
            VideoRange::Hlg => ",VIDEO-RANGE=HLG",
            VideoRange::Pq => ",VIDEO-RANGE=PQ",
        });
        if let Some(group) = group {
            group.named(text);
        }
        // Never NONE: captions may begin after the multivariant playlist was read.
        if has_captions {
            text.push(",CLOSED-CAPTIONS=\"").push(CAPTIONS_GROUP).push("\"");
        }
        text.push("\n").push(&self.uri).push("\n");
    }
}

fn stream_inf(text: &mut Text, bit_rates: &[BitRate], codecs: &[&str]) {
    let (peak, average) = bit_rates.iter().fold((0_u64, 0_u64), |(peak, average), bit_rate| {
        (peak + u64::from(bit_rate.peak), average + u64::from(bit_rate.average))
    });
    text.push("#EXT-X-STREAM-INF:BANDWIDTH=").number(peak.max(1));
    text.push(",AVERAGE-BANDWIDTH=").number(average.max(1));
    text.push(",CODECS=\"");
    for (place, codec) in codecs.iter().enumerate() {
        text.push(if place > 0 { "," } else { "" }).push(codec);
    }
    text.push("\"");
}

#[cfg(test)]
#[path = "multivariant_tests.rs"]
mod tests;
