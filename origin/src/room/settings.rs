//! What a host sets of a room's stream: what is offered beside the source, what its sounds are called, and what stands in for a publisher
//! that was lost.

use bytes::Bytes;
use common::packager::Offer;

/// A room's stream as its host wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamSettings {
    /// Counts from the next epoch on.
    pub offer: Offer,
    pub slate: Slate,
}

/// What viewers see while the room waits for a lost publisher.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Slate {
    /// The end of what was sent.
    #[default]
    Off,
    /// A card of ours.
    Card,
    /// The host's picture: a PNG that was made here.
    Picture(Bytes),
}
