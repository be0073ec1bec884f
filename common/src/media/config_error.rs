//! Why a decoder configuration cannot be used.

use super::{aac::AacConfigError, access_unit::Codec, bits::EndOfBits};

/// Longest record looked at, in bytes. Real ones take 4 to 3000: x265 puts all its settings in.
pub const MAX_RECORD_BYTES: usize = 16 << 10;

/// The bytes are no configuration that can be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("AAC configuration: {0}")]
    Aac(#[from] AacConfigError),
    #[error("{0:?} on a track of another kind")]
    Codec(Codec),
    #[error("{codec:?} configuration of {length} bytes, at most {MAX_RECORD_BYTES} are read")]
    TooLong { codec: Codec, length: usize },
    #[error("{0:?} configuration ends early")]
    Truncated(Codec),
    #[error("{codec:?} configuration: {flaw}")]
    Malformed { codec: Codec, flaw: &'static str },
    #[error("a picture of {width}x{height}")]
    Size { width: u32, height: u32 },
}

/// What is wrong with a configuration of a known codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It ends before it should.
    End,
    Size(u32, u32),
    Other(&'static str),
}

impl Flaw {
    pub(super) fn of(self, codec: Codec) -> ConfigError {
        match self {
            Self::End => ConfigError::Truncated(codec),
            Self::Size(width, height) => ConfigError::Size { width, height },
            Self::Other(flaw) => ConfigError::Malformed { codec, flaw },
        }
    }
}

impl From<EndOfBits> for Flaw {
    fn from(_: EndOfBits) -> Self {
        Self::End
    }
}

/// The size of a picture, if it can be one.
pub(super) fn picture_size(width: u32, height: u32) -> Result<(u16, u16), Flaw> {
    match (u16::try_from(width), u16::try_from(height)) {
        (Ok(w @ 1..), Ok(h @ 1..)) => Ok((w, h)),
        _ => Err(Flaw::Size(width, height)),
    }
}
