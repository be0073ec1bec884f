//! What a reaction may be: one emoji of Unicode, or the name of one of the room's emotes.

/// Longest name of an emote, in characters; the shortest has [`MIN_EMOTE_NAME_LEN`].
pub const MAX_EMOTE_NAME_LEN: usize = 32;
/// Shortest name of an emote, in characters.
pub const MIN_EMOTE_NAME_LEN: usize = 2;

/// Longest emoji of Unicode has 35 bytes; longer text is not looked up.
const MAX_EMOJI_BYTES: usize = 64;

/// The emoji as it is counted and shown: fully qualified, so that the same emoji is the same text. `None`: not one emoji.
pub fn unicode_emoji(text: &str) -> Option<&'static str> {
    if text.len() > MAX_EMOJI_BYTES {
        return None;
    }
    Some(emojis::get(text)?.as_str())
}

/// The name in `:name:`. `None`: it is not so written, or can be no emote's name.
pub fn emote_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix(':')?.strip_suffix(':')?;
    is_emote_name(name).then_some(name)
}

/// Whether an emote may be called so.
pub fn is_emote_name(name: &str) -> bool {
    (MIN_EMOTE_NAME_LEN..=MAX_EMOTE_NAME_LEN).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_emoji_of_any_kind_is_a_reaction() {
        for text in ["😀", "❤️", "👍🏽", "👩🏽‍🚀", "🏳️‍🌈", "🇫🇷", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "🫠"]
        {
            assert_eq!(unicode_emoji(text), Some(text), "{text}");
        }
    }

    #[test]
    fn the_same_emoji_written_short_counts_as_the_same() {
        assert_eq!(unicode_emoji("❤"), Some("❤️"));
    }

    #[test]
    fn anything_else_is_no_emoji() {
        for text in [
            "",
            "a",
            "1",
            "😀😀",
            "😀 ",
            ":)",
            "<b>",
            "\u{FE0F}",
            "\u{200D}",
            "👍👍🏽",
            &"😀".repeat(99),
        ] {
            assert_eq!(unicode_emoji(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_emote_is_named_between_colons() {
        assert_eq!(emote_name(":party_Cat9:"), Some("party_Cat9"));
        for text in [
            "",
            ":",
            "::",
            ":a:",
            "cat",
            ":cat",
            ":c at:",
            ":<b>:",
            ":é1:",
            &format!(":{}:", "x".repeat(33)),
        ] {
            assert_eq!(emote_name(text), None, "{text:?}");
        }
    }
}
