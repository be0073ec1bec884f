//! Who may do what: tokens, scopes, invites.
