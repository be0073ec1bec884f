use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;

use super::*;
use crate::{
    auth::Role,
    time::UnixMillis,
    wire::chat::{ChatMessage, RefusalCode},
};

/// The examples whose names start so, with their names.
fn examples(prefix: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/json/chat"));
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = files.map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    named.filter(|(name, _)| name.starts_with(prefix)).collect()
}

fn types(examples: &[(String, String)]) -> BTreeSet<String> {
    let kind = |text: &str| {
        serde_json::from_str::<Value>(text).unwrap()["type"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    examples.iter().map(|(_, text)| kind(text)).collect()
}

#[test]
fn every_example_of_a_browser_is_read_and_written_the_same() {
    let examples = examples("client-");
    for (name, text) in &examples {
        let read = ClientMessage::read(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(text).unwrap(), "{name}");
    }
    let all = "say react delete timeout ban unban pin slowMode lock renew ping";
    assert_eq!(types(&examples), all.split(' ').map(str::to_owned).collect());
}

#[test]
fn every_example_for_a_browser_is_read_and_written_the_same() {
    let examples = examples("server-");
    for (name, text) in &examples {
        let read: ServerMessage = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let written = read.to_text();
        assert!(written.starts_with(r#"{"type":""#), "{name}: the type stands first");
        assert_eq!(
            serde_json::from_str::<Value>(&written).unwrap(),
            serde_json::from_str::<Value>(text).unwrap(),
            "{name}"
        );
    }
    let all = "hello message deleted reaction reactions presence room stream token notice kicked pong error";
    assert_eq!(types(&examples), all.split(' ').map(str::to_owned).collect());
}

#[test]
fn what_says_nothing_is_told_why() {
    let say = |id: &str| format!(r#"{{"type":"say","text":"x","clientId":"{id}"}}"#);
    for (text, code, client_id) in [
        ("", RefusalCode::Malformed, None),
        ("[1]", RefusalCode::Malformed, None),
        ("{\"type\":\"say\"", RefusalCode::Malformed, None),
        (r#"{"text":"no type"}"#, RefusalCode::Malformed, None),
        (r#"{"type":1}"#, RefusalCode::Malformed, None),
        (
            r#"{"type":"dance","clientId":"a"}"#,
            RefusalCode::UnknownType,
            Some("a"),
        ),
        (r#"{"type":"say","clientId":"a"}"#, RefusalCode::Malformed, Some("a")),
        (
            r#"{"type":"say","text":7,"clientId":"a"}"#,
            RefusalCode::Malformed,
            Some("a"),
        ),
        (
            r#"{"type":"say","text":"x","clientId":7}"#,
            RefusalCode::Malformed,
            None,
        ),
        (
            r#"{"type":"say","text":"\ud800","clientId":"a"}"#,
            RefusalCode::Malformed,
            Some("a"),
        ),
        (
            r#"{"type":"say","text":"x","clientId":"a","mediaTime":"yesterday"}"#,
            RefusalCode::Malformed,
            Some("a"),
        ),
        (
            r#"{"type":"timeout","viewerId":"v","seconds":-1}"#,
            RefusalCode::Malformed,
            None,
        ),
        (r#"{"type":"delete","messageId":1.5}"#, RefusalCode::Malformed, None),
        (r#"{"type":"pin"}"#, RefusalCode::Malformed, None),
        (r#"{"type":"ping","t0":"x"}"#, RefusalCode::Malformed, None),
        (r#"{"type":"ping","t0":1e999}"#, RefusalCode::Malformed, None),
        (&say(""), RefusalCode::Malformed, Some("")),
        (&say(&"x".repeat(65)), RefusalCode::Malformed, None),
        (
            &format!(r#"{{"type":"react","emoji":"{}"}}"#, "x".repeat(129)),
            RefusalCode::Malformed,
            None,
        ),
        (
            &format!(r#"{{"type":"delete","messageId":1,"reason":"{}"}}"#, "x".repeat(1001)),
            RefusalCode::Malformed,
            None,
        ),
        (&"[".repeat(8000), RefusalCode::Malformed, None),
    ] {
        let error = ClientMessage::read(text).unwrap_err();
        assert_eq!((error.code, error.client_id.as_deref()), (code, client_id), "{text}");
        assert!(!error.detail.is_empty() && error.detail.len() <= 160, "{text}");
    }
}

#[test]
fn a_pin_without_a_message_takes_the_pin_away_only_when_it_says_so() {
    for (id, message_id) in [("null", None), ("7", Some(7))] {
        let read = ClientMessage::read(&format!(r#"{{"type":"pin","messageId":{id}}}"#));
        assert_eq!(read, Ok(ClientMessage::Pin { message_id }));
    }
}

#[test]
fn keys_that_are_not_known_and_other_forms_of_time_are_taken() {
    let text =
        r#"{"clientId":"a","new":{"deep":[1]},"mediaTime":"2026-11-22T21:15:04.25+01:00","text":"x","type":"say"}"#;
    let read = ClientMessage::read(text).unwrap();
    let media_time = Some(UnixMillis(1_795_378_504_250));
    assert!(matches!(read, ClientMessage::Say { media_time: at, .. } if at == media_time));
}

#[test]
fn a_client_id_is_for_its_sender_alone() {
    let message = ChatMessage {
        id: 7,
        viewer_id: "v1".into(),
        nickname: "Zoë".into(),
        role: Role::Viewer,
        text: "<script>".into(),
        sent_at: UnixMillis(0),
        media_time: None,
        reply_to: None,
        mentions: Vec::new(),
        client_id: "c1".into(),
    };
    assert_eq!(Message::for_viewer(&message, "v1").client_id.as_deref(), Some("c1"));
    assert_eq!(Message::for_viewer(&message, "v2").client_id, None);
    let forgotten = ChatMessage {
        client_id: String::new(),
        ..message
    };
    assert_eq!(Message::for_viewer(&forgotten, "v1").client_id, None);
}
