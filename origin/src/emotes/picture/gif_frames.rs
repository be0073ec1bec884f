//! What the frames of a GIF say of themselves, before any is decoded: they may be larger than the picture.

const HEADER_LEN: usize = 13;
const TABLE_BIT: u8 = 0x80;
const EXTENSION: u8 = 0x21;
const FRAME: u8 = 0x2c;

/// Pixels of all frames together, up to the end of the file or to where it makes no sense any more.
pub(super) fn pixels(file: &[u8]) -> u64 {
    let mut blocks = Blocks(file);
    let mut pixels = 0;
    let screen = blocks.take(HEADER_LEN).map(|header| header[10]);
    if screen.and_then(|flags| blocks.skip_colours(flags)).is_none() {
        return 0;
    }
    while let Some(more) = blocks.next_frame() {
        pixels += more;
    }
    pixels
}

/// What is left of the file.
struct Blocks<'a>(&'a [u8]);

impl<'a> Blocks<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn skip_colours(&mut self, flags: u8) -> Option<()> {
        let len = if flags & TABLE_BIT == 0 {
            0
        } else {
            3 << ((flags & 7) + 1)
        };
        self.take(len).map(drop)
    }

    fn skip_parts(&mut self) -> Option<()> {
        while let len @ 1.. = self.take(1)?[0] {
            self.take(len.into())?;
        }
        Some(())
    }

    /// Pixels of the next frame. Of one that breaks off, too: it is decoded up to there.
    fn next_frame(&mut self) -> Option<u64> {
        loop {
            match self.take(1)?[0] {
                EXTENSION => {
                    self.take(1)?;
                    self.skip_parts()?;
                }
                FRAME => break,
                _ => return None,
            }
        }
        let place = self.take(9)?;
        let side = |at: usize| u64::from(u16::from_le_bytes([place[at], place[at + 1]]));
        let colours = self.skip_colours(place[8]);
        // One byte of the code's size comes before the parts.
        if colours
            .and_then(|()| self.take(1))
            .and_then(|_| self.skip_parts())
            .is_none()
        {
            self.0 = &[];
        }
        Some(side(4) * side(6))
    }
}
