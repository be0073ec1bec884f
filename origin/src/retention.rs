//! Forgets messages that are older than their room keeps them, and from where viewers came who stay away.

use std::{sync::Arc, time::Duration};

use common::{id::RoomSlug, time::UnixMillis};
use node::shutdown::Shutdown;
use tokio::time::MissedTickBehavior;

use crate::{
    api::{Clock, LivePlane},
    control::Control,
    db::{DbError, visits::IN_USE},
};

/// Time between two sweeps.
const INTERVAL: Duration = Duration::from_secs(3600);

/// Messages deleted in one transaction, so that what is said meanwhile is not held up.
const BATCH: u32 = 1000;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Sweeps at once and then every hour, until shutdown.
pub async fn run(control: Arc<Control>, plane: Arc<dyn LivePlane>, clock: Clock, shutdown: Shutdown) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shutdown.token().cancelled() => return,
        }
        let swept = shutdown.token().run_until_cancelled(sweep(&control, &*plane, clock()));
        match swept.await {
            Some(Err(error)) => tracing::warn!(?error, "what is too old is not deleted now, but at the next sweep"),
            Some(Ok(())) => {}
            None => return,
        }
    }
}

/// Deletes visits and messages of all rooms that are too old at `now`, also where the audit log quotes them, and has the running
/// chats forget them.
///
/// # Errors
/// When the database cannot answer; what it deleted until then is gone.
pub(crate) async fn sweep(control: &Control, plane: &dyn LivePlane, now: UnixMillis) -> Result<(), DbError> {
    let seen_since = UnixMillis(now.0.saturating_sub(IN_USE.as_millis() as i64));
    control.db().forget_visits(seen_since).await?;
    for (room, chat) in control.db().rooms_with_chat().await? {
        if let Some(days) = chat.retention_days {
            let kept = DAY.as_millis() as i64 * i64::from(days);
            forget(control, plane, &room.slug, UnixMillis(now.0.saturating_sub(kept))).await?;
        }
    }
    Ok(())
}

async fn forget(control: &Control, plane: &dyn LivePlane, room: &RoomSlug, before: UnixMillis) -> Result<(), DbError> {
    let mut all = 0;
    loop {
        let deleted = control.db().delete_messages_before(room, before, BATCH).await?;
        all += deleted;
        if deleted < u64::from(BATCH) {
            break;
        }
    }
    control.db().forget_audited_texts(room, before).await?;
    // Also when nothing was deleted: a running chat may hold what never came into the database.
    plane.forget_messages(room, before);
    if all > 0 {
        tracing::info!(%room, deleted = all, "messages older than the room keeps them are deleted");
    }
    Ok(())
}
