//! What a room does not let viewers write: web addresses, and words its host blocked.

use unicode_normalization::UnicodeNormalization;

use super::looks::looks;

/// Most blocked words of a room that count.
pub const MAX_BLOCKED_WORDS: usize = 500;

/// Who may write web addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkPolicy {
    #[default]
    Everyone,
    Moderators,
}

/// Why a text may not be said here. Not which word it was: that would teach how to write round it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("only moderators may write web addresses here")]
    Link,
    #[error("a word in it is not wanted here")]
    BlockedWord,
}

/// A room's rules for text.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    links: LinkPolicy,
    /// By their looks.
    blocked: Vec<String>,
}

impl Policy {
    /// Blocked words beyond [`MAX_BLOCKED_WORDS`] are left out.
    pub fn new(links: LinkPolicy, blocked_words: &[String]) -> Self {
        let blocked = blocked_words
            .iter()
            .map(|word| looks(word))
            .filter(|word| !word.is_empty());
        Self {
            links,
            blocked: blocked.take(MAX_BLOCKED_WORDS).collect(),
        }
    }

    /// Whether a viewer may say the text.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, text: &str) -> Result<(), PolicyError> {
        if self.links == LinkPolicy::Moderators && holds_link(text) {
            return Err(PolicyError::Link);
        }
        if !self.blocked.is_empty() {
            let text = looks(text);
            if self.blocked.iter().any(|word| holds_word(&text, word)) {
                return Err(PolicyError::BlockedWord);
            }
        }
        Ok(())
    }
}

/// Whether `word` stands in `text` with no letter or digit on either side, where its script parts words at all.
fn holds_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        is_edge(before, word.chars().next()) && is_edge(word.chars().next_back(), after)
    })
}

fn is_edge(left: Option<char>, right: Option<char>) -> bool {
    let (Some(left), Some(right)) = (left, right) else {
        return true;
    };
    !(left.is_alphanumeric() && right.is_alphanumeric()) || is_unspaced(left) || is_unspaced(right)
}

/// Letters of scripts that put no space between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3040}'..='\u{30FF}')
        || matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Whether something in the text would be taken for a web address. Errs towards letting a sentence without a space after its
/// full stop pass: `fine.no` is a word and no country, `fine.no/x` is an address.
pub fn holds_link(text: &str) -> bool {
    let plain: String = text
        .nfkc()
        .map(|c| if c == '\u{3002}' { '.' } else { c })
        .flat_map(char::to_lowercase)
        .collect();
    plain.contains("://") || plain.split(is_between_words).any(is_address)
}

fn is_between_words(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '"' | '\'' | ',' | ';' | '|' | '@'
        )
}

fn is_address(word: &str) -> bool {
    let host_end = word.find(['/', ':', '?', '#']).unwrap_or(word.len());
    let (host, rest) = word.split_at(host_end);
    // A full stop or an exclamation mark after the address is the sentence's.
    let host = host.trim_matches(|c: char| !c.is_alphanumeric());
    let labels: Vec<&str> = host.split('.').collect();
    let is_host = labels.len() >= 2
        && labels
            .iter()
            .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'));
    let Some(top) = labels.last().filter(|_| is_host) else {
        return false;
    };
    let goes_on = rest.len() > 1;
    if labels.iter().all(|label| label.parse::<u8>().is_ok()) {
        return labels.len() == 4 && goes_on;
    }
    let could_be_top = top.chars().count() >= 2 && (top.chars().all(char::is_alphabetic) || top.starts_with("xn--"));
    could_be_top && (goes_on || labels[0] == "www" || top.starts_with("xn--") || TOP_LEVELS.contains(top))
}

/// Top-level domains that are taken for an address also when nothing follows; none is a common word of a sentence.
const TOP_LEVELS: [&str; 60] = [
    "app", "art", "biz", "blog", "br", "bz", "ca", "cam", "cc", "ch", "click", "club", "cn", "co", "com", "cz", "de",
    "dev", "edu", "eu", "fm", "fr", "fun", "gg", "gl", "gov", "ink", "info", "io", "jp", "link", "live", "ly", "mil",
    "moe", "mov", "net", "nl", "nu", "online", "org", "pl", "porn", "pw", "ru", "sex", "shop", "site", "space",
    "store", "stream", "su", "tk", "top", "tv", "uk", "vip", "xxx", "xyz", "zip",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_however_they_are_written() {
        for text in [
            "https://example.com/x",
            "see HTTP://EXAMPLE",
            "www.example.org",
            "example.com",
            "go to (example.co.uk).",
            "youtu.be/abc",
            "t.me/x",
            "bit。ly/x",
            "ｅｘａｍｐｌｅ．ｃｏｍ",
            "10.0.0.1:8080",
            "10.0.0.1/x",
            "xn--bcher-kva.example/x",
            "bücher.de",
            "Example.Com!",
            "a,example.com,b",
            "mail@example.com",
            "rtmp://x",
        ] {
            assert!(holds_link(text), "{text}");
        }
    }

    #[test]
    fn sentences_are_no_addresses() {
        for text in [
            "hello",
            "fine.no way",
            "e.g. this",
            "wait...what",
            "1.5 or 2.0",
            "version 1.2.3.4",
            "and/or",
            "12:30",
            "a.b",
            "...",
            "so.is it",
            "it's 3.30pm",
            "./configure",
            "@ann hi",
            "J.R.R. Tolkien",
            "",
        ] {
            assert!(!holds_link(text), "{text}");
        }
    }

    #[test]
    fn addresses_pass_where_everyone_may_write_them() {
        assert_eq!(Policy::default().check("https://example.com"), Ok(()));
        let strict = Policy::new(LinkPolicy::Moderators, &[]);
        assert_eq!(strict.check("https://example.com"), Err(PolicyError::Link));
    }

    #[test]
    fn blocked_words_are_found_in_any_case_and_disguise_but_not_inside_others() {
        let policy = Policy::new(
            LinkPolicy::Everyone,
            &["ass".to_owned(), "Bad Idea".to_owned(), "坏".to_owned(), " ".to_owned()],
        );
        for text in ["ASS", "you ass!", "а\u{200B}ss", "ａｓｓ", "a bad  idea", "很坏的"] {
            assert_eq!(policy.check(text), Err(PolicyError::BlockedWord), "{text}");
        }
        for text in ["class", "assume", "bad", "idea", "好"] {
            assert_eq!(policy.check(text), Ok(()), "{text}");
        }
    }
}
