//! Who may do what: roles, tokens and the keys that sign them, revocations, nicknames.
//!
//! Nothing here reads a clock or draws randomness: `now`, ids and key seeds are passed in. Storing and
//! handing out tokens is the origin's; carrying them in requests is the daemons'.

pub mod invite;
pub mod join_token;
pub mod keys;
pub mod nickname;
mod numeric_date;
pub mod revocations;
pub mod scope;
pub mod token;

pub use invite::InviteClaims;
pub use keys::{KeyError, Signer, Verifier};
pub use nickname::{NameError, Nickname};
pub use revocations::Revocations;
pub use scope::Role;
pub use token::{MAX_TOKEN_LEN, TokenError, VIEWER_TOKEN_LEEWAY, VIEWER_TOKEN_LIFE, ViewerClaims};
