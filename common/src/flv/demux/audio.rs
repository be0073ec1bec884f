//! One audio track: its configuration, where a codec tells all or a part of it in its frames only.

use bytes::Bytes;

use super::{FlvError, Found, push_config, push_unit};
use crate::media::{
    ac3,
    access_unit::{AccessUnit, Codec, TrackId, TrackKind},
    flac, opus,
};

/// Shortest `AudioSpecificConfig`, bytes.
const MIN_ASC: usize = 2;

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
    /// Takes the data of a sequence start.
    pub(super) fn configure(
        &mut self,
        track: TrackId,
        codec: Codec,
        data: Bytes,
        found: &mut Found,
    ) -> Result<(), FlvError> {
        const SHORT: FlvError = FlvError::Truncated(TrackKind::Audio);
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
            Codec::Flac => {
                push_config(track, codec, flac::record(&data).ok_or(SHORT)?, found);
                self.state = State::Plain;
            }
            // Their frames say it all.
            Codec::Ac3 | Codec::Eac3 => {}
            _ => {
                if data.len() < MIN_ASC {
                    return Err(SHORT);
                }
                push_config(track, codec, data, found);
                self.state = State::Plain;
            }
        }
        Ok(())
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
                // Without a syncword it is no frame of these.
                let Some((format, bit_rate)) = ac3::read(codec, &unit.payload) else {
                    return;
                };
                if !matches!(&self.state, State::Ac3 { current } if *current == format) {
                    push_config(unit.track, codec, format.record(bit_rate), found);
                    self.state = State::Ac3 { current: format };
                }
            }
            _ => {}
        }
        push_unit(unit, found);
    }
}
