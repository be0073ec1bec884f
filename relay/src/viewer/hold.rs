//! Requests that wait for the live edge: a blocking reload, or a part that was hinted and is not here yet.

use std::{sync::Arc, time::Duration};

use common::{id::Epoch, live::window::LiveWindow};
use node::live::Live;

use super::{error::Problem, state::Viewers};

/// A held request is answered within this many target durations (RFC 8216bis section 6.2.5.2).
const MAX_TARGETS_HELD: u32 = 3;

/// What one look at a window gave.
pub enum Look<T> {
    Found(T),
    /// Look again when something changed.
    NotYet,
}

/// Looks at the epoch's window now and after each change, until `look` finds something.
///
/// # Errors
/// `gone` when the epoch is not here or leaves, [`Problem::HeldTooLong`] or [`Problem::Stopping`] when nothing came, or what
/// `look` says.
pub async fn until_found<T>(
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
            Ok((look(window)?, window.description().target_duration_s))
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
struct Held {
    until: tokio::time::Instant,
}

impl Held {
    fn new(target_duration_s: u32) -> Self {
        metrics::gauge!("streamcircle_relay_held_requests").increment(1.0);
        let at_most = Duration::from_secs(u64::from(MAX_TARGETS_HELD * target_duration_s));
        Self {
            until: tokio::time::Instant::now() + at_most,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        metrics::gauge!("streamcircle_relay_held_requests").decrement(1.0);
    }
}
