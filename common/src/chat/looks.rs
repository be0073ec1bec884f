//! Text by its looks: what readers take for the same is the same.

use unicode_normalization::UnicodeNormalization;

use crate::auth::nickname::is_invisible;

/// The text without case, compatibility forms, invisible characters and runs of white space, each character replaced by the one
/// that all its look-alikes share (UTS 39). For comparing only: it reads badly.
pub fn looks(text: &str) -> String {
    let seen: String = text
        .nfkc()
        .filter(|c| c.is_whitespace() || !is_invisible(*c))
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect();
    let alike: String = unicode_security::skeleton(&seen).flat_map(char::to_lowercase).collect();
    let mut looks = String::with_capacity(alike.len());
    for word in alike.split_whitespace() {
        if !looks.is_empty() {
            looks.push(' ');
        }
        looks.push_str(word);
    }
    looks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_is_the_same() {
        for (a, b) in [
            ("Ann", "ann"),
            ("Ann", "\u{FF21}nn"),
            ("paypal", "pаypаl"),
            ("a  b", " a\u{00A0}b "),
            ("mod", "m\u{200D}o\u{200B}d"),
            ("m0d", "mod"),
            ("Straße", "STRASSE"),
        ] {
            assert_eq!(looks(a), looks(b), "{a} and {b}");
        }
        assert_ne!(looks("Ann"), looks("Anne"));
        assert_ne!(looks("Zoe"), looks("Zoë"));
    }
}
