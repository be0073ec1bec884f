//! Lines of a playlist and attribute lists, read by the letter. On purpose not the code that writes them.

use crate::time::UnixMillis;

/// A line that says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// `#EXT…`, without the `#`, and what stands behind the colon.
    Tag {
        name: &'a str,
        value: &'a str,
    },
    Uri(&'a str),
}

/// All lines but blank ones and comments.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines()
        .filter(|line| !line.is_empty())
        .filter_map(|line| match line.strip_prefix('#') {
            None => Some(Line::Uri(line)),
            Some(tag) if tag.starts_with("EXT") => {
                let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
                Some(Line::Tag { name, value })
            }
            Some(_) => None,
        })
}

/// An attribute list, in order.
#[derive(Clone, Debug)]
pub(super) struct Attributes<'a>(Vec<(&'a str, Value<'a>)>);

#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Quoted(&'a str),
    Bare(&'a str),
}

impl<'a> Attributes<'a> {
    /// `None`: not an attribute list, or a name is there twice.
    pub(super) fn parse(mut text: &'a str) -> Option<Self> {
        let mut list: Vec<(&str, Value<'_>)> = Vec::new();
        while !text.is_empty() {
            let (name, rest) = text.split_once('=')?;
            let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
            if name.is_empty() || !name.bytes().all(is_name) || list.iter().any(|&(other, _)| other == name) {
                return None;
            }
            let (value, rest) = match rest.strip_prefix('"') {
                Some(quoted) => {
                    let (value, rest) = quoted.split_once('"')?;
                    (Value::Quoted(value), rest)
                }
                None => {
                    let end = rest.find(',').unwrap_or(rest.len());
                    let (value, rest) = rest.split_at(end);
                    if value.is_empty() || value.contains(['"', ' ']) {
                        return None;
                    }
                    (Value::Bare(value), rest)
                }
            };
            list.push((name, value));
            text = match rest.strip_prefix(',') {
                Some(more) if !more.is_empty() => more,
                None if rest.is_empty() => "",
                _ => return None,
            };
        }
        Some(Self(list))
    }

    fn value(&self, name: &str) -> Option<Value<'a>> {
        self.0
            .iter()
            .find(|&&(other, _)| other == name)
            .map(|&(_, value)| value)
    }

    pub(super) fn quoted(&self, name: &str) -> Option<&'a str> {
        match self.value(name)? {
            Value::Quoted(text) => Some(text),
            Value::Bare(_) => None,
        }
    }

    pub(super) fn bare(&self, name: &str) -> Option<&'a str> {
        match self.value(name)? {
            Value::Bare(text) => Some(text),
            Value::Quoted(_) => None,
        }
    }

    pub(super) fn is_yes(&self, name: &str) -> bool {
        self.bare(name) == Some("YES")
    }

    pub(super) fn integer(&self, name: &str) -> Option<u64> {
        integer(self.bare(name)?)
    }

    pub(super) fn micros(&self, name: &str) -> Option<u64> {
        micros(self.bare(name)?)
    }
}

/// A decimal integer.
pub(super) fn integer(text: &str) -> Option<u64> {
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_decimal { text.parse().ok() } else { None }
}

/// Seconds as a plain decimal, in microseconds; more than six decimals are cut off.
pub(super) fn micros(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let whole = integer(whole)?;
    integer(fraction)?;
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    whole.checked_mul(1_000_000)?.checked_add(integer(&digits)?)
}

/// An RFC 3339 time.
pub(super) fn date_time(text: &str) -> Option<UnixMillis> {
    let format = &time::format_description::well_known::Rfc3339;
    let at = time::OffsetDateTime::parse(text, format).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000)
        .ok()
        .map(UnixMillis)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn attribute_lists_are_read_by_the_letter() {
        let list = Attributes::parse("DURATION=0.5,URI=\"a,b=c\",INDEPENDENT=YES").unwrap();
        assert_eq!(list.micros("DURATION"), Some(500_000));
        assert_eq!(list.quoted("URI"), Some("a,b=c"));
        assert!(list.is_yes("INDEPENDENT"));
        assert_eq!(list.bare("URI"), None, "a quoted text is not an enumerated one");
        for text in ["A", "A=", "A=1,", "A=1,A=2", "a=1", "A=\"x", "A=\"x\"y", "A= 1"] {
            assert!(Attributes::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn decimals_and_times() {
        assert_eq!(micros("1.96266"), Some(1_962_660));
        assert_eq!(micros("6"), Some(6_000_000));
        assert_eq!([micros("-1"), micros("1."), micros(".5"), micros("1e3")], [None; 4]);
        assert_eq!(
            date_time("2026-11-22T10:00:00.007Z"),
            Some(UnixMillis(1_795_341_600_007))
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[#A-Z0-9=\",.:\n -]{0,80}") {
            for line in lines(&text) {
                if let Line::Tag { value, .. } = line {
                    let _ = Attributes::parse(value);
                    let _ = micros(value);
                }
            }
        }
    }
}
