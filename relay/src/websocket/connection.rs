//! One socket's connection, read and written by one task.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use common::{
    time::Monotonic,
    websocket::{Message, Opcode, Reader, Violation, close_frame, frame},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use super::outbox::Outbox;

/// Read at once. On the stack, so that an idle socket has no buffer.
const READ_LEN: usize = 4096;
/// Chunks handed to one write.
const MAX_SLICES: usize = 32;
/// From when the outbox is closed: for the last frames to be taken, and for the peer to close its side.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What came from the peer.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    Message(Message),
    /// The peer broke the protocol: [`Connection::end`] with its code.
    Violation(Violation),
    /// The outbox was closed and is written, or the peer is gone: [`Connection::end`].
    Over,
}

/// Reads messages, writes what the outbox holds.
pub struct Connection<I> {
    io: I,
    reader: Reader,
    outbox: Arc<Outbox>,
    /// Taken from the outbox; the first may be written in part.
    writing: VecDeque<Bytes>,
    is_flushed: bool,
    is_blocked: bool,
    /// Since the outbox is closed: when it is over, whatever the peer takes.
    over: Option<Pin<Box<Sleep>>>,
    clock: fn() -> Monotonic,
}

impl<I: AsyncRead + AsyncWrite + Unpin> Connection<I> {
    /// Takes messages of at most `max_message` bytes.
    pub fn new(io: I, outbox: Arc<Outbox>, max_message: usize, clock: fn() -> Monotonic) -> Self {
        Self {
            io,
            reader: Reader::new(max_message),
            outbox,
            writing: VecDeque::new(),
            is_flushed: true,
            is_blocked: false,
            over: None,
            clock,
        }
    }

    /// The next that comes; meanwhile what is in the outbox is written. Pings are answered. May be dropped at any time.
    pub async fn next(&mut self) -> Received {
        poll_fn(|context| self.poll(context)).await
    }

    /// Answers the peer's close, or tells it of ours, and closes. Takes a while: the peer has to see it.
    pub async fn end(mut self, close: Option<(u16, &'static str)>) {
        let mut over = self.over.take().unwrap_or_else(last_words);
        let last = async {
            self.outbox
                .close(close.map_or_else(Bytes::new, |(code, reason)| close_frame(code, reason)));
            poll_fn(|context| self.poll_write(context)).await.ok()?;
            poll_fn(|context| Pin::new(&mut self.io).poll_shutdown(context))
                .await
                .ok()?;
            // Closed with bytes unread, the last frames might not arrive.
            while poll_fn(|context| self.poll_drain(context)).await.ok()? > 0 {}
            Some(())
        };
        tokio::select! {
            _ = last => {}
            () = &mut over => {}
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Received> {
        match self.poll_write(context) {
            Poll::Ready(_) => return Poll::Ready(Received::Over),
            Poll::Pending => {}
        }
        // A peer that does not read would keep the connection for as long as it likes.
        if self.outbox.is_closing() {
            let over = self.over.get_or_insert_with(last_words);
            if over.as_mut().poll(context).is_ready() {
                return Poll::Ready(Received::Over);
            }
        }
        loop {
            match self.reader.next() {
                Ok(Some(Message::Ping(payload))) => {
                    // One that does not take its pongs is dropped by whoever watches the outbox.
                    let _ = self.outbox.push([frame(Opcode::Pong, &payload)]);
                    return Poll::Ready(Received::Message(Message::Ping(payload)));
                }
                Ok(Some(message)) => return Poll::Ready(Received::Message(message)),
                Ok(None) => {}
                Err(violation) => return Poll::Ready(Received::Violation(violation)),
            }
            if !matches!(ready!(self.poll_read_in(context)), Ok(1..)) {
                return Poll::Ready(Received::Over);
            }
        }
    }

    /// Ready when nothing is left to be written and nothing will come, or it cannot be written.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbox.register(context.waker());
        loop {
            let is_last = self.writing.is_empty() && self.outbox.take(&mut self.writing);
            if self.writing.is_empty() {
                if !self.is_flushed {
                    ready!(Pin::new(&mut self.io).poll_flush(context))?;
                    self.is_flushed = true;
                }
                self.writing.shrink_to(MAX_SLICES);
                return if is_last { Poll::Ready(Ok(())) } else { Poll::Pending };
            }
            match self.poll_write_some(context) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => self.written(written),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.blocked();
                    return Poll::Pending;
                }
            }
        }
    }

    fn poll_write_some(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.is_flushed = false;
        let io = Pin::new(&mut self.io);
        if self.writing.len() == 1 || !io.is_write_vectored() {
            let first = self.writing.front().map_or(&[][..], |chunk| &chunk[..]);
            return io.poll_write(context, first);
        }
        let mut slices = [io::IoSlice::new(&[]); MAX_SLICES];
        let filled = self.writing.iter().take(MAX_SLICES).zip(&mut slices);
        let count = filled.map(|(chunk, slice)| *slice = io::IoSlice::new(chunk)).count();
        io.poll_write_vectored(context, &slices[..count])
    }

    fn written(&mut self, mut len: usize) {
        if self.is_blocked {
            self.is_blocked = false;
            self.outbox.blocked(None);
        }
        while let Some(first) = self.writing.front_mut() {
            if len < first.len() {
                first.advance(len);
                return;
            }
            len -= first.len();
            self.writing.pop_front();
        }
    }

    fn blocked(&mut self) {
        if !self.is_blocked {
            self.is_blocked = true;
            self.outbox.blocked(Some((self.clock)()));
        }
    }

    fn poll_read_in(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [const { MaybeUninit::uninit() }; READ_LEN];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.io).poll_read(context, &mut buffer))?;
        self.reader.push(buffer.filled());
        self.outbox.heard((self.clock)());
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Reads and throws away.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [const { MaybeUninit::uninit() }; READ_LEN];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.io).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

fn last_words() -> Pin<Box<Sleep>> {
    Box::pin(tokio::time::sleep(LAST_WORDS))
}
