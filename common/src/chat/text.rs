//! What may stand in a message: text that draws itself on its own line, and nowhere else.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::auth::nickname::is_invisible;

/// Longest message, in characters (Unicode scalar values) after normalisation.
pub const MAX_CHARS: usize = 500;

/// Most combining marks on one character. Burmese words have five (လျှို့ဝှက်), an emoji's key cap two; towers of marks, which
/// paint over the lines around them, have dozens.
pub const MAX_COMBINING_RUN: usize = 6;

/// Text longer than this is not looked at. Above what [`MAX_CHARS`] take before normalisation, with marks to be dropped.
const MAX_BYTES: usize = 16 * 1024;

/// Why a text is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A control character, or one that breaks the line.
    #[error("control characters and line breaks are not allowed")]
    Control,
    #[error("there is nothing to read in it")]
    Empty,
    #[error("at most {MAX_CHARS} characters")]
    TooLong,
}

/// The text as it is said: NFC, without what changes the direction of text, without marks beyond [`MAX_COMBINING_RUN`],
/// trimmed. Normalising twice is the same as once.
///
/// # Errors
/// As the variants of [`TextError`] say.
pub fn normalise(text: &str) -> Result<String, TextError> {
    if text.len() > MAX_BYTES {
        return Err(TextError::TooLong);
    }
    if text.chars().any(breaks_line) {
        return Err(TextError::Control);
    }
    let mut said = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.chars().filter(|c| !is_direction(*c)).nfc() {
        if is_combining_mark(c) {
            marks += 1;
            if marks > MAX_COMBINING_RUN {
                continue;
            }
        } else if !is_invisible(c) {
            // What draws nothing does not end a run: the marks after it land on the same character.
            marks = 0;
        }
        said.push(c);
    }
    let said = said.trim();
    if said.chars().all(is_invisible) {
        return Err(TextError::Empty);
    }
    if said.chars().count() > MAX_CHARS {
        return Err(TextError::TooLong);
    }
    Ok(said.to_owned())
}

/// Controls (Cc), and the line and paragraph separators.
fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Marks, embeddings, overrides and isolates of Unicode's bidi algorithm (UAX 9 section 2), and the deprecated format
/// controls beside them.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{206F}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn longest_run(text: &str) -> usize {
        text.split(|c| !is_combining_mark(c) && !is_invisible(c))
            .map(|run| run.chars().filter(|c| is_combining_mark(*c)).count())
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn a_message_is_composed_and_trimmed() {
        assert_eq!(
            normalise("  Zoe\u{0308} says \u{3000}hi ").unwrap(),
            "Zoë says \u{3000}hi"
        );
    }

    #[test]
    fn html_and_script_are_text_like_any_other() {
        let text = "<script>alert(1)</script> & \"'";
        assert_eq!(normalise(text).unwrap(), text);
    }

    #[test]
    fn control_characters_and_line_breaks_are_refused() {
        for c in [
            '\n', '\r', '\t', '\0', '\u{7}', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{2028}', '\u{2029}',
        ] {
            assert_eq!(normalise(&format!("a{c}b")), Err(TextError::Control), "{c:?}");
        }
    }

    #[test]
    fn what_turns_the_direction_of_text_is_taken_out() {
        assert_eq!(
            normalise("user\u{202E}gnp.exe\u{2066}\u{200F}!").unwrap(),
            "usergnp.exe!"
        );
        assert_eq!(normalise("שלום עולם").unwrap(), "שלום עולם");
    }

    #[test]
    fn a_tower_of_marks_is_cut_down() {
        let tower = format!("Z{}algo", "\u{0301}\u{0316}".repeat(40));
        let said = normalise(&tower).unwrap();
        assert!(
            longest_run(&said) <= MAX_COMBINING_RUN && said.ends_with("algo"),
            "{said}"
        );
        let hidden = format!("Z{}", "\u{0316}\u{0316}\u{200D}".repeat(40));
        assert!(longest_run(&normalise(&hidden).unwrap()) <= MAX_COMBINING_RUN);
    }

    #[test]
    fn words_of_scripts_that_stack_marks_stay_whole() {
        for text in ["လျှို့ဝှက်", "Việt Nam", "שָׁלוֹם", "ที่นี่", "བསྒྲུབས", "क्षि", "1️⃣ 🏳️‍🌈 👩🏽‍🚀"]
        {
            assert_eq!(normalise(text).unwrap(), text.nfc().collect::<String>(), "{text}");
        }
    }

    #[test]
    fn text_that_shows_nothing_is_empty() {
        for text in ["", "   ", "\u{200B}\u{FEFF}", "\u{202E}", "\u{3164}", "\u{FE0F}"] {
            assert_eq!(normalise(text), Err(TextError::Empty), "{text:?}");
        }
    }

    #[test]
    fn the_length_counts_after_normalisation() {
        let longest = "e\u{0301}".repeat(MAX_CHARS);
        assert_eq!(normalise(&longest).unwrap().chars().count(), MAX_CHARS);
        assert_eq!(normalise(&format!(" {longest} ")).unwrap().chars().count(), MAX_CHARS);
        assert_eq!(normalise(&format!("{longest}!")), Err(TextError::TooLong));
        assert_eq!(normalise(&"x".repeat(MAX_BYTES + 1)), Err(TextError::TooLong));
    }

    fn anything() -> impl Strategy<Value = String> {
        let marks = prop::collection::vec(
            prop_oneof![
                Just('\u{0301}'),
                Just('\u{0316}'),
                Just('\u{200D}'),
                Just('\u{FE0F}'),
                Just('\u{1100}'),
                Just('\u{1161}'),
                Just('\u{0BC6}'),
                Just('\u{0BBE}'),
                Just('e'),
                Just(' '),
                Just('\u{202E}'),
                any::<char>(),
            ],
            0..60,
        );
        prop_oneof![
            ".{0,60}".boxed(),
            "\\PC{0,600}".boxed(),
            marks.prop_map(|chars| chars.into_iter().collect::<String>()).boxed(),
        ]
    }

    proptest! {
        #[test]
        fn whatever_passes_is_short_clean_and_passes_again_unchanged(text in anything()) {
            if let Ok(said) = normalise(&text) {
                prop_assert!((1..=MAX_CHARS).contains(&said.chars().count()));
                prop_assert!(!said.chars().any(|c| breaks_line(c) || is_direction(c)));
                prop_assert!(longest_run(&said) <= MAX_COMBINING_RUN);
                prop_assert_eq!(said.trim(), &said);
                prop_assert_eq!(normalise(&said), Ok(said.clone()));
            }
        }
    }
}
