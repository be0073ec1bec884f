//! Rooms at run time: who publishes, what is live, who was seen watching.
//!
//! Two planes. Control has one owner a room, an [`actor`] over the pure rules of [`state`]. Media goes round it: the publisher's
//! lease writes into the room's [`publication`], many readers follow its window, and the writer never waits for them.
//! What a room is called and who may enter stands in the database, not here.

mod actor;
mod admission;
mod audience;
mod configurations;
mod figures;
mod memories;
mod numbers;
mod open_until;
mod passes;
mod publication;
mod registry;
mod settings;
mod stand_in;
mod state;

pub use admission::{KeyLookup, RoomAdmission, RoomLease};
pub use figures::record as record_figures;
pub use memories::MemoryStore;
pub use numbers::MsnStore;
pub use passes::{Fronted, file::PassFile};
pub use registry::{RoomStatus, Rooms, RoomsConfig};
pub use settings::{Slate, StreamSettings};
pub use stand_in::SlateHealth;
