//! WebSocket (RFC 6455) as a server speaks it, without extensions: bytes of a client in, messages out; frames for it.
//!
//! Sockets and time-outs are not here. What a client sends is checked as it comes: a frame without mask, a length above the cap,
//! a reserved bit, a broken fragment or text that is no UTF-8 ends the connection with the code that the standard names.

mod frame;
mod reader;

pub use self::{
    frame::{MAX_CONTROL_LEN, MAX_HEAD_LEN, Opcode, close_frame, frame, put_frame},
    reader::{Message, Reader, Violation},
};

/// Close codes (RFC 6455 section 7.4.1) that a server here gives by itself.
pub mod code {
    pub const NORMAL: u16 = 1000;
    pub const GOING_AWAY: u16 = 1001;
    pub const PROTOCOL: u16 = 1002;
    pub const NOT_TEXT: u16 = 1007;
    pub const POLICY: u16 = 1008;
    pub const TOO_BIG: u16 = 1009;
    pub const TRY_LATER: u16 = 1013;
}

/// What `Sec-WebSocket-Accept` answers is the SHA-1 of the key and this.
pub const ACCEPT_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
