//! The video track: its configuration, where a codec tells a part of it in key frames only, and samples as a container holds them.

use bytes::Bytes;

use super::{Demuxed, Found, push_config, push_unit};
use crate::media::{
    access_unit::{AccessUnit, Codec, ColourInfo, MediaMessage, TrackId},
    av1::{self, SequenceHeader},
    config_error::MAX_RECORD_BYTES,
    hevc::{self, ParameterSets},
    vp9::{self, KeyFrame},
};

/// What is kept of a codec's configuration.
#[derive(Debug, Default)]
enum State {
    #[default]
    Plain,
    Hevc {
        parameter_sets: ParameterSets,
    },
    Av1 {
        current: Option<SequenceHeader>,
    },
    Vp9 {
        announced: Option<[u8; 8]>,
        current: Option<KeyFrame>,
    },
}

#[derive(Debug, Default)]
pub(super) struct VideoTrack {
    state: State,
    colour: ColourInfo,
}

impl VideoTrack {
    /// Takes the data of a sequence start. What cannot be read is handed on as it is: whoever refuses it can tell the publisher.
    pub(super) fn configure(&mut self, codec: Codec, data: Bytes, found: &mut Found) {
        if data.len() > MAX_RECORD_BYTES {
            push_config(TrackId::VIDEO, codec, data, found);
            return;
        }
        match codec {
            Codec::Av1 => {
                // ffmpeg sends one without data ahead of the true one, and some have no header, which key frames have.
                let header = av1::sequence_header_of_record(&data);
                let current = header.and_then(av1::read_header);
                if header.is_some() {
                    push_config(TrackId::VIDEO, codec, data, found);
                }
                self.state = State::Av1 { current };
            }
            Codec::Vp9 => {
                let current = match &self.state {
                    State::Vp9 { current, .. } => *current,
                    _ => None,
                };
                let announced = vp9::announced(&data);
                if let Some(key) = current {
                    push_config(TrackId::VIDEO, codec, key.record(announced.as_ref()), found);
                }
                self.state = State::Vp9 { announced, current };
            }
            _ if data.is_empty() => {}
            Codec::Hevc => {
                let parameter_sets = ParameterSets::of(&data);
                self.state = State::Hevc { parameter_sets };
                push_config(TrackId::VIDEO, codec, data, found);
            }
            _ => {
                self.state = State::Plain;
                push_config(TrackId::VIDEO, codec, data, found);
            }
        }
    }

    /// Takes a frame, and a configuration out of it if its codec tells one there.
    pub(super) fn frame(&mut self, codec: Codec, mut unit: AccessUnit, found: &mut Found) {
        match codec {
            Codec::Av1 => {
                if unit.sync {
                    self.av1_key(&unit.payload, found);
                }
                unit.payload = av1::sample(&unit.payload);
            }
            Codec::Vp9 if unit.sync => self.vp9_key(&unit.payload, found),
            Codec::Hevc => {
                if let State::Hevc { parameter_sets } = &self.state {
                    unit.payload = hevc::sample(&unit.payload, parameter_sets);
                }
            }
            _ => {}
        }
        push_unit(unit, found);
    }

    /// Of two headers that differ in operating points or tools alone, as SVT-AV1 sends them, the announced one stays.
    fn av1_key(&mut self, payload: &Bytes, found: &mut Found) {
        let Some(bytes) = av1::sequence_header(payload).filter(|bytes| bytes.len() <= MAX_RECORD_BYTES) else {
            return;
        };
        let header = av1::read_header(bytes);
        let is_known = matches!(&self.state, State::Av1 { current } if *current == header);
        if !is_known && let Some(record) = av1::record(bytes) {
            push_config(TrackId::VIDEO, Codec::Av1, record, found);
            self.state = State::Av1 { current: header };
        }
    }

    fn vp9_key(&mut self, payload: &Bytes, found: &mut Found) {
        let Some(key) = KeyFrame::read(payload) else { return };
        let (announced, known) = match &self.state {
            State::Vp9 { announced, current } => (*announced, *current),
            _ => (None, None),
        };
        if known != Some(key) {
            push_config(TrackId::VIDEO, Codec::Vp9, key.record(announced.as_ref()), found);
            let current = Some(key);
            self.state = State::Vp9 { announced, current };
        }
    }

    /// Takes what the publisher says of colours beside the stream; sent again at each key frame by some.
    pub(super) fn colour(&mut self, colour: ColourInfo, found: &mut Found) {
        if colour != self.colour {
            self.colour = colour;
            found.push(Demuxed::Media(MediaMessage::Colour(colour)));
        }
    }
}
