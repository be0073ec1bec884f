//! A WebSocket client that sends any bytes, right or wrong, and reads frames as cheaply as can be.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

pub const CONTINUATION: u8 = 0x0;
pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;
pub const FIN: u8 = 0x80;

const MASK: [u8; 4] = [0x1f, 0x2e, 0x3d, 0x4c];
/// Room for what comes at once.
const READ: usize = 16 * 1024;

#[derive(Debug)]
pub struct RawSocket {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were taken already.
    taken: usize,
}

/// A frame within a buffer.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// FIN, reserved bits and opcode.
    pub head: u8,
    pub payload: &'a [u8],
}

impl Frame<'_> {
    pub fn opcode(&self) -> u8 {
        self.head & 0x0f
    }
}

/// The first frame of `bytes` if it is whole, and its length.
pub fn first_frame(bytes: &[u8]) -> Option<(Frame<'_>, usize)> {
    let (&head, &short) = (bytes.first()?, bytes.get(1)?);
    let (start, len) = match short & 0x7f {
        126 => (
            4usize,
            usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
        ),
        127 => (
            10,
            usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?,
        ),
        len => (2, usize::from(len)),
    };
    let end = start.checked_add(len)?;
    let payload = bytes.get(start..end)?;
    Some((Frame { head, payload }, end))
}

/// A masked frame as a client sends it.
pub fn client_frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = frame_head(head, payload.len(), 0x80);
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A frame without a mask, which no client may send.
pub fn unmasked_frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = frame_head(head, payload.len(), 0);
    frame.extend_from_slice(payload);
    frame
}

fn frame_head(head: u8, len: usize, mask_bit: u8) -> Vec<u8> {
    let mut frame = vec![head];
    match u16::try_from(len) {
        Ok(len @ 0..126) => frame.push(mask_bit | len as u8),
        Ok(len) => {
            frame.push(mask_bit | 126);
            frame.extend_from_slice(&len.to_be_bytes());
        }
        Err(_) => {
            frame.push(mask_bit | 127);
            frame.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    frame
}

impl RawSocket {
    /// Connects and shakes hands on `path`.
    pub async fn open(address: SocketAddr, path: &str, from: Ipv4Addr) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::V4(SocketAddrV4::new(from, 0)))?;
        let mut stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        let end = loop {
            if let Some(at) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut answer).await? == 0 {
                break answer.len();
            }
        };
        if !answer.starts_with(b"HTTP/1.1 101") {
            bail!("no socket: {}", String::from_utf8_lossy(&answer));
        }
        Ok(Self {
            stream,
            buffer: answer.split_off(end),
            taken: 0,
        })
    }

    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Sends what it takes without waiting.
    pub fn send_now(&self, bytes: &[u8]) -> Result<()> {
        let sent = self.stream.try_write(bytes).context("a full socket")?;
        if sent < bytes.len() {
            bail!("a full socket");
        }
        Ok(())
    }

    /// Waits for bytes and gives every whole frame to `each`; false at the end of the connection.
    pub async fn read_frames(&mut self, mut each: impl FnMut(Frame<'_>)) -> Result<bool> {
        let mut is_over = false;
        if self.taken == self.buffer.len() || first_frame(&self.buffer[self.taken..]).is_none() {
            self.buffer.drain(..self.taken);
            self.taken = 0;
            self.buffer.reserve(READ);
            is_over = self.stream.read_buf(&mut self.buffer).await? == 0;
        }
        while let Some((frame, len)) = first_frame(&self.buffer[self.taken..]) {
            each(frame);
            self.taken += len;
        }
        Ok(!is_over)
    }

    /// The next frame: first byte and payload; none at the end of the connection.
    pub async fn next(&mut self) -> Result<Option<(u8, Vec<u8>)>> {
        loop {
            if let Some((frame, len)) = first_frame(&self.buffer[self.taken..]) {
                let found = (frame.head, frame.payload.to_vec());
                self.taken += len;
                return Ok(Some(found));
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                // A peer that closes with bytes unread resets.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
