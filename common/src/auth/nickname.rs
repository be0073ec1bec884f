//! What viewers, rooms and invites may be called: text that others see.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// Longest nickname, in characters (Unicode scalar values) after normalisation.
pub const MAX_NICKNAME_CHARS: usize = 32;

/// Longest character before normalisation, in bytes, with some room for those that it swallows. Text that is longer than the
/// characters allowed times this is not looked at.
const MAX_CHAR_BYTES: usize = 32;

/// A name in NFC without white space at its ends, that draws itself where it stands and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nickname(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("has to be 1 to {max} characters long")]
    Length { max: usize },
    #[error("must not contain control characters, or characters that change the direction of text")]
    Character,
}

/// Normalises `text` to NFC, trims it and checks that it draws itself where it stands and nowhere else.
///
/// # Errors
/// [`NameError::Length`] when nothing visible, or more than `max` characters (Unicode scalar values), are left;
/// [`NameError::Character`] when a control or bidi control character stands in it.
pub fn visible_text(text: &str, max: usize) -> Result<String, NameError> {
    if text.len() > max.saturating_mul(MAX_CHAR_BYTES) {
        return Err(NameError::Length { max });
    }
    if text.chars().any(is_refused) {
        return Err(NameError::Character);
    }
    let normal: String = text.nfc().collect();
    let name = normal.trim();
    if name.chars().count() > max || name.chars().all(is_invisible) {
        return Err(NameError::Length { max });
    }
    Ok(name.to_owned())
}

impl Nickname {
    /// Normalises and checks a nickname.
    ///
    /// # Errors
    /// As [`visible_text`] with [`MAX_NICKNAME_CHARS`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        visible_text(text, MAX_NICKNAME_CHARS).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Nickname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Controls, line breaks, and the marks, embeddings, overrides and isolates of Unicode's bidi algorithm (UAX 9 section 2).
fn is_refused(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Draws nothing by itself. Joiners are allowed inside a name (emoji and several scripts need them), but are no name.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        )
        || matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}' | '\u{206A}'..='\u{206F}' | '\u{3164}')
        || matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_trimmed_and_composed() {
        assert_eq!(Nickname::parse("  Zoe\u{0308} ").unwrap().as_str(), "Zoë");
        assert_eq!(Nickname::parse("👩‍🚀").unwrap().as_str(), "👩‍🚀");
    }

    #[test]
    fn the_length_counts_after_normalisation() {
        let decomposed = "e\u{0301}".repeat(MAX_NICKNAME_CHARS);
        assert_eq!(
            Nickname::parse(&decomposed).unwrap().as_str().chars().count(),
            MAX_NICKNAME_CHARS
        );
        for text in [
            "",
            "   ",
            "\u{200B}\u{FE0F}",
            &"x".repeat(MAX_NICKNAME_CHARS + 1),
            &"e\u{0301}".repeat(1000),
        ] {
            assert_eq!(
                Nickname::parse(text),
                Err(NameError::Length {
                    max: MAX_NICKNAME_CHARS
                }),
                "{text:?}"
            );
        }
    }

    #[test]
    fn characters_that_break_the_line_or_its_direction_are_refused() {
        for text in [
            "a\nb",
            "a\u{0}",
            "\u{7}bell",
            "a\u{202E}b",
            "a\u{2066}b",
            "\u{200F}a",
            "a\u{85}b",
            "a\u{2028}b",
        ] {
            assert_eq!(Nickname::parse(text), Err(NameError::Character), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_passes_is_short_trimmed_and_passes_again(text in "\\PC{0,40}|.{0,40}") {
            if let Ok(name) = Nickname::parse(&text) {
                prop_assert!((1..=MAX_NICKNAME_CHARS).contains(&name.as_str().chars().count()));
                prop_assert_eq!(name.as_str().trim(), name.as_str());
                prop_assert!(!name.as_str().chars().any(is_refused));
                prop_assert_eq!(Nickname::parse(name.as_str()), Ok(name.clone()));
            }
        }
    }
}
