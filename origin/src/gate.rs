//! Who may come into a chat, by the keys and revocations of this origin; and telling relays who may not any more.

use std::sync::Arc;

use common::{
    auth::ViewerClaims,
    id::RoomSlug,
    wire::{chat::KickReason, control::Revocation},
};
use node::clock;

use crate::{chat::Gate, control::Control, relays::Relays};

/// [`Gate`] over the control side and the relays.
pub struct ChatGate {
    control: Arc<Control>,
    relays: Relays,
}

impl ChatGate {
    pub fn new(control: Arc<Control>, relays: Relays) -> Self {
        Self { control, relays }
    }
}

impl Gate for ChatGate {
    fn check(&self, token: &str, room: &RoomSlug, relay_id: &str) -> Result<ViewerClaims, KickReason> {
        let now = clock::unix_millis();
        let verifier = self.control.secrets().signing().verifier();
        let claims = verifier.verify_viewer(token, now).map_err(|_| KickReason::Expired)?;
        if claims.room != *room || !claims.allows_relay(relay_id) {
            return Err(KickReason::Expired);
        }
        if self.control.is_revoked(&claims, now) {
            return Err(KickReason::Revoked);
        }
        Ok(claims)
    }

    fn shut_out(&self, viewer_id: &str) {
        let revocation = self.control.shut_out(viewer_id, clock::unix_millis());
        self.relays.push_revocation(revocation);
    }

    fn push(&self, revocation: Revocation) {
        self.relays.push_revocation(revocation);
    }
}
