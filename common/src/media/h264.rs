//! Reads H.264 decoder configurations: what playlists and init segments say of the picture.
//!
//! Slices are never parsed here; that a picture is an IDR is the demuxer's word.

use bytes::Bytes;
use h264_reader::{
    nal::sps::{SeqParameterSet, VuiParameters},
    rbsp,
};
use mp4_atom::{Atom as _, Avcc};

use super::{
    access_unit::{Codec, ColourInfo},
    colour::specified,
    config_error::{Flaw, picture_size},
    video_config::{VideoConfig, plausible_rate},
};

/// Where `level_idc` stands in a sequence parameter set, behind NAL header, profile and constraint flags.
const LEVEL_OFFSET: usize = 3;

/// A `level_idc` that no table has, so that the SPS parser checks the picture against no level: a stream labelled with too low a
/// level plays everywhere, and has to pass here too.
const NO_LEVEL: u8 = 0xff;

const UNREADABLE_SPS: Flaw = Flaw::Other("unreadable sequence parameter set");

/// Reads an `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15 section 5.3.3).
pub(super) fn parse(record: &Bytes) -> Result<VideoConfig, Flaw> {
    let avcc = Avcc::decode_body(&mut record.as_ref()).map_err(|_| Flaw::Other("unreadable record"))?;
    if avcc.length_size != 4 {
        return Err(Flaw::Other("NAL unit lengths that are not of 4 bytes"));
    }
    let sps_nal = avcc
        .sequence_parameter_sets
        .first()
        .ok_or(Flaw::Other("no sequence parameter set"))?;
    let sps = read_sps(sps_nal)?;
    let (width, height) = sps.pixel_dimensions().map_err(|_| UNREADABLE_SPS)?;
    let (width, height) = picture_size(width, height)?;
    let vui = sps.vui_parameters.as_ref();
    Ok(VideoConfig {
        codec: Codec::H264,
        record: Bytes::copy_from_slice(record),
        width,
        height,
        codecs: format!("avc1.{:02x}{:02x}{:02x}", sps_nal[1], sps_nal[2], sps_nal[LEVEL_OFFSET]),
        frame_rate_millihertz: vui.and_then(frame_rate),
        sample_aspect_ratio: vui.and_then(aspect_ratio),
        colour: vui.map(colour).unwrap_or_default(),
    })
}

/// `sps_nal` with its header byte. The parser's own walk over a configuration record is not used: it indexes past the end of an
/// empty parameter set.
fn read_sps(sps_nal: &[u8]) -> Result<SeqParameterSet, Flaw> {
    if sps_nal.len() <= LEVEL_OFFSET {
        return Err(UNREADABLE_SPS);
    }
    let mut unlevelled = sps_nal.to_vec();
    unlevelled[LEVEL_OFFSET] = NO_LEVEL;
    let rbsp = rbsp::decode_nal(&unlevelled).map_err(|_| UNREADABLE_SPS)?;
    SeqParameterSet::from_bits(rbsp::BitReader::new(rbsp.as_ref())).map_err(|_| UNREADABLE_SPS)
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
        let config = parse(&Bytes::from_static(RECORD_720P30)).unwrap();
        assert_eq!((config.width, config.height), (1280, 720));
        assert_eq!(config.codecs, "avc1.64001f");
        assert_eq!(config.frame_rate_millihertz, Some(30_000));
    }

    #[test]
    fn a_level_too_low_for_the_picture_is_no_reason_to_refuse_it() {
        let mut record = RECORD_720P30.to_vec();
        record[11] = 10;
        let config = parse(&record.into()).unwrap();
        assert_eq!((config.height, config.codecs.as_str()), (720, "avc1.64000a"));
    }

    #[test]
    fn an_empty_parameter_set_is_an_error_and_no_panic() {
        let record = [1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 0, 1, 0, 0];
        assert_eq!(parse(&Bytes::copy_from_slice(&record)), Err(UNREADABLE_SPS));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes.into());
        }

        #[test]
        fn a_damaged_record_never_panics(at in 4..RECORD_720P30.len(), bits: u8, cut in 0..RECORD_720P30.len()) {
            let mut record = RECORD_720P30.to_vec();
            record[at] ^= bits;
            let _ = parse(&record.clone().into());
            record.truncate(cut);
            let _ = parse(&record.into());
        }
    }
}
