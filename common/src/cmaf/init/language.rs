//! The language of a track: three letters in the media header, which every reader knows, and the whole tag beside them.

use bytes::{BufMut as _, BytesMut};

use super::{InitError, boxed};

/// ISO 639-2/T codes of languages that ISO 639-1 has two letters for; those that films are often dubbed in.
const THREE_LETTERS: [(&str, &str); 41] = [
    ("ar", "ara"),
    ("bg", "bul"),
    ("bn", "ben"),
    ("ca", "cat"),
    ("cs", "ces"),
    ("da", "dan"),
    ("de", "deu"),
    ("el", "ell"),
    ("en", "eng"),
    ("es", "spa"),
    ("et", "est"),
    ("eu", "eus"),
    ("fa", "fas"),
    ("fi", "fin"),
    ("fr", "fra"),
    ("he", "heb"),
    ("hi", "hin"),
    ("hr", "hrv"),
    ("hu", "hun"),
    ("id", "ind"),
    ("it", "ita"),
    ("ja", "jpn"),
    ("ko", "kor"),
    ("lt", "lit"),
    ("lv", "lav"),
    ("ms", "msa"),
    ("nb", "nob"),
    ("nl", "nld"),
    ("no", "nor"),
    ("pl", "pol"),
    ("pt", "por"),
    ("ro", "ron"),
    ("ru", "rus"),
    ("sk", "slk"),
    ("sl", "slv"),
    ("sr", "srp"),
    ("sv", "swe"),
    ("th", "tha"),
    ("tr", "tur"),
    ("uk", "ukr"),
    ("zh", "zho"),
];

/// What a media header says of a language, by its BCP 47 tag.
pub(super) fn three_letters(tag: Option<&str>) -> &str {
    const UNDETERMINED: &str = "und";
    let Some(language) = tag.and_then(|tag| tag.split('-').next()) else {
        return UNDETERMINED;
    };
    if language.len() == 3 && language.bytes().all(|letter| letter.is_ascii_lowercase()) {
        return language;
    }
    THREE_LETTERS
        .iter()
        .find(|(two, _)| two.eq_ignore_ascii_case(language))
        .map_or(UNDETERMINED, |(_, three)| three)
}

/// Writes an `elng` (ISO/IEC 14496-12 section 8.4.6).
pub(super) fn encode_tag(tag: &str, out: &mut BytesMut) -> Result<(), InitError> {
    boxed(out, b"elng", |out| {
        out.put_u32(0);
        out.put_slice(tag.as_bytes());
        out.put_u8(0);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_becomes_three_letters_where_they_are_known() {
        for (tag, letters) in [
            (None, "und"),
            (Some("fr-CA"), "fra"),
            (Some("EN"), "eng"),
            (Some("yue-HK"), "yue"),
            (Some("qx"), "und"),
            (Some(""), "und"),
        ] {
            assert_eq!(three_letters(tag), letters, "{tag:?}");
        }
    }
}
