//! Any bytes on a viewer's socket: frames are cut and checked without holding more than a message, and a text that can be read as
//! a message of a browser is written and read again as the same.

#![no_main]

use common::{
    chat::json::{ClientMessage, ServerMessage},
    websocket::{Message, Reader},
};
use libfuzzer_sys::fuzz_target;

const MAX_MESSAGE: usize = 8 << 10;

fn check_text(text: &str) {
    match ClientMessage::read(text) {
        Ok(message) => {
            let written = serde_json::to_string(&message).expect("it was read");
            let again = ClientMessage::read(&written).expect("it was written");
            assert_eq!(again, message);
            let _ = message.into_act();
        }
        Err(error) => assert!(!error.detail.is_empty()),
    }
    if let Ok(message) = serde_json::from_str::<ServerMessage>(text) {
        let written = message.to_text();
        assert_eq!(serde_json::from_str::<ServerMessage>(&written).expect("it was written"), message);
    }
}

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        check_text(text);
    }
    let mut reader = Reader::new(MAX_MESSAGE);
    for piece in data.chunks(100) {
        reader.push(piece);
        loop {
            match reader.next() {
                Ok(Some(Message::Text(text))) => {
                    assert!(text.len() <= MAX_MESSAGE);
                    check_text(&text);
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
});
