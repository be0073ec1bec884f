//! Boxes and their fields (ISO/IEC 14496-12 section 4.2), with every read checked.

use bytes::Bytes;

use super::InspectError;

/// Most boxes looked at in one place.
const MAX_BOXES: usize = 4096;

/// `DecoderSpecificInfo` and the descriptors round it (ISO/IEC 14496-1 table 1).
const ES_DESCRIPTOR: u8 = 0x03;
const DECODER_CONFIG: u8 = 0x04;
const DECODER_SPECIFIC: u8 = 0x05;

pub(super) struct Box {
    pub(super) kind: [u8; 4],
    /// Where it begins within the bytes that were split.
    pub(super) offset: usize,
    pub(super) content: Bytes,
}

impl Box {
    fn name(&self) -> String {
        self.kind.escape_ascii().to_string()
    }
}

/// Splits bytes into boxes that fill them.
pub(super) fn split(bytes: &Bytes) -> Result<Vec<Box>, InspectError> {
    let mut boxes = Vec::new();
    let mut offset = 0;
    while offset < bytes.len() {
        let rest = &bytes[offset..];
        let (Some(length), Some(kind)) = (
            rest.first_chunk::<4>(),
            rest.get(4..8).and_then(|k| k.first_chunk::<4>()),
        ) else {
            return Err(InspectError::BoxLength(
                rest.escape_ascii().take(16).map(char::from).collect(),
            ));
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length < 8 || length > rest.len() || boxes.len() == MAX_BOXES {
            return Err(InspectError::BoxLength(kind.escape_ascii().to_string()));
        }
        boxes.push(Box {
            kind: *kind,
            offset,
            content: bytes.slice(offset + 8..offset + length),
        });
        offset += length;
    }
    Ok(boxes)
}

/// The boxes within a box that has no fields.
pub(super) fn children(parent: &Box) -> Result<Vec<Box>, InspectError> {
    split(&parent.content)
}

/// The one box of a kind.
pub(super) fn only<'a>(boxes: &'a [Box], kind: &'static str) -> Result<&'a Box, InspectError> {
    let mut found = boxes.iter().filter(|b| b.kind == kind.as_bytes());
    match (found.next(), found.next()) {
        (Some(found), None) => Ok(found),
        (None, _) => Err(InspectError::Missing(kind)),
        (Some(_), Some(_)) => Err(InspectError::Repeated(kind)),
    }
}

/// Reads the fields of a box in order.
pub(super) struct Fields {
    kind: String,
    content: Bytes,
    at: usize,
    pub(super) version: u8,
    flags: u32,
}

impl Fields {
    pub(super) fn plain(parent: &Box) -> Self {
        Self {
            kind: parent.name(),
            content: parent.content.clone(),
            at: 0,
            version: 0,
            flags: 0,
        }
    }

    /// Of a full box: with version and flags.
    pub(super) fn full(parent: &Box) -> Result<Self, InspectError> {
        let mut fields = Self::plain(parent);
        let word = fields.u32()?;
        fields.version = (word >> 24) as u8;
        fields.flags = word & 0x00ff_ffff;
        Ok(fields)
    }

    pub(super) fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], InspectError> {
        let bytes = self
            .content
            .get(self.at..)
            .and_then(|rest| rest.first_chunk::<N>())
            .copied();
        let bytes = bytes.ok_or_else(|| InspectError::Truncated {
            kind: self.kind.clone(),
            at: self.at,
        })?;
        self.at += N;
        Ok(bytes)
    }

    pub(super) fn skip(&mut self, count: usize) -> Result<(), InspectError> {
        for _ in 0..count {
            self.take::<1>()?;
        }
        Ok(())
    }

    fn u8(&mut self) -> Result<u8, InspectError> {
        self.take::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, InspectError> {
        self.take().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, InspectError> {
        self.take().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, InspectError> {
        self.take().map(u64::from_be_bytes)
    }

    /// Passes over the creation and modification times of a header box.
    pub(super) fn skip_times(&mut self) -> Result<&mut Self, InspectError> {
        self.skip(if self.version == 1 { 16 } else { 8 })?;
        Ok(self)
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> Bytes {
        self.content.slice(self.at.min(self.content.len())..)
    }

    /// The `DecoderSpecificInfo` of an `esds`.
    pub(super) fn decoder_specific(mut self) -> Result<Bytes, InspectError> {
        self.descriptor(ES_DESCRIPTOR)?;
        self.skip(3)?;
        self.descriptor(DECODER_CONFIG)?;
        self.skip(13)?;
        let length = self.descriptor(DECODER_SPECIFIC)?;
        let end = self.at + length;
        if end > self.content.len() {
            return Err(InspectError::Truncated {
                kind: self.kind,
                at: self.at,
            });
        }
        Ok(self.content.slice(self.at..end))
    }

    /// Opens a descriptor and returns its length.
    fn descriptor(&mut self, tag: u8) -> Result<usize, InspectError> {
        if self.u8()? != tag {
            return Err(InspectError::Unexpected("descriptor"));
        }
        let mut length = 0;
        for _ in 0..4 {
            let byte = self.u8()?;
            length = (length << 7) | usize::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(length);
            }
        }
        Err(InspectError::Unexpected("descriptor length"))
    }
}
