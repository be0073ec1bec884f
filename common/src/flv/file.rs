//! Tags out of an FLV file that is still being written, as ffmpeg pipes one (FLV 10.1 annex E.2 and E.3).

use bytes::{Buf as _, Bytes, BytesMut};

use super::tag::{Tag, TagKind};

/// Signature, version, flags, offset of the body, and the size of a tag that is not there.
const FILE_HEADER: usize = 13;
const TAG_HEADER: usize = 11;
/// The tag's size once more, behind it.
const TRAILER: usize = 4;

const AUDIO: u8 = 8;
const VIDEO: u8 = 9;
const SCRIPT: u8 = 18;

/// What was read is no FLV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no FLV file")]
pub struct NotFlv;

/// Takes a file piece by piece. A tag is at most 16 MiB, which its 24 bits of length hold; nothing longer is kept.
#[derive(Debug, Default)]
pub struct FileReader {
    buffer: BytesMut,
    began: bool,
}

impl FileReader {
    /// Where the file's next bytes are put.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next whole tag. To be called until nothing comes before more is read.
    ///
    /// # Errors
    /// The file does not begin as one, or what follows is no tag: nothing can be read from here on.
    pub fn next_tag(&mut self) -> Result<Option<Tag>, NotFlv> {
        if !self.began {
            if self.buffer.len() < FILE_HEADER {
                return Ok(None);
            }
            if !self.buffer.starts_with(b"FLV") {
                return Err(NotFlv);
            }
            self.buffer.advance(FILE_HEADER);
            self.began = true;
        }
        let Some(header) = self.buffer.first_chunk::<TAG_HEADER>() else {
            return Ok(None);
        };
        let [kind, size @ .., _, _, _, _, _, _, _] = header;
        let kind = match kind & 0x1f {
            AUDIO => TagKind::Audio,
            VIDEO => TagKind::Video,
            SCRIPT => TagKind::Script,
            _ => return Err(NotFlv),
        };
        let size = u32::from_be_bytes([0, size[0], size[1], size[2]]) as usize;
        // The highest byte comes last.
        let timestamp_ms = u32::from_be_bytes([header[7], header[4], header[5], header[6]]);
        let whole = TAG_HEADER + size + TRAILER;
        if self.buffer.len() < whole {
            self.buffer.reserve(whole - self.buffer.len());
            return Ok(None);
        }
        let body: Bytes = self
            .buffer
            .split_to(whole)
            .freeze()
            .slice(TAG_HEADER..TAG_HEADER + size);
        Ok(Some(Tag {
            kind,
            timestamp_ms,
            body,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"FLV\x01\x01\0\0\0\x09\0\0\0\0\
        \x09\0\0\x03\x00\x00\x28\x7f\0\0\0\x27\x01\x02\0\0\0\x0e\
        \x12\0\0\x01\x00\x00\x29\x00\0\0\0\xaa\0\0\0\x0c";

    fn read(pieces: impl Iterator<Item = &'static [u8]>) -> Result<Vec<(TagKind, u32, Vec<u8>)>, NotFlv> {
        let mut reader = FileReader::default();
        let mut tags = Vec::new();
        for piece in pieces {
            reader.buffer().extend_from_slice(piece);
            while let Some(tag) = reader.next_tag()? {
                tags.push((tag.kind, tag.timestamp_ms, tag.body.to_vec()));
            }
        }
        Ok(tags)
    }

    #[test]
    fn tags_come_whole_however_the_file_is_cut() {
        let expected = vec![
            (TagKind::Video, 0x7f00_0028, vec![0x27, 1, 2]),
            (TagKind::Script, 0x29, vec![0xaa]),
        ];
        for size in [1, 7, 14, FILE.len()] {
            assert_eq!(read(FILE.chunks(size)), Ok(expected.clone()), "pieces of {size} bytes");
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        assert_eq!(read(std::iter::once(&b"ffmpeg: bad news"[..])), Err(NotFlv));
        assert_eq!(read([&FILE[..13], &[1; 20]].into_iter()), Err(NotFlv));
    }
}
