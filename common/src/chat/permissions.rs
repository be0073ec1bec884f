//! Who may do what in a room, and to whom.

use crate::auth::Role;

/// What one is in a room, the operator included; a larger one may do all to a smaller one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    Viewer,
    Moderator,
    Host,
    /// Whoever runs this StreamCircle. Acts over the API, has no seat in the room, and does not speak.
    Operator,
}

/// What may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    Say,
    React,
    DeleteOwn,
    /// Speak while the room is locked or in slow mode, with web addresses and blocked words.
    SpeakFreely,
    Pin,
    SlowMode,
    Lock,
    /// Delete a message of another.
    Delete,
    Timeout,
    Ban,
    Unban,
}

impl Right {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Say,
        Self::React,
        Self::DeleteOwn,
        Self::SpeakFreely,
        Self::Pin,
        Self::SlowMode,
        Self::Lock,
        Self::Delete,
        Self::Timeout,
        Self::Ban,
        Self::Unban,
    ];
}

/// Whether `actor` may do it, to `target` where it is done to someone else.
pub fn may(actor: Rank, right: Right, target: Rank) -> bool {
    match right {
        Right::Say | Right::React | Right::DeleteOwn => actor <= Rank::Host,
        Right::SpeakFreely => actor >= Rank::Moderator && actor <= Rank::Host,
        Right::Pin | Right::SlowMode | Right::Lock => actor >= Rank::Moderator,
        Right::Delete | Right::Timeout | Right::Ban | Right::Unban => actor >= Rank::Moderator && actor > target,
    }
}

impl From<Role> for Rank {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Moderator => Self::Moderator,
            Role::Host => Self::Host,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// On whom of viewer (v), moderator (m), host (h) each may do it.
    const MATRIX: &str = "
                 Viewer Moderator Host   Operator
    Say          vmh    vmh       vmh    -
    React        vmh    vmh       vmh    -
    DeleteOwn    vmh    vmh       vmh    -
    SpeakFreely  -      vmh       vmh    -
    Pin          -      vmh       vmh    vmh
    SlowMode     -      vmh       vmh    vmh
    Lock         -      vmh       vmh    vmh
    Delete       -      v         vm     vmh
    Timeout      -      v         vm     vmh
    Ban          -      v         vm     vmh
    Unban        -      v         vm     vmh
";

    #[test]
    fn who_may_do_what_to_whom() {
        let mut matrix = String::from("\n                 Viewer Moderator Host   Operator\n");
        for right in Right::ALL {
            let on = |actor| {
                let targets = [(Rank::Viewer, 'v'), (Rank::Moderator, 'm'), (Rank::Host, 'h')];
                let allowed: String = targets
                    .iter()
                    .filter(|(target, _)| may(actor, right, *target))
                    .map(|(_, c)| c)
                    .collect();
                if allowed.is_empty() { "-".to_owned() } else { allowed }
            };
            let name = format!("{right:?}");
            let [viewer, moderator, host] = [Rank::Viewer, Rank::Moderator, Rank::Host].map(on);
            let operator = on(Rank::Operator);
            writeln!(matrix, "    {name:<12} {viewer:<6} {moderator:<9} {host:<6} {operator}").unwrap();
        }
        assert_eq!(matrix, MATRIX);
    }
}
