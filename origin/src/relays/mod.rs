//! The relays of this origin: who may connect, what they are told, and what they ask.

mod status;
mod store;

pub use self::{
    status::{RelayStatus, ViaRelay, ViewerPeer},
    store::{AllowedRelay, RelaySeen, RelayStore, StoreUnavailable},
};
