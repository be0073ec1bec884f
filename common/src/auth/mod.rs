//! Who may do what: tokens, scopes, invites.

pub mod join_token;
