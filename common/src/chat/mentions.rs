//! Who a text names with `@`.

use super::names::NameBook;
use crate::auth::nickname::MAX_NICKNAME_CHARS;

/// Most viewers that one message may name; further ones are text like any other.
pub const MAX_MENTIONS: usize = 16;

/// Most names that are looked up for one message, so that a text of `@` and spaces costs no more than another.
const MAX_LOOKUPS: usize = 64;

/// Ids of the viewers whose names stand behind an `@` at the start of a word, each once, in the order of the text. Where one
/// name begins with another, the longer one counts.
pub fn mentions(text: &str, names: &NameBook) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut lookups = 0;
    let mut before = None;
    for (at, c) in text.char_indices() {
        let starts_word = before.is_none_or(|before: char| !before.is_alphanumeric());
        before = Some(c);
        if c != '@' || !starts_word {
            continue;
        }
        let rest = &text[at + c.len_utf8()..];
        for end in name_ends(rest) {
            if found.len() == MAX_MENTIONS || lookups == MAX_LOOKUPS {
                return found;
            }
            lookups += 1;
            if let Some(viewer_id) = names.owner(&rest[..end]) {
                if !found.iter().any(|id| id == viewer_id) {
                    found.push(viewer_id.to_owned());
                }
                break;
            }
        }
    }
    found
}

/// Where a name that starts `rest` may end, the longest first: nowhere inside a word.
fn name_ends(rest: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    if rest.starts_with(char::is_whitespace) {
        return ends;
    }
    let mut chars = rest.char_indices().take(MAX_NICKNAME_CHARS).peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let ends_here = !c.is_whitespace() && next.is_none_or(|next| !(c.is_alphanumeric() && next.is_alphanumeric()));
        if ends_here {
            ends.push(at + c.len_utf8());
        }
    }
    ends.reverse();
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{auth::Role, time::Monotonic};

    fn book() -> NameBook {
        let mut book = NameBook::default();
        for (id, name) in [
            ("a", "Ann"),
            ("a2", "Ann"),
            ("b", "Bob"),
            ("j", "Jean-Luc P."),
            ("e", "🦊"),
            ("z", "李雷"),
        ] {
            book.claim(Monotonic::default(), id, Role::Viewer, name);
        }
        book
    }

    #[test]
    fn names_behind_an_at_are_found() {
        for (text, ids) in [
            ("@Ann hi", vec!["a"]),
            ("hi @ann!", vec!["a"]),
            ("@Ann 2, and @Ann", vec!["a2", "a"]),
            ("@bob @BOB (@Bob)", vec!["b"]),
            ("@Jean-Luc P. engage", vec!["j"]),
            ("@🦊 and @李雷", vec!["e", "z"]),
            ("@Annette, @Bobby, mail@bob, @ Ann, @", vec![]),
        ] {
            assert_eq!(mentions(text, &book()), ids, "{text}");
        }
    }

    #[test]
    fn a_text_full_of_at_signs_is_cheap() {
        assert_eq!(mentions(&"@x y z ".repeat(70), &book()), [""; 0]);
        let mut book = NameBook::default();
        for n in 0..40 {
            book.claim(Monotonic::default(), &n.to_string(), Role::Viewer, &format!("v{n}"));
        }
        let all: String = (0..40).map(|n| format!("@v{n}")).collect::<Vec<_>>().join(" ");
        assert!(mentions(&all, &book).len() <= MAX_MENTIONS);
    }
}
