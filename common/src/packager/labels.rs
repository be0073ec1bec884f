//! What viewers choose a sound by: the host's word, else the publisher's, else its number.

use crate::{
    live::description::{is_language, is_name},
    media::access_unit::AudioTrackLabel,
};

/// The name of a first sound that nobody named.
const FIRST: &str = "main";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) name: String,
    /// BCP 47.
    pub(super) language: Option<String>,
}

/// Labels of sounds, by their numbers. Names are unique; a text that cannot stand in a playlist is passed over.
pub(super) fn labels(
    sounds: impl Iterator<Item = u8>,
    by_host: &[AudioTrackLabel],
    by_publisher: &[AudioTrackLabel],
) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    for index in sounds {
        let said = |labels: &[AudioTrackLabel]| labels.iter().find(|label| label.index == index).cloned();
        let (host, publisher) = (
            said(by_host).unwrap_or_default(),
            said(by_publisher).unwrap_or_default(),
        );
        let good_name = |name: Option<String>| name.map(|name| name.trim().to_owned()).filter(|name| is_name(name));
        let is_taken = |name: &str| labels.iter().any(|label| label.name == name);
        let numbered = || format!("Audio {}", u32::from(index) + 1);
        let named = good_name(host.name).or_else(|| good_name(publisher.name));
        let mut name = match named {
            Some(name) => name,
            None if index == 0 => FIRST.to_owned(),
            None => numbered(),
        };
        if is_taken(&name) {
            let longer = format!("{name} ({})", u32::from(index) + 1);
            name = if is_name(&longer) { longer } else { numbered() };
        }
        // Only a host who names a sound after another one's number comes here.
        while is_taken(&name) {
            name.insert(0, '+');
        }
        let good_language = |language: Option<String>| language.filter(|language| is_language(language));
        labels.push(Label {
            name,
            language: good_language(host.language).or_else(|| good_language(publisher.language)),
        });
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(index: u8, name: Option<&str>, language: Option<&str>) -> AudioTrackLabel {
        AudioTrackLabel {
            index,
            name: name.map(str::to_owned),
            language: language.map(str::to_owned),
        }
    }

    fn names(sounds: u8, host: &[AudioTrackLabel], publisher: &[AudioTrackLabel]) -> Vec<(String, Option<String>)> {
        let labels = labels(0..sounds, host, publisher);
        labels.into_iter().map(|label| (label.name, label.language)).collect()
    }

    fn read(labels: &[(String, Option<String>)]) -> Vec<(&str, Option<&str>)> {
        labels
            .iter()
            .map(|(name, language)| (&**name, language.as_deref()))
            .collect()
    }

    #[test]
    fn the_hosts_word_goes_before_the_publishers_and_both_before_numbers() {
        let host = [label(1, Some("English"), None)];
        let publisher = [label(0, Some("VF"), Some("fr")), label(1, Some("VO"), Some("en"))];
        assert_eq!(
            read(&names(3, &host, &publisher)),
            [("VF", Some("fr")), ("English", Some("en")), ("Audio 3", None)]
        );
        assert_eq!(read(&names(1, &[], &[])), [("main", None)]);
    }

    #[test]
    fn names_are_unique_and_can_stand_in_a_playlist() {
        let publisher = [
            label(0, Some("Film"), Some("not a language")),
            label(1, Some(" Film "), None),
            label(2, Some("a \"quoted\" one"), None),
            label(3, Some("Audio 3"), None),
        ];
        assert_eq!(
            read(&names(4, &[], &publisher)),
            [
                ("Film", None),
                ("Film (2)", None),
                ("Audio 3", None),
                ("Audio 3 (4)", None)
            ]
        );
    }
}
