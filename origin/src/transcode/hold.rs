//! Claims to rungs: a rung is made as long as somebody holds one, and a little longer.

use std::sync::Arc;

use common::id::Rung;
use node::live::Live;

use super::ladder::Ladder;

/// One watcher's claim to a rung.
pub struct RungHold {
    pub(super) live: Arc<Live>,
    pub(super) _claim: Claim,
}

impl RungHold {
    /// The rung's windows. They fill from a segment's start on; an epoch whose `parent` is not the source's is one of before.
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }
}

/// Counts as a watcher until it is dropped.
pub(super) struct Claim {
    ladder: Arc<Ladder>,
    rung: Rung,
}

impl Claim {
    /// The watcher is counted already.
    pub(super) fn new(ladder: Arc<Ladder>, rung: Rung) -> Self {
        Self { ladder, rung }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.ladder.unclaim(self.rung);
    }
}
