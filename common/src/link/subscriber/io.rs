//! What goes into a [`super::Subscriber`], and what comes out.

use std::time::Duration;

use bytes::Bytes;

use crate::{
    id::{Epoch, PartId, RoomSlug},
    live::{
        LiveEvent,
        window::{LiveWindow, Retention, WindowError},
    },
    wire::{
        control::{DownstreamFrame, UpstreamFrame},
        media::{PartHeader, PartOutline},
    },
};

/// What the relay says of itself, and how it keeps windows.
#[derive(Clone, Debug)]
pub struct SubscriberConfig {
    pub name: String,
    pub public_url: String,
    /// Name and version of this software.
    pub software: String,
    pub retention: Retention,
    /// Of the jitter between dials.
    pub seed: u64,
}

/// What happens to the subscriber.
#[derive(Clone, Debug)]
pub enum Input {
    /// A connection stands.
    Connected,
    /// It is gone, or could not be made. `may_return`: upstream did not say that this relay, or what it speaks, is not wanted.
    Disconnected {
        may_return: bool,
    },
    Frame(UpstreamFrame),
    /// A part's stream has ended well; the body is as long as its header says.
    Part {
        header: PartHeader,
        body: Bytes,
    },
    /// How an [`Output::Fetch`] went. Every one has to be answered, unless the connection is lost before.
    Fetched {
        room: RoomSlug,
        epoch: Epoch,
        id: PartId,
        outcome: FetchOutcome,
    },
    /// Someone here watches the room.
    Interest(RoomSlug),
    /// The mirror's window refused an event: start the room anew.
    Refused(RoomSlug),
    Tick,
}

/// How a fetch went.
#[derive(Clone, Debug)]
pub enum FetchOutcome {
    Found {
        outline: PartOutline,
        body: Bytes,
    },
    /// Upstream does not have it.
    Gone,
    /// The question or its answer was lost.
    Failed,
}

/// What the driver has to do.
#[derive(Debug)]
pub enum Output {
    /// Dial after this time.
    Connect { after: Duration },
    /// Send on the control stream.
    Frame(DownstreamFrame),
    /// The room's window from now on, bodies still to come. Bodies of a window of the same epoch are still good.
    PutWindow { room: RoomSlug, window: Box<LiveWindow> },
    /// For the room's current window; never a `Start`.
    Apply {
        room: RoomSlug,
        epoch: Epoch,
        event: LiveEvent,
    },
    /// A body for a part that stands in the window.
    Fill {
        room: RoomSlug,
        epoch: Epoch,
        id: PartId,
        body: Bytes,
    },
    /// Ask for this part, and answer with [`Input::Fetched`].
    Fetch { room: RoomSlug, epoch: Epoch, id: PartId },
    /// Upstream has nothing live there.
    Offline { room: RoomSlug },
    /// The room is no longer followed: its windows may go.
    Forget { room: RoomSlug },
    /// Upstream sent a window that is none; the room is tried again later.
    BadWindow { room: RoomSlug, error: WindowError },
    /// Upstream wants the connection closed, for this reason; say [`Input::Disconnected`] then.
    Close { reason: String },
}
