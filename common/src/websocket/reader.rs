//! What a client sends, cut into messages and checked.

use bytes::{Buf, Bytes, BytesMut};

use super::{
    code,
    frame::{MAX_CONTROL_LEN, Opcode},
};

/// What came, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Text(String),
    Binary(Bytes),
    Ping(Bytes),
    Pong(Bytes),
    /// The client closes; `code` is what to answer with, `None` if it gave none.
    Close {
        code: Option<u16>,
    },
    /// A piece of a message that goes on. Nothing to do, but it counts as a frame.
    Fragment,
}

/// The client broke the protocol: close with `code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Violation {
    pub code: u16,
    pub reason: &'static str,
}

/// Reads one client's frames. Holds no more than one message, and of a frame that is not here yet what came of it.
#[derive(Debug)]
pub struct Reader {
    max_message: usize,
    /// Bytes that are no whole frame yet.
    buffer: BytesMut,
    /// Of a message in fragments.
    partial: Option<Partial>,
}

#[derive(Debug)]
struct Partial {
    is_text: bool,
    payload: Vec<u8>,
    /// So many bytes of it are known to be UTF-8.
    checked: usize,
}

struct Head {
    is_last: bool,
    opcode: Opcode,
    mask: [u8; 4],
    /// Of the head itself.
    len: usize,
    payload_len: usize,
}

impl Reader {
    /// Messages of at most `max_message` bytes are taken.
    pub fn new(max_message: usize) -> Self {
        Self {
            max_message,
            buffer: BytesMut::new(),
            partial: None,
        }
    }

    /// Takes the next bytes. Call [`Reader::next`] until it gives `None` after each call.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message or frame that is here.
    ///
    /// # Errors
    /// The client broke the protocol; nothing more is to be read from it.
    #[expect(clippy::should_implement_trait, reason = "an iterator would not go on after `None`")]
    pub fn next(&mut self) -> Result<Option<Message>, Violation> {
        let Some(head) = self.head()? else {
            self.rest();
            return Ok(None);
        };
        if self.buffer.len() < head.len + head.payload_len {
            self.buffer.reserve(head.len + head.payload_len - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(head.len);
        let mut payload = self.buffer.split_to(head.payload_len);
        unmask(&mut payload, head.mask);
        self.message(&head, &payload).map(Some)
    }

    /// An idle socket holds no buffer.
    fn rest(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    fn head(&self) -> Result<Option<Head>, Violation> {
        const MASKED: u8 = 0x80;
        let bytes = &self.buffer[..];
        let [first, second, ..] = *bytes else {
            return Ok(None);
        };
        if first & 0x70 != 0 {
            return Err(protocol("no extension was agreed on"));
        }
        let opcode = Opcode::from_bits(first & 0x0f).ok_or(protocol("the frame's kind is not known"))?;
        let is_last = first & 0x80 != 0;
        if second & MASKED == 0 {
            return Err(protocol("a client masks its frames"));
        }
        let short = usize::from(second & 0x7f);
        if opcode.is_control() && (short > MAX_CONTROL_LEN || !is_last) {
            return Err(protocol("a control frame is short and whole"));
        }
        let (extended, payload_len) = match short {
            126 => match bytes.get(2..4) {
                Some(len) => (2, u64::from(u16::from_be_bytes([len[0], len[1]]))),
                None => return Ok(None),
            },
            127 => match bytes.get(2..).and_then(<[u8]>::first_chunk::<8>) {
                Some(len) => (8, u64::from_be_bytes(*len)),
                None => return Ok(None),
            },
            short => (0, short as u64),
        };
        let held = self.partial.as_ref().map_or(0, |partial| partial.payload.len());
        let allowed = self
            .max_message
            .saturating_sub(if opcode.is_control() { 0 } else { held });
        let payload_len = usize::try_from(payload_len)
            .ok()
            .filter(|len| *len <= allowed || opcode.is_control());
        let payload_len = payload_len.ok_or(Violation {
            code: code::TOO_BIG,
            reason: "the message is too long",
        })?;
        let Some(mask) = bytes.get(2 + extended..).and_then(<[u8]>::first_chunk::<4>) else {
            return Ok(None);
        };
        Ok(Some(Head {
            is_last,
            opcode,
            mask: *mask,
            len: 2 + extended + 4,
            payload_len,
        }))
    }

    fn message(&mut self, head: &Head, payload: &[u8]) -> Result<Message, Violation> {
        match head.opcode {
            Opcode::Ping => Ok(Message::Ping(Bytes::copy_from_slice(payload))),
            Opcode::Pong => Ok(Message::Pong(Bytes::copy_from_slice(payload))),
            Opcode::Close => closed(payload),
            Opcode::Text | Opcode::Binary if self.partial.is_some() => {
                Err(protocol("a message began inside another one"))
            }
            Opcode::Continuation if self.partial.is_none() => Err(protocol("there is nothing to continue")),
            Opcode::Text | Opcode::Binary | Opcode::Continuation => self.data(head, payload),
        }
    }

    fn data(&mut self, head: &Head, payload: &[u8]) -> Result<Message, Violation> {
        let mut partial = self.partial.take().unwrap_or(Partial {
            is_text: head.opcode == Opcode::Text,
            payload: Vec::new(),
            checked: 0,
        });
        partial.payload.extend_from_slice(payload);
        if partial.is_text {
            partial.check(head.is_last)?;
        }
        if !head.is_last {
            self.partial = Some(partial);
            return Ok(Message::Fragment);
        }
        Ok(if partial.is_text {
            Message::Text(String::from_utf8(partial.payload).map_err(|_| NOT_UTF8)?)
        } else {
            Message::Binary(partial.payload.into())
        })
    }
}

impl Partial {
    /// Fails at the first byte that cannot be UTF-8, not only at the message's end.
    fn check(&mut self, is_last: bool) -> Result<(), Violation> {
        match std::str::from_utf8(&self.payload[self.checked..]) {
            Ok(_) => self.checked = self.payload.len(),
            Err(error) if error.error_len().is_some() || is_last => return Err(NOT_UTF8),
            Err(error) => self.checked += error.valid_up_to(),
        }
        Ok(())
    }
}

const NOT_UTF8: Violation = Violation {
    code: code::NOT_TEXT,
    reason: "the text is no UTF-8",
};

fn protocol(reason: &'static str) -> Violation {
    Violation {
        code: code::PROTOCOL,
        reason,
    }
}

fn closed(payload: &[u8]) -> Result<Message, Violation> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() {
            Ok(Message::Close { code: None })
        } else {
            Err(protocol("a close frame holds two bytes of code"))
        };
    };
    let code = u16::from_be_bytes(*code);
    // Those that may stand on the wire: RFC 6455 section 7.4, and what IANA added.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(protocol("the close code is none"));
    }
    std::str::from_utf8(reason).map_err(|_| NOT_UTF8)?;
    Ok(Message::Close { code: Some(code) })
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let (words, rest) = payload.as_chunks_mut::<4>();
    let word_mask = u32::from_ne_bytes(mask);
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ word_mask).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
