//! The stream key: the secret by which a publisher is known.

use std::fmt;

/// Longest stream key, bytes after percent decoding.
pub const MAX_KEY_LEN: usize = 128;

/// A stream key as a publisher sent it. It cannot be printed; comparing and hashing it is the business of who keeps the keys.
#[derive(Clone)]
pub struct StreamKey(String);

impl StreamKey {
    /// Takes the key out of a published stream name: what stands before `?`, without slashes and blanks around it, percent-decoded.
    ///
    /// `None` when nothing is left, when it is longer than [`MAX_KEY_LEN`], or is no printable ASCII: no key of ours.
    pub fn from_stream_name(name: &str) -> Option<Self> {
        let key = name.split_once('?').map_or(name, |(key, _)| key);
        let key = key.trim_matches(|c: char| c == '/' || c.is_ascii_whitespace());
        // Three characters for each decoded byte at most; checked first so that no long name is decoded.
        if key.len() > 3 * MAX_KEY_LEN {
            return None;
        }
        let decoded = percent_decode(key)?;
        let fits = (1..=MAX_KEY_LEN).contains(&decoded.len()) && decoded.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then_some(Self(decoded))
    }

    /// The secret itself, for looking it up. Never to be logged, shown or put in a URL.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamKey(..)")
    }
}

fn percent_decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            decoded.push(u8::try_from(high * 16 + low).expect("two hex digits make a byte"));
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Option<String> {
        StreamKey::from_stream_name(name).map(|key| key.expose().to_owned())
    }

    #[test]
    fn the_query_slashes_and_blanks_are_cut_off() {
        for name in [
            "sk_abc",
            "sk_abc?token=x&y=z",
            "/sk_abc/",
            "sk_abc/?x",
            " sk_abc\r\n",
            "sk%5Fabc",
            "sk_abc?a?b",
        ] {
            assert_eq!(key(name).as_deref(), Some("sk_abc"), "{name:?}");
        }
    }

    #[test]
    fn what_can_be_no_key_is_none() {
        for name in [
            "",
            "?x=y",
            "/",
            "sk%5",
            "sk%zz",
            "sk%ff",
            "sk abc",
            "sk%00",
            "schlüssel",
        ] {
            assert_eq!(key(name), None, "{name:?}");
        }
        assert!(key(&"k".repeat(MAX_KEY_LEN)).is_some());
        assert_eq!(key(&"k".repeat(MAX_KEY_LEN + 1)), None);
        assert_eq!(key(&"%41".repeat(MAX_KEY_LEN)), Some("A".repeat(MAX_KEY_LEN)));
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let key = StreamKey::from_stream_name("sk_secret").unwrap();
        assert_eq!(format!("{key:?}"), "StreamKey(..)");
    }
}
