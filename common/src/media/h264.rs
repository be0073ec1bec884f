//! Reads H.264 decoder configurations: what playlists and init segments say of the picture.
//!
//! Slices are never parsed here; that a picture is an IDR is the demuxer's word.

use bytes::Bytes;
use h264_reader::{
    nal::sps::{SeqParameterSet, VuiParameters},
    rbsp,
};
use mp4_atom::{Atom as _, Avcc};

use super::{access_unit::ColourInfo, colour::specified, video_config::plausible_rate};

/// Longest `AVCDecoderConfigurationRecord` looked at, in bytes. Real ones take 30 to 300.
pub const MAX_RECORD_BYTES: usize = 4096;

/// Where `level_idc` stands in a sequence parameter set, behind NAL header, profile and constraint flags.
const LEVEL_OFFSET: usize = 3;

/// A `level_idc` that no table has, so that the SPS parser checks the picture against no level: a stream labelled with too low a
/// level plays everywhere, and has to pass here too.
const NO_LEVEL: u8 = 0xff;

/// A picture format, from an `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15 section 5.3.3).
#[derive(Clone, Debug, PartialEq)]
pub struct AvcConfig {
    /// Luma samples after cropping.
    pub width: u16,
    /// Luma samples after cropping.
    pub height: u16,
    /// RFC 6381, as in `avc1.640028`.
    pub codecs: String,
    /// From the VUI's timing, if it has any that makes sense.
    pub frame_rate_millihertz: Option<u32>,
    /// Width to height of one sample, where it is not square.
    pub sample_aspect_ratio: Option<(u16, u16)>,
    /// From the VUI.
    pub colour: ColourInfo,
}

/// The bytes are no H.264 configuration that can be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AvcConfigError {
    #[error("an AVCDecoderConfigurationRecord of {0} bytes, at most {MAX_RECORD_BYTES} are read")]
    TooLong(usize),
    #[error("malformed AVCDecoderConfigurationRecord: {0}")]
    Malformed(String),
    #[error("NAL unit lengths of {0} bytes; only 4 are carried")]
    LengthSize(u8),
    #[error("no sequence parameter set in the AVCDecoderConfigurationRecord")]
    NoSps,
    #[error("unreadable sequence parameter set: {0}")]
    Sps(String),
    #[error("a picture of {width}x{height}")]
    Size { width: u32, height: u32 },
}

impl AvcConfig {
    /// Reads a configuration record.
    ///
    /// # Errors
    /// When the record or its first sequence parameter set is malformed, or NAL lengths are not 4 bytes.
    pub fn parse(record: &Bytes) -> Result<Self, AvcConfigError> {
        if record.len() > MAX_RECORD_BYTES {
            return Err(AvcConfigError::TooLong(record.len()));
        }
        let avcc = Avcc::decode_body(&mut record.as_ref()).map_err(|e| AvcConfigError::Malformed(e.to_string()))?;
        if avcc.length_size != 4 {
            return Err(AvcConfigError::LengthSize(avcc.length_size));
        }
        let sps_nal = avcc.sequence_parameter_sets.first().ok_or(AvcConfigError::NoSps)?;
        let sps = read_sps(sps_nal)?;
        let (width, height) = sps
            .pixel_dimensions()
            .map_err(|e| AvcConfigError::Sps(format!("{e:?}")))?;
        let size_error = AvcConfigError::Size { width, height };
        let (Ok(width), Ok(height)) = (u16::try_from(width), u16::try_from(height)) else {
            return Err(size_error);
        };
        if width == 0 || height == 0 {
            return Err(size_error);
        }
        let vui = sps.vui_parameters.as_ref();
        Ok(Self {
            width,
            height,
            codecs: format!("avc1.{:02x}{:02x}{:02x}", sps_nal[1], sps_nal[2], sps_nal[LEVEL_OFFSET]),
            frame_rate_millihertz: vui.and_then(frame_rate),
            sample_aspect_ratio: vui.and_then(aspect_ratio),
            colour: vui.map(colour).unwrap_or_default(),
        })
    }
}

/// `sps_nal` with its header byte. The parser's own walk over a configuration record is not used: it indexes past the end of an
/// empty parameter set.
fn read_sps(sps_nal: &[u8]) -> Result<SeqParameterSet, AvcConfigError> {
    if sps_nal.len() <= LEVEL_OFFSET {
        return Err(AvcConfigError::Sps(format!("{} bytes long", sps_nal.len())));
    }
    let mut unlevelled = sps_nal.to_vec();
    unlevelled[LEVEL_OFFSET] = NO_LEVEL;
    let rbsp = rbsp::decode_nal(&unlevelled).map_err(|e| AvcConfigError::Sps(e.to_string()))?;
    SeqParameterSet::from_bits(rbsp::BitReader::new(rbsp.as_ref())).map_err(|e| AvcConfigError::Sps(format!("{e:?}")))
}

/// A tick is a field, so a frame has two (ISO/IEC 14496-10 section E.2.1).
fn frame_rate(vui: &VuiParameters) -> Option<u32> {
    let timing = vui.timing_info.as_ref()?;
    plausible_rate(timing.time_scale, u64::from(timing.num_units_in_tick) * 2)
}

fn aspect_ratio(vui: &VuiParameters) -> Option<(u16, u16)> {
    vui.aspect_ratio_info
        .as_ref()?
        .get()
        .filter(|(width, height)| width != height)
}

fn colour(vui: &VuiParameters) -> ColourInfo {
    let Some(signal) = &vui.video_signal_type else {
        return ColourInfo::default();
    };
    let description = signal.colour_description.as_ref();
    ColourInfo {
        primaries: description.and_then(|codes| specified(codes.colour_primaries)),
        transfer: description.and_then(|codes| specified(codes.transfer_characteristics)),
        matrix: description.and_then(|codes| specified(codes.matrix_coefficients)),
        full_range: Some(signal.video_full_range_flag),
        ..ColourInfo::default()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of x264 at 1280x720, 30 frames a second, High profile, level 3.1.
    pub(crate) const RECORD_720P30: &[u8] = &[
        0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb,
        0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60, 0x01, 0x00,
        0x04, 0x68, 0xef, 0x8f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00,
    ];

    #[test]
    fn an_x264_record_gives_size_codec_string_and_frame_rate() {
        let config = AvcConfig::parse(&Bytes::from_static(RECORD_720P30)).unwrap();
        assert_eq!((config.width, config.height), (1280, 720));
        assert_eq!(config.codecs, "avc1.64001f");
        assert_eq!(config.frame_rate_millihertz, Some(30_000));
    }

    #[test]
    fn a_level_too_low_for_the_picture_is_no_reason_to_refuse_it() {
        let mut record = RECORD_720P30.to_vec();
        record[11] = 10;
        let config = AvcConfig::parse(&record.into()).unwrap();
        assert_eq!((config.height, config.codecs.as_str()), (720, "avc1.64000a"));
    }

    #[test]
    fn an_empty_parameter_set_is_an_error_and_no_panic() {
        let record = [1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 0, 1, 0, 0];
        assert!(matches!(
            AvcConfig::parse(&Bytes::copy_from_slice(&record)),
            Err(AvcConfigError::Sps(_))
        ));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = AvcConfig::parse(&bytes.into());
        }

        #[test]
        fn a_damaged_record_never_panics(at in 4..RECORD_720P30.len(), bits: u8, cut in 0..RECORD_720P30.len()) {
            let mut record = RECORD_720P30.to_vec();
            record[at] ^= bits;
            let _ = AvcConfig::parse(&record.clone().into());
            record.truncate(cut);
            let _ = AvcConfig::parse(&record.into());
        }
    }
}
