//! Any text as a message, a name, a reaction: what passes is short, clean and passes again; nothing panics.

#![no_main]

use common::{
    auth::Role,
    chat::{
        emoji::{emote_name, unicode_emoji},
        looks::looks,
        mentions::{MAX_MENTIONS, mentions},
        names::NameBook,
        policy::{LinkPolicy, Policy},
        text::{MAX_CHARS, normalise},
    },
    time::Monotonic,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (name, blocked) = text.split_once('\n').unwrap_or((text, "darn"));
    if let Ok(said) = normalise(name) {
        assert!((1..=MAX_CHARS).contains(&said.chars().count()));
        assert!(!said.chars().any(char::is_control));
        assert_eq!(normalise(&said), Ok(said));
    }
    looks(text);
    emote_name(text);
    assert!(unicode_emoji(text).is_none_or(|emoji| unicode_emoji(emoji) == Some(emoji)));
    // Allowed or not: it is answered.
    let _ = Policy::new(LinkPolicy::Moderators, &[blocked.to_owned()]).check(text);
    let mut names = NameBook::default();
    let now = Monotonic::default();
    let first = names.claim(now, "first", Role::Viewer, name);
    let second = names.claim(now, "second", Role::Viewer, name);
    assert_eq!(
        (names.owner(&first), names.owner(&second)),
        (Some("first"), Some("second"))
    );
    assert!(mentions(text, &names).len() <= MAX_MENTIONS);
});
