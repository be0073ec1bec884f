//! AAC frames of digital silence, by the syntax of ISO/IEC 14496-3 section 4.4.2: every element with no scale factor band at all.

use bytes::Bytes;

use crate::media::bits::BitWriter;

/// `id_syn_ele` (table 4.85).
const SINGLE_CHANNEL: u32 = 0;
const CHANNEL_PAIR: u32 = 1;
const LOW_FREQUENCY: u32 = 3;
const END: u32 = 7;

/// The elements of a channel configuration, in order (table 1.19).
fn elements(channel_configuration: u8) -> &'static [u32] {
    const SCE: u32 = SINGLE_CHANNEL;
    const CPE: u32 = CHANNEL_PAIR;
    const LFE: u32 = LOW_FREQUENCY;
    match channel_configuration {
        1 => &[SCE],
        2 => &[CPE],
        3 => &[SCE, CPE],
        4 => &[SCE, CPE, SCE],
        5 => &[SCE, CPE, CPE],
        6 => &[SCE, CPE, CPE, LFE],
        7 | 12 => &[SCE, CPE, CPE, CPE, LFE],
        11 => &[SCE, CPE, CPE, SCE, LFE],
        14 => &[SCE, CPE, CPE, LFE, CPE],
        _ => &[],
    }
}

pub(super) fn raw_data_block(channel_configuration: u8) -> Bytes {
    let mut bits = BitWriter::default();
    let mut instances = [0; 8];
    for &element in elements(channel_configuration) {
        let instance = &mut instances[element as usize];
        bits.write(3, element);
        bits.write(4, *instance);
        *instance += 1;
        if element == CHANNEL_PAIR {
            bits.write(1, 1); // common_window
            write_ics_info(&mut bits);
            bits.write(2, 0); // ms_mask_present
            write_channel(&mut bits, false);
            write_channel(&mut bits, false);
        } else {
            write_channel(&mut bits, true);
        }
    }
    bits.write(3, END);
    bits.into_bytes().into()
}

/// `individual_channel_stream` without spectrum.
fn write_channel(bits: &mut BitWriter, with_info: bool) {
    bits.write(8, 0); // global_gain
    if with_info {
        write_ics_info(bits);
    }
    bits.write(3, 0); // pulse_data_present, tns_data_present, gain_control_data_present
}

/// One long window, of which no band is coded.
fn write_ics_info(bits: &mut BitWriter) {
    bits.write(1 + 2 + 1, 0); // ics_reserved_bit, window_sequence, window_shape
    bits.write(6, 0); // max_sfb
    bits.write(1, 0); // predictor_data_present
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mono_and_stereo_silence_are_a_few_bytes() {
        assert_eq!(raw_data_block(1).as_ref(), [0x00, 0x00, 0x00, 0x07]);
        assert_eq!(raw_data_block(2).as_ref(), [0x21, 0x00, 0x00, 0x00, 0x00, 0x1c]);
    }

    #[test]
    fn a_layout_of_a_program_config_element_gives_an_empty_block() {
        assert_eq!(raw_data_block(0).as_ref(), [0xe0]);
    }
}
