//! What goes into a [`super::Subscriber`], and what comes out.

use std::time::Duration;

use bytes::Bytes;

use crate::{
    id::{ChannelId, Epoch, PartId},
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
        channel: ChannelId,
        epoch: Epoch,
        id: PartId,
        outcome: FetchOutcome,
    },
    /// Someone here watches the channel.
    Interest(ChannelId),
    /// The mirror's window refused an event: start the channel anew.
    Refused(ChannelId),
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
    /// The channel's window from now on, bodies still to come. Bodies of a window of the same epoch are still good.
    PutWindow {
        channel: ChannelId,
        window: Box<LiveWindow>,
    },
    /// For the channel's current window; never a `Start`.
    Apply {
        channel: ChannelId,
        epoch: Epoch,
        event: LiveEvent,
    },
    /// A body for a part that stands in the window.
    Fill {
        channel: ChannelId,
        epoch: Epoch,
        id: PartId,
        body: Bytes,
    },
    /// Ask for this part, and answer with [`Input::Fetched`].
    Fetch {
        channel: ChannelId,
        epoch: Epoch,
        id: PartId,
    },
    /// Upstream has nothing live there.
    Offline { channel: ChannelId },
    /// Upstream makes it from now on; its window is still to come.
    Starting { channel: ChannelId },
    /// The channel is no longer followed: its windows may go.
    Forget { channel: ChannelId },
    /// Upstream sent a window that is none; the channel is tried again later.
    BadWindow { channel: ChannelId, error: WindowError },
    /// Upstream wants the connection closed, for this reason; say [`Input::Disconnected`] then.
    Close { reason: String },
}
