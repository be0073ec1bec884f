use proptest::prelude::*;

use super::*;

const MASK: [u8; 4] = [7, 0xa5, 0, 0xff];

/// A client's frame; `first` holds the last-frame bit and the kind.
fn client(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..=125 => bytes.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0x80 | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<Message>, Violation> {
    let mut reader = Reader::new(8192);
    reader.push(bytes);
    let mut messages = Vec::new();
    while let Some(message) = reader.next()? {
        messages.push(message);
    }
    Ok(messages)
}

fn code_of(bytes: &[u8]) -> u16 {
    read(bytes).unwrap_err().code
}

#[test]
fn a_ping_may_come_between_the_fragments_of_a_text() {
    let bytes = [client(0x01, b"h\xc3"), client(0x89, b"?"), client(0x80, b"\xa9!")].concat();
    let messages = [
        Message::Fragment,
        Message::Ping(Bytes::from_static(b"?")),
        Message::Text("hé!".into()),
    ];
    assert_eq!(read(&bytes), Ok(messages.into()));
}

#[test]
fn what_breaks_the_protocol_is_named() {
    let unmasked = [0x81, 1, b'x'];
    assert_eq!(code_of(&unmasked), code::PROTOCOL);
    for first in [0xc1, 0x83, 0x8b, 0x09, 0x80] {
        assert_eq!(code_of(&client(first, b"x")), code::PROTOCOL, "{first:x}");
    }
    assert_eq!(code_of(&client(0x89, &[0; 126])), code::PROTOCOL);
    assert_eq!(
        code_of(&[client(0x01, b"a"), client(0x81, b"b")].concat()),
        code::PROTOCOL
    );
    assert_eq!(code_of(&client(0x88, b"x")), code::PROTOCOL);
    assert_eq!(code_of(&client(0x88, &1005_u16.to_be_bytes())), code::PROTOCOL);
    assert_eq!(code_of(&client(0x88, b"\x03\xe8\xff")), code::NOT_TEXT);
}

#[test]
fn a_message_above_the_cap_is_refused_by_its_head_alone() {
    let whole = client(0x81, &[b'x'; 8192]);
    assert!(read(&whole).is_ok());
    assert_eq!(code_of(&client(0x81, &[b'x'; 8193])[..8]), code::TOO_BIG);
    let endless = [0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(code_of(&endless), code::TOO_BIG);
    let pieces = [client(0x01, &[b'x'; 8000]), client(0x80, &[b'x'; 193])].concat();
    assert_eq!(code_of(&pieces), code::TOO_BIG);
}

#[test]
fn text_that_cannot_become_utf_8_fails_before_its_end() {
    assert_eq!(code_of(&client(0x81, b"\xff")), code::NOT_TEXT);
    assert_eq!(code_of(&client(0x01, b"\xed\xa0\x80")), code::NOT_TEXT);
    assert_eq!(code_of(&client(0x81, b"\xc3")), code::NOT_TEXT);
    assert!(read(&client(0x01, b"\xc3")).is_ok());
}

#[test]
fn a_close_says_what_to_answer_with() {
    let close = |payload: &[u8]| read(&client(0x88, payload)).unwrap().remove(0);
    assert_eq!(close(b""), Message::Close { code: None });
    assert_eq!(close(b"\x0f\xa0bye"), Message::Close { code: Some(4000) });
}

proptest! {
    #[test]
    fn what_was_sent_is_read_however_it_is_cut(
        texts in prop::collection::vec("\\PC{0,90}", 1..6),
        cuts in prop::collection::vec(1..40_usize, 1..40),
    ) {
        let bytes: Vec<u8> = texts.iter().flat_map(|text| client(0x81, text.as_bytes())).collect();
        let mut reader = Reader::new(8192);
        let (mut read, mut at) = (Vec::new(), 0);
        for cut in cuts.iter().cycle() {
            let end = (at + cut).min(bytes.len());
            reader.push(&bytes[at..end]);
            while let Some(message) = reader.next().unwrap() {
                read.push(message);
            }
            at = end;
            if at == bytes.len() {
                break;
            }
        }
        prop_assert_eq!(read, texts.into_iter().map(Message::Text).collect::<Vec<_>>());
        prop_assert_eq!(reader.buffer.capacity(), 0);
    }

    #[test]
    fn nothing_makes_it_panic_or_hold_more_than_a_message(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..30),
    ) {
        let mut reader = Reader::new(1000);
        'pieces: for piece in pieces {
            reader.push(&piece);
            loop {
                match reader.next() {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(_) => break 'pieces,
                }
            }
            prop_assert!(reader.buffer.len() <= 1000 + 14);
        }
    }
}
