//! What a viewer is in a room, and what that allows.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A viewer's role in one room; a larger one may do all that a smaller one may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Watches and chats.
    #[default]
    Viewer,
    /// Also deletes messages, silences and bans.
    Moderator,
    /// Also makes and revokes invites, and sees the health of the ingest.
    Host,
}

/// The text is no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is viewer, moderator or host")]
pub struct InvalidRole;

impl Role {
    /// The role as it stands in tokens and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Moderator => "moderator",
            Self::Host => "host",
        }
    }

    /// May delete messages, silence and ban.
    pub fn may_moderate(self) -> bool {
        self >= Self::Moderator
    }

    /// May make, list and revoke invites of the room, and see the health of its ingest.
    pub fn may_host(self) -> bool {
        self == Self::Host
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        [Self::Viewer, Self::Moderator, Self::Host]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(InvalidRole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reads_back_as_it_is_written() {
        for role in [Role::Viewer, Role::Moderator, Role::Host] {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert_eq!("Host".parse::<Role>(), Err(InvalidRole));
    }

    #[test]
    fn only_a_host_may_invite_and_only_a_viewer_may_not_moderate() {
        assert!(!Role::Viewer.may_moderate() && Role::Moderator.may_moderate() && Role::Host.may_moderate());
        assert!(!Role::Viewer.may_host() && !Role::Moderator.may_host() && Role::Host.may_host());
    }
}
