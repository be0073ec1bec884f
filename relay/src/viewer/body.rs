//! An answer's body made of shared pieces, sent without being copied together, and counted as it goes out.

use std::{
    collections::VecDeque,
    convert::Infallible,
    ops::Range,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::rooms::Rooms;

/// Pieces in order; together they are the body.
pub(super) struct RopeBody {
    pieces: VecDeque<Bytes>,
    /// Bytes still to be sent.
    left: u64,
    rooms: Arc<dyn Rooms>,
}

impl RopeBody {
    pub(super) fn new(pieces: impl IntoIterator<Item = Bytes>, rooms: Arc<dyn Rooms>) -> Self {
        let pieces: VecDeque<Bytes> = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        Self {
            left: length(&pieces),
            pieces,
            rooms,
        }
    }
}

/// Bytes of all pieces together.
pub(super) fn length<'a>(pieces: impl IntoIterator<Item = &'a Bytes>) -> u64 {
    pieces.into_iter().map(|piece| piece.len() as u64).sum()
}

/// The pieces of `range`, which must lie within them.
pub(super) fn slice(pieces: Vec<Bytes>, range: &Range<u64>) -> Vec<Bytes> {
    let mut start = 0;
    let mut sliced = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let end = start + piece.len() as u64;
        let (from, to) = (range.start.max(start), range.end.min(end));
        if from < to {
            // Both lie within the piece, whose length is a usize.
            sliced.push(piece.slice((from - start) as usize..(to - start) as usize));
        }
        start = end;
    }
    sliced
}

impl Body for RopeBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(piece) = self.pieces.pop_front() else {
            return Poll::Ready(None);
        };
        self.left -= piece.len() as u64;
        self.rooms.egress(piece.len() as u64);
        metrics::counter!("streamcircle_relay_egress_bytes_total").increment(piece.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_slice_of_pieces_is_the_slice_of_the_whole(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..6),
            bounds in any::<(u16, u16)>(),
        ) {
            let whole = pieces.concat();
            let at = |n: u16| usize::from(n) % (whole.len() + 1);
            let (from, to) = (at(bounds.0).min(at(bounds.1)), at(bounds.0).max(at(bounds.1)));
            let pieces = pieces.into_iter().map(Bytes::from).collect();
            let sliced = slice(pieces, &(from as u64..to as u64));
            prop_assert_eq!(sliced.concat(), &whole[from..to]);
        }
    }
}
