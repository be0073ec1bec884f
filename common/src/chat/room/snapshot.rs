//! How the room stands, for a relay that begins to follow: in pieces that each fit a frame.

use super::{ChatRoom, Now, Output, RelayKey};
use crate::wire::chat::{ChatDown, ChatState, SnapshotPiece};

/// Most messages in a piece: 300 KB of the longest ones.
pub const MESSAGES_PER_PIECE: usize = 100;
/// Most roster entries in a piece.
pub const ROSTER_PER_PIECE: usize = 500;

impl ChatRoom {
    /// Whether the room takes nobody new, and only moderators speak.
    pub fn is_locked(&self) -> bool {
        self.settings.locked
    }

    /// The relay gets a snapshot, then all that happens. `after`: id of the newest message it has.
    /// What is due and not told yet comes after it.
    pub fn follow(&mut self, _now: Now, relay: RelayKey, after: Option<i64>) {
        self.reserve_ids();
        self.followers.insert(relay);
        let messages: Vec<_> = self.history.after(after).cloned().collect();
        let roster = self.presence.roster();
        let mut pieces: Vec<SnapshotPiece> = Vec::new();
        let mut place = |count: usize| {
            pieces.resize_with(count.max(pieces.len()).max(1), SnapshotPiece::default);
        };
        place(messages.len().div_ceil(MESSAGES_PER_PIECE));
        place(roster.len().div_ceil(ROSTER_PER_PIECE));
        for (piece, chunk) in pieces.iter_mut().zip(messages.chunks(MESSAGES_PER_PIECE)) {
            piece.messages = chunk.to_vec();
        }
        for (piece, chunk) in pieces.iter_mut().zip(roster.chunks(ROSTER_PER_PIECE)) {
            piece.roster = chunk.to_vec();
        }
        // All: browsers that come to the relay may hold messages that it never had.
        if let Some(piece) = pieces.first_mut() {
            piece.deleted = self.history.deleted(i64::MAX).collect();
        }
        if let Some(piece) = pieces.last_mut() {
            piece.state = Some(self.state());
            piece.floor = self.history.floor();
        }
        let pieces = pieces
            .into_iter()
            .map(|piece| Output::Relay(relay, ChatDown::Snapshot(piece)));
        self.outputs.extend(pieces);
    }

    /// What all in the room see of it, as followers know it.
    pub(super) fn state(&self) -> ChatState {
        ChatState {
            name: self.settings.name.clone(),
            is_open: self.settings.is_open,
            listed: self.settings.listed,
            locked: self.settings.locked,
            slow_mode_seconds: self.settings.slow_mode_seconds,
            is_live: self.on_air.is_live,
            interrupted: self.on_air.interrupted,
            started_at: self.on_air.started_at,
            viewer_count: self.presence.count(),
            pinned: self.pinned.clone(),
            emotes: self.emotes.clone(),
        }
    }
}
