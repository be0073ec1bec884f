//! Requests that wait for the live edge: a blocking reload, or a part that was hinted and is not here yet.

use std::sync::Arc;

use common::{hls::profile::longest_block, id::Epoch, live::window::LiveWindow};
use node::live::Live;
use tokio::time::Instant;

use super::{error::Problem, state::Viewers};

/// What one look at a window gave.
pub(super) enum Look<T> {
    Found(T),
    /// Look again when something changed.
    NotYet,
}

/// Looks at the epoch's window now and after each change, until `look` finds something.
///
/// # Errors
/// `gone` when the epoch is not here or leaves, [`Problem::HeldTooLong`] or [`Problem::Stopping`] when nothing came, or what
/// `look` says.
pub(super) async fn until_found<T>(
    viewers: &Viewers,
    live: &Arc<Live>,
    epoch: Epoch,
    gone: Problem,
    mut look: impl FnMut(&LiveWindow) -> Result<Look<T>, Problem>,
) -> Result<T, Problem> {
    let mut changes = live.watch();
    let mut held: Option<Held> = None;
    loop {
        changes.borrow_and_update();
        let (looked, target_duration_s) = live.read(|windows| {
            let window = windows.get(epoch).ok_or(gone)?;
            Ok::<_, Problem>((look(window)?, window.description().target_duration_s))
        })?;
        if let Look::Found(found) = looked {
            return Ok(found);
        }
        let held = held.get_or_insert_with(|| Held::new(target_duration_s));
        tokio::select! {
            changed = changes.changed() => changed.map_err(|_| gone)?,
            () = tokio::time::sleep_until(held.until) => return Err(Problem::HeldTooLong),
            () = viewers.stop.cancelled() => return Err(Problem::Stopping),
        }
    }
}

/// Counts a held request as long as it waits.
pub(super) struct Held {
    pub(super) until: Instant,
}

impl Held {
    pub(super) fn new(target_duration_s: u32) -> Self {
        metrics::gauge!("streamcircle_relay_held_requests").increment(1.0);
        Self {
            until: Instant::now() + longest_block(target_duration_s),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        metrics::gauge!("streamcircle_relay_held_requests").decrement(1.0);
    }
}
