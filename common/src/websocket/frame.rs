//! Frames as a server sends them: whole, unmasked.

use bytes::{BufMut, Bytes, BytesMut};

/// Longest head of a frame that a server sends.
pub const MAX_HEAD_LEN: usize = 10;
/// Longest payload of a ping, pong or close.
pub const MAX_CONTROL_LEN: usize = 125;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    pub(super) fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// Appends a whole, last frame.
pub fn put_frame(out: &mut BytesMut, opcode: Opcode, payload: &[u8]) {
    const FIN: u8 = 0x80;
    out.reserve(MAX_HEAD_LEN + payload.len());
    out.put_u8(FIN | opcode as u8);
    match payload.len() {
        len @ 0..=125 => out.put_u8(len as u8),
        len @ 126..=0xffff => {
            out.put_u8(126);
            out.put_u16(len as u16);
        }
        len => {
            out.put_u8(127);
            out.put_u64(len as u64);
        }
    }
    out.put_slice(payload);
}

/// One frame.
pub fn frame(opcode: Opcode, payload: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    put_frame(&mut out, opcode, payload);
    out.freeze()
}

/// A close frame. `reason` is cut to what fits.
pub fn close_frame(code: u16, reason: &str) -> Bytes {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(&reason.as_bytes()[..reason.floor_char_boundary(MAX_CONTROL_LEN - 2)]);
    frame(Opcode::Close, &payload)
}
