//! One audio track: its configuration, where a codec tells all or a part of it in its frames only.

use bytes::Bytes;

use super::{Found, push_config, push_unit};
use crate::media::{
    ac3,
    access_unit::{AccessUnit, Codec, TrackId},
    flac, opus,
};

/// Longest `OpusHead`, bytes: 255 channels.
const MAX_OPUS_HEAD: usize = 19 + 2 + 255;

/// What is kept of a codec's configuration.
#[derive(Debug, Default)]
enum State {
    #[default]
    Plain,
    Opus {
        head: Bytes,
        /// Of the packets since the last configuration told.
        samples: Option<u16>,
    },
    Ac3 {
        current: ac3::Format,
    },
}

#[derive(Debug, Default)]
pub(super) struct AudioTrack {
    state: State,
}

impl AudioTrack {
    /// Takes the data of a sequence start. What cannot be read is handed on as it is: whoever refuses it can tell the publisher.
    pub(super) fn configure(&mut self, track: TrackId, codec: Codec, data: Bytes, found: &mut Found) {
        match codec {
            Codec::Opus => {
                let head = Bytes::copy_from_slice(&data[..data.len().min(MAX_OPUS_HEAD)]);
                let samples = match &self.state {
                    State::Opus { samples, .. } => *samples,
                    _ => None,
                };
                if let Some(samples) = samples {
                    push_config(track, codec, opus::record(&head, samples), found);
                }
                self.state = State::Opus { head, samples };
            }
            // Their frames say it all.
            Codec::Ac3 | Codec::Eac3 => {}
            _ if data.is_empty() => {}
            Codec::Flac => {
                push_config(track, codec, flac::record(&data).unwrap_or(data), found);
                self.state = State::Plain;
            }
            _ => {
                push_config(track, codec, data, found);
                self.state = State::Plain;
            }
        }
    }

    /// Takes a frame, and a configuration out of it if its codec tells one there.
    pub(super) fn frame(&mut self, unit: AccessUnit, codec: Codec, found: &mut Found) {
        match codec {
            Codec::Opus => {
                let (head, known) = match &self.state {
                    State::Opus { head, samples } => (head.clone(), *samples),
                    _ => (Bytes::new(), None),
                };
                let samples = opus::packet_samples(&unit.payload);
                if let Some(samples) = samples.filter(|_| samples != known) {
                    push_config(unit.track, codec, opus::record(&head, samples), found);
                    let samples = Some(samples);
                    self.state = State::Opus { head, samples };
                }
            }
            Codec::Ac3 | Codec::Eac3 => {
                match ac3::read(codec, &unit.payload) {
                    Some((format, _)) if matches!(&self.state, State::Ac3 { current } if *current == format) => {}
                    Some((format, bit_rate)) => {
                        push_config(unit.track, codec, format.record(bit_rate), found);
                        self.state = State::Ac3 { current: format };
                    }
                    // Without a syncword it is no frame of these. Where none ever had one the frames are handed on, to be missed.
                    None if matches!(self.state, State::Ac3 { .. }) => return,
                    None => {}
                }
            }
            _ => {}
        }
        push_unit(unit, found);
    }
}
