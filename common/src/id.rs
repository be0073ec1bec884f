//! The names of things: rooms, epochs, renditions.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Longest room slug, in bytes.
pub const MAX_SLUG_LEN: usize = 64;

/// A room's address: 1 to [`MAX_SLUG_LEN`] characters of `[a-z0-9-]`, no dash at either end. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomSlug(Arc<str>);

/// The text is no room slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a slug is 1 to {MAX_SLUG_LEN} characters of a-z, 0-9 and '-', without a dash at either end")]
pub struct InvalidSlug;

impl RoomSlug {
    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A slug that reads like `name`: accents dropped, dashes for all else, cut so that `-` and a number of up to four
    /// digits still fit. `None` when no letter or digit of ASCII is left.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut slug = String::new();
        for c in name
            .nfkd()
            .flat_map(char::to_lowercase)
            .filter(|c| !is_combining_mark(*c))
        {
            if slug.len() >= MAX_SLUG_LEN - 5 {
                break;
            }
            if c.is_ascii_alphanumeric() {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        slug.trim_end_matches('-').parse().ok()
    }
}

impl FromStr for RoomSlug {
    type Err = InvalidSlug;

    fn from_str(text: &str) -> Result<Self, InvalidSlug> {
        let fits = (1..=MAX_SLUG_LEN).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits { Ok(Self(text.into())) } else { Err(InvalidSlug) }
    }
}

impl fmt::Display for RoomSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RoomSlug {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RoomSlug {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A quality below the source's that the origin makes while somebody watches it; the name stands in playlists' addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rung {
    P1080,
    P720,
    P480,
    P360,
    P240,
    P144,
}

impl Rung {
    /// The largest first.
    pub const ALL: [Self; 6] = [Self::P1080, Self::P720, Self::P480, Self::P360, Self::P240, Self::P144];

    /// `720p`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P1080 => "1080p",
            Self::P720 => "720p",
            Self::P480 => "480p",
            Self::P360 => "360p",
            Self::P240 => "240p",
            Self::P144 => "144p",
        }
    }

    /// Lines of the picture.
    pub fn height(self) -> u16 {
        match self {
            Self::P1080 => 1080,
            Self::P720 => 720,
            Self::P480 => 480,
            Self::P360 => 360,
            Self::P240 => 240,
            Self::P144 => 144,
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is no rung's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quality is 1080p, 720p, 480p, 360p, 240p or 144p")]
pub struct InvalidRung;

impl FromStr for Rung {
    type Err = InvalidRung;

    fn from_str(text: &str) -> Result<Self, InvalidRung> {
        Self::ALL
            .into_iter()
            .find(|rung| rung.as_str() == text)
            .ok_or(InvalidRung)
    }
}

/// What a relay follows: a room's source, or one rung of its ladder. Each has epochs and a window of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChannelId {
    pub room: RoomSlug,
    /// `None`: the source.
    pub rung: Option<Rung>,
}

impl ChannelId {
    /// The room's stream as its publisher sends it.
    pub fn source(room: RoomSlug) -> Self {
        Self { room, rung: None }
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rung {
            None => write!(f, "{}", self.room),
            Some(rung) => write!(f, "{}@{rung}", self.room),
        }
    }
}

/// One unbroken run of a room's stream with one set of renditions; written as 16 hex digits in URLs.
///
/// A new epoch means new playlist URLs, so a number under one epoch never names other bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The text is no epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an epoch is 16 lower-case hex digits")]
pub struct InvalidEpoch;

impl FromStr for Epoch {
    type Err = InvalidEpoch;

    fn from_str(text: &str) -> Result<Self, InvalidEpoch> {
        let canonical = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !canonical {
            return Err(InvalidEpoch);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| InvalidEpoch)
    }
}

/// A rendition's number within its epoch: its index in [`crate::live::EpochDescription::renditions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RenditionId(pub u8);

/// Media sequence number of a segment (RFC 8216bis section 4.4.3.2), made at the origin alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Msn(pub u64);

impl Msn {
    /// The number after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Msn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a part stands in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartId {
    pub rendition: RenditionId,
    pub msn: Msn,
    pub part: u32,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_makes_a_slug_that_reads_like_it() {
        let slug = |name: &str| RoomSlug::from_name(name).map(|slug| slug.to_string());
        assert_eq!(slug("  Ciné-Club: Été 2026! ").as_deref(), Some("cine-club-ete-2026"));
        assert_eq!(slug("映画"), None);
        assert_eq!(slug(&"a ".repeat(100)).unwrap().len(), 59);
    }

    proptest! {
        #[test]
        fn a_slug_is_what_the_rule_says(text in "[a-zA-Z0-9_-]{0,70}") {
            let allowed = (1..=MAX_SLUG_LEN).contains(&text.len())
                && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
                && !text.starts_with('-')
                && !text.ends_with('-');
            prop_assert_eq!(text.parse::<RoomSlug>().is_ok(), allowed);
        }

        #[test]
        fn no_name_makes_a_slug_that_is_none(name in "\\PC{0,100}") {
            if let Some(slug) = RoomSlug::from_name(&name) {
                let numbered = format!("{slug}-9999");
                prop_assert!(numbered.parse::<RoomSlug>().is_ok());
            }
        }
    }
}
