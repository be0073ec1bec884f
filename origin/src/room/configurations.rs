//! What a publisher has said of its tracks, to be said again after something stood in for it.

use common::media::access_unit::MediaMessage;

/// A publisher has no more: one picture and so many sounds, each with a configuration, and colours.
const MAX_CONFIGURATIONS: usize = 16;

/// The newest message of each kind and track, media left out.
#[derive(Default)]
pub(super) struct Configurations(Vec<MediaMessage>);

impl Configurations {
    pub(super) fn note(&mut self, message: &MediaMessage) {
        let is_of = |kept: &MediaMessage| match (kept, message) {
            (MediaMessage::Config { track: kept, .. }, MediaMessage::Config { track, .. })
            | (MediaMessage::Unsupported { track: kept, .. }, MediaMessage::Unsupported { track, .. }) => kept == track,
            (kept, message) => std::mem::discriminant(kept) == std::mem::discriminant(message),
        };
        if matches!(message, MediaMessage::AccessUnit(_)) {
            return;
        }
        if let Some(kept) = self.0.iter_mut().find(|kept| is_of(kept)) {
            kept.clone_from(message);
        } else if self.0.len() < MAX_CONFIGURATIONS {
            self.0.push(message.clone());
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn to_vec(&self) -> Vec<MediaMessage> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use common::media::access_unit::TrackId;

    use super::*;

    #[test]
    fn tracks_that_are_not_carried_are_remembered_each() {
        let mut configurations = Configurations::default();
        for index in [1, 2, 2] {
            configurations.note(&MediaMessage::Unsupported {
                track: TrackId::audio(index),
                codec: "mp3".to_owned(),
            });
        }
        assert_eq!(configurations.to_vec().len(), 2);
    }
}
