//! The join token: what a new relay is handed to find its upstream, to know it by its key, and to be let in once.
//!
//! Text is [`PREFIX`] and base64url without padding over postcard. Whoever holds the text may enrol one relay, so neither
//! `Debug` nor an error shows any of it. Making the secret and remembering its hash are the origin's.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::wire::LINK_VERSION;

/// Start of every join token of this format.
pub const PREFIX: &str = "scj1.";
/// Longest text that is looked at, in bytes; the largest token that fits all other limits is shorter.
pub const MAX_TEXT_LEN: usize = 4096;
/// Most addresses in a token.
pub const MAX_ADDRESSES: usize = 8;
/// Longest address in bytes: the longest DNS name, a colon and a port.
pub const MAX_ADDRESS_LEN: usize = 259;

/// Trades for a client certificate, once. Shown by nothing but [`JoinSecret::expose`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinSecret([u8; 32]);

impl JoinSecret {
    /// Wraps 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, to be hashed or sent to the upstream.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for JoinSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinSecret(..)")
    }
}

/// Where the upstream is, how to know it, and the secret it asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    addresses: Vec<String>,
    key_sha256: [u8; 32],
    secret: JoinSecret,
}

/// Why a text is no join token. No variant carries any of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinTokenError {
    #[error("a join token starts with '{PREFIX}'")]
    NoPrefix,
    #[error("the join token is {0} bytes long, more than {MAX_TEXT_LEN}")]
    TooLong(usize),
    #[error("the join token is damaged: not base64url after '{PREFIX}'")]
    NotBase64,
    #[error("the join token is damaged: cut short, or something was added")]
    Damaged,
    #[error("the join token is for link version {0}, this program speaks version {LINK_VERSION}")]
    OtherVersion(u16),
    #[error("a join token carries 1 to {MAX_ADDRESSES} addresses, this one {0}")]
    AddressCount(usize),
    #[error("address {0} of the join token is not HOST:PORT")]
    Address(usize),
}

#[derive(Serialize, Deserialize)]
struct Payload {
    /// First, so that a token of another version is told from a damaged one.
    version: u16,
    addresses: Vec<String>,
    key_sha256: [u8; 32],
    secret: JoinSecret,
}

impl JoinToken {
    /// Checks the addresses (`host:port` each, tried in this order).
    ///
    /// # Errors
    /// [`JoinTokenError::AddressCount`] and [`JoinTokenError::Address`].
    pub fn new(addresses: Vec<String>, key_sha256: [u8; 32], secret: JoinSecret) -> Result<Self, JoinTokenError> {
        if !(1..=MAX_ADDRESSES).contains(&addresses.len()) {
            return Err(JoinTokenError::AddressCount(addresses.len()));
        }
        match addresses.iter().position(|address| !is_host_and_port(address)) {
            Some(index) => Err(JoinTokenError::Address(index)),
            None => Ok(Self {
                addresses,
                key_sha256,
                secret,
            }),
        }
    }

    /// Reads a token as a person pasted it; white space around it does not count.
    ///
    /// # Errors
    /// Says what is wrong with the text without repeating it.
    pub fn decode(text: &str) -> Result<Self, JoinTokenError> {
        let text = text.trim();
        if text.len() > MAX_TEXT_LEN {
            return Err(JoinTokenError::TooLong(text.len()));
        }
        let encoded = text.strip_prefix(PREFIX).ok_or(JoinTokenError::NoPrefix)?;
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| JoinTokenError::NotBase64)?;
        let (version, _) = postcard::take_from_bytes::<u16>(&bytes).map_err(|_| JoinTokenError::Damaged)?;
        if version != LINK_VERSION {
            return Err(JoinTokenError::OtherVersion(version));
        }
        match postcard::take_from_bytes::<Payload>(&bytes) {
            Ok((payload, [])) => Self::new(payload.addresses, payload.key_sha256, payload.secret),
            _ => Err(JoinTokenError::Damaged),
        }
    }

    /// The text to hand to a relay.
    pub fn encode(&self) -> String {
        let payload = Payload {
            version: LINK_VERSION,
            addresses: self.addresses.clone(),
            key_sha256: self.key_sha256,
            secret: self.secret.clone(),
        };
        let bytes = postcard::to_stdvec(&payload).expect("a struct of texts and byte arrays always serializes");
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// `host:port`, at least one, in the order to try them.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// SHA-256 of the public key (SubjectPublicKeyInfo, DER) of the authority that vouches for the upstream.
    pub fn key_sha256(&self) -> &[u8; 32] {
        &self.key_sha256
    }

    pub fn secret(&self) -> &JoinSecret {
        &self.secret
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinToken")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// `name:port`, `1.2.3.4:port` or `[v6]:port`. Whether the name can be resolved shows when it is used.
fn is_host_and_port(address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else {
        return false;
    };
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host_is_fine = match bare {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        }
    };
    let port_is_fine = port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    address.len() <= MAX_ADDRESS_LEN && host_is_fine && port_is_fine
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token() -> JoinToken {
        let addresses = vec!["origin.example:4443".to_owned(), "[2001:db8::1]:4443".to_owned()];
        JoinToken::new(addresses, [7; 32], JoinSecret::new([9; 32])).unwrap()
    }

    #[test]
    fn what_was_encoded_is_decoded_even_with_white_space_around() {
        assert_eq!(JoinToken::decode(&format!(" {}\n", token().encode())), Ok(token()));
    }

    #[test]
    fn each_kind_of_garbage_is_named() {
        let text = token().encode();
        assert_eq!(JoinToken::decode("hello"), Err(JoinTokenError::NoPrefix));
        assert_eq!(JoinToken::decode("scj1.%%%"), Err(JoinTokenError::NotBase64));
        assert_eq!(JoinToken::decode("scj1."), Err(JoinTokenError::Damaged));
        assert_eq!(JoinToken::decode(&text[..text.len() - 8]), Err(JoinTokenError::Damaged));
        assert_eq!(JoinToken::decode(&format!("{text}AAAA")), Err(JoinTokenError::Damaged));
        assert_eq!(JoinToken::decode("scj1.BwA"), Err(JoinTokenError::OtherVersion(7)));
        assert_eq!(JoinToken::decode(&"x".repeat(5000)), Err(JoinTokenError::TooLong(5000)));
    }

    #[test]
    fn an_address_needs_a_host_and_a_port() {
        for address in [
            "",
            "origin",
            "origin:",
            ":4443",
            "origin:0",
            "origin:65536",
            "::1:4443",
            "a b:1",
            "[x]:1",
        ] {
            let made = JoinToken::new(vec![address.to_owned()], [0; 32], JoinSecret::new([0; 32]));
            assert_eq!(made, Err(JoinTokenError::Address(0)), "{address:?}");
        }
        let none = JoinToken::new(vec![], [0; 32], JoinSecret::new([0; 32]));
        assert_eq!(none, Err(JoinTokenError::AddressCount(0)));
    }

    #[test]
    fn the_secret_is_not_shown() {
        let shown = format!("{:?} {:?}", token(), token().secret());
        assert!(!shown.contains('9'), "{shown}");
    }

    #[test]
    fn the_largest_token_is_within_the_longest_text() {
        let host = format!("{}:65535", "h".repeat(MAX_ADDRESS_LEN - 6));
        let largest = JoinToken::new(vec![host; MAX_ADDRESSES], [0xff; 32], JoinSecret::new([0xff; 32])).unwrap();
        assert_eq!(JoinToken::decode(&largest.encode()), Ok(largest));
    }

    proptest! {
        #[test]
        fn any_token_survives_its_text(
            hosts in proptest::collection::vec("[a-z0-9.-]{1,60}:[1-9][0-9]{0,3}", 1..=MAX_ADDRESSES),
            key: [u8; 32],
            secret: [u8; 32],
        ) {
            let token = JoinToken::new(hosts, key, JoinSecret::new(secret)).unwrap();
            prop_assert_eq!(JoinToken::decode(&token.encode()), Ok(token));
        }

        #[test]
        fn no_text_makes_it_panic(text in "(scj1\\.)?[ -~]{0,300}", bytes: Vec<u8>) {
            let _ = JoinToken::decode(&text);
            let _ = JoinToken::decode(&format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)));
        }
    }
}
