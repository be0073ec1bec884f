//! Reads Opus headers (RFC 7845) and the duration of packets (RFC 6716), and makes the silence that fills holes in an Opus track.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{access_unit::Codec, audio_config::AudioConfig, config_error::Flaw};

/// Samples are always counted at this rate, hertz, whatever was recorded.
pub(crate) const RATE: u32 = 48_000;

/// Fixed fields of an `OpusHead`; a channel mapping table may follow.
const HEAD: usize = 19;
const MAGIC: &[u8; 8] = b"OpusHead";
/// Of streams and coupled streams, in front of the mapping itself.
const MAPPING_COUNTS: usize = 2;

/// Samples to throw away at the start, of what libopus makes at 48 kHz.
const USUAL_PRE_SKIP: u16 = 312;

/// 20 ms, the usual frame, and 120 ms, the longest packet.
const USUAL_SAMPLES: u16 = 960;
const MAX_SAMPLES: u16 = 5760;

/// CELT, full band, 2.5 ms; the next three are of 5, 10 and 20 ms (RFC 6716 table 2).
const CELT_FULL_BAND: u8 = 28;
/// A CELT frame whose first symbol says "silence".
const SILENT_FRAME: [u8; 2] = [0xff, 0xfe];

/// How long a packet plays, in samples; `None` when it is malformed.
pub(crate) fn packet_samples(packet: &[u8]) -> Option<u16> {
    let &toc = packet.first()?;
    let config = toc >> 3;
    let frame: u16 = match config {
        0..=11 => [480, 960, 1920, 2880][usize::from(config & 0b11)],
        12..=15 => [480, 960][usize::from(config & 1)],
        _ => [120, 240, 480, 960][usize::from(config & 0b11)],
    };
    let frames = match toc & 0b11 {
        0 => 1,
        1 | 2 => 2,
        _ => packet.get(1)? & 0x3f,
    };
    let samples = frame.checked_mul(frames.into())?;
    (1..=MAX_SAMPLES).contains(&samples).then_some(samples)
}

/// The record of a configuration message: the header, made up if the publisher sends none, and behind it the samples of a packet.
pub(crate) fn record(head: &[u8], packet_samples: u16) -> Bytes {
    let mut record = BytesMut::with_capacity(head.len().max(HEAD) + 2);
    if head.is_empty() {
        record.put_slice(MAGIC);
        record.put_slice(&[1, 2]);
        record.put_u16_le(USUAL_PRE_SKIP);
        record.put_u32_le(RATE);
        record.put_slice(&[0; 3]);
    } else {
        record.put_slice(head);
    }
    record.put_u16(packet_samples);
    record.freeze()
}

/// Reads a header and, if they stand behind it, the samples of a packet.
pub(super) fn parse(record: &Bytes) -> Result<AudioConfig, Flaw> {
    let head: &[u8; HEAD] = record.first_chunk().ok_or(Flaw::End)?;
    let rest = &record[HEAD..];
    let [.., version, channels, s0, s1, r0, r1, r2, r3, g0, g1, family] = *head;
    if !head.starts_with(MAGIC) || version >> 4 != 0 {
        return Err(Flaw::Other("not an OpusHead"));
    }
    let (table, rest) = match family {
        0 if !(1..=2).contains(&channels) => return Err(Flaw::Other("channels")),
        0 => (&[][..], rest),
        _ => rest
            .split_at_checked(MAPPING_COUNTS + usize::from(channels))
            .ok_or(Flaw::End)?,
    };
    let (streams, coupled) = match table {
        [streams, coupled, ..] => (*streams, *coupled),
        _ => (1, channels - 1),
    };
    if channels == 0 || streams == 0 || coupled > streams || streams.checked_add(coupled).is_none() {
        return Err(Flaw::Other("channels"));
    }
    let samples = match rest.first_chunk() {
        Some(samples) => u16::from_be_bytes(*samples),
        None => USUAL_SAMPLES,
    };
    if !(1..=MAX_SAMPLES).contains(&samples) {
        return Err(Flaw::Other("duration of a packet"));
    }
    // The numbers of a `dOps` are big-endian, and it has a version of its own (Opus in ISOBMFF section 4.3.2).
    let mut dops = BytesMut::with_capacity(HEAD);
    dops.put_slice(&[0, channels, s1, s0, r3, r2, r1, r0, g1, g0, family]);
    dops.put_slice(table);
    Ok(AudioConfig {
        codec: Codec::Opus,
        record: dops.freeze(),
        channels,
        sample_rate: RATE,
        output_rate: RATE,
        frame_samples: samples.into(),
        codecs: "opus".to_owned(),
        sample_bits: 16,
        silence: silence(streams, coupled, samples),
    })
}

/// A packet of silence: of each stream one with frames that say so. Empty for a duration that CELT has no frames for.
fn silence(streams: u8, coupled: u8, samples: u16) -> Bytes {
    let (config, frames) = match samples {
        120 => (0, 1),
        240 => (1, 1),
        480 => (2, 1),
        _ if samples.is_multiple_of(960) => (3, samples / 960),
        _ => return Bytes::new(),
    };
    let mut packet = BytesMut::new();
    for stream in 0..streams {
        let is_stereo = stream < coupled;
        let toc = (CELT_FULL_BAND + config) << 3 | u8::from(is_stereo) << 2;
        if frames == 1 {
            packet.put_u8(toc);
        } else {
            // At most 6 frames of the same size.
            packet.put_slice(&[toc | 3, frames as u8]);
        }
        // All streams but the last one tell the size of a frame (RFC 6716 appendix B).
        if stream + 1 < streams {
            packet.put_u8(SILENT_FRAME.len() as u8);
        }
        for _ in 0..frames {
            packet.put_slice(&SILENT_FRAME);
        }
    }
    packet.freeze()
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of libopus: stereo, and 5.1.
    pub(crate) const HEAD_STEREO: &[u8] = b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00";
    pub(crate) const HEAD_5_1: &[u8] =
        b"OpusHead\x01\x06\x38\x01\x80\xbb\x00\x00\x00\x00\x01\x04\x02\x00\x04\x01\x02\x03\x05";

    #[test]
    fn the_header_of_libopus_becomes_a_dops() {
        let config = parse(&record(HEAD_STEREO, 960)).unwrap();
        assert_eq!(
            (config.channels, config.sample_rate, config.frame_samples),
            (2, 48_000, 960)
        );
        assert_eq!(&config.record[..], b"\x00\x02\x01\x38\x00\x00\xbb\x80\x00\x00\x00");
        assert_eq!(config.silent_frame().unwrap(), &b"\xfc\xff\xfe"[..]);
    }

    #[test]
    fn no_header_at_all_means_two_channels() {
        let config = parse(&record(&[], 480)).unwrap();
        assert_eq!((config.channels, config.frame_samples), (2, 480));
        assert_eq!(config.record, parse(&record(HEAD_STEREO, 480)).unwrap().record);
    }

    #[test]
    fn surround_sound_keeps_its_mapping_and_is_silent_in_each_stream() {
        let config = parse(&record(HEAD_5_1, 960)).unwrap();
        assert_eq!(config.channels, 6);
        assert_eq!(&config.record[11..], b"\x04\x02\x00\x04\x01\x02\x03\x05");
        // What libopus makes of silence, but for the bass.
        let silence = b"\xfc\x02\xff\xfe\xfc\x02\xff\xfe\xf8\x02\xff\xfe\xf8\xff\xfe";
        assert_eq!(config.silent_frame().unwrap(), &silence[..]);
    }

    #[test]
    fn packets_tell_how_long_they_play() {
        // CELT 20 ms, SILK 60 ms, hybrid 10 ms twice, CELT 2.5 ms three times.
        let packets: [(&[u8], u16); 4] = [(&[0xfc], 960), (&[0x18], 2880), (&[0x61], 960), (&[0xe3, 0x03], 360)];
        for (packet, samples) in packets {
            assert_eq!(packet_samples(packet), Some(samples), "{packet:?}");
        }
        assert_eq!(packet_samples(&[]), None);
        assert_eq!(packet_samples(&[0xff]), None);
        assert_eq!(packet_samples(&[0xff, 0x3f]), None, "63 frames of 20 ms");
    }

    #[test]
    fn headers_that_cannot_be_are_refused() {
        for (at, value) in [(0, b'o'), (8, 0x10), (9, 0), (9, 3)] {
            let mut head = HEAD_STEREO.to_vec();
            head[at] = value;
            assert!(matches!(parse(&head.into()), Err(Flaw::Other(_))));
        }
    }

    proptest! {
        #[test]
        fn silence_plays_as_long_as_it_should(streams in 1_u8..4, coupled in 0_u8..4, frames in 1_u16..=6) {
            let packet = silence(streams, coupled.min(streams), frames * 960);
            prop_assert_eq!(packet_samples(&packet), Some(frames * 960));
        }

        #[test]
        fn any_bytes_are_read_or_refused(
            at in 0..HEAD_5_1.len(), value: u8, tail in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut head = HEAD_5_1.to_vec();
            head[at] = value;
            let _ = parse(&[&head[..], &tail].concat().into());
            let _ = parse(&tail.clone().into());
            let _ = packet_samples(&tail);
        }
    }
}
