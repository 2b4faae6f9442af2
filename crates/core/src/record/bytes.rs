//! Reads and writes the fields of a record's bytes.

use super::integrity_error::IntegrityError;
use crate::id::Id;
use crate::time::Timestamp;

/// Appends fields. Integers of variable size are LEB128, those of fixed size big-endian.
pub(super) struct Writer(pub(super) Vec<u8>);

/// Initial capacity: enough for most records, so that the buffer is not reallocated.
const ROOM: usize = 256;

impl Default for Writer {
    fn default() -> Self {
        Self(Vec::with_capacity(ROOM))
    }
}

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn fixed(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(super) fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.fixed(text.as_bytes());
    }

    pub(super) fn id(&mut self, id: Id) {
        self.fixed(&id.number().to_be_bytes());
    }

    pub(super) fn time(&mut self, time: Timestamp) {
        self.fixed(&time.nanos().to_be_bytes());
    }
}

/// Reads fields from the front. Every failure is [`IntegrityError::Body`].
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], IntegrityError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(IntegrityError::Body)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], IntegrityError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(IntegrityError::Body)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, IntegrityError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn number(&mut self) -> Result<u64, IntegrityError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            let shifted = part << shift;
            if shifted >> shift != part {
                break;
            }
            number |= shifted;
            if byte < 0x80 {
                // A most significant byte of 0 would be a second encoding of the number.
                let is_shortest = byte > 0 || shift == 0;
                return is_shortest.then_some(number).ok_or(IntegrityError::Body);
            }
        }
        Err(IntegrityError::Body)
    }

    /// Reads the count of a list. Each item takes at least one byte, so a count larger than the
    /// remaining bytes is invalid.
    pub(super) fn count(&mut self) -> Result<usize, IntegrityError> {
        let count = usize::try_from(self.number()?).map_err(|_| IntegrityError::Body)?;
        if count > self.0.len() {
            return Err(IntegrityError::Body);
        }
        Ok(count)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, IntegrityError> {
        let count = self.count()?;
        std::str::from_utf8(self.take(count)?).map_err(|_| IntegrityError::Body)
    }

    pub(super) fn id(&mut self) -> Result<Id, IntegrityError> {
        Id::new(u64::from_be_bytes(self.array()?)).ok_or(IntegrityError::Body)
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, IntegrityError> {
        Timestamp::from_nanos(u64::from_be_bytes(self.array()?)).ok_or(IntegrityError::Body)
    }

    pub(super) fn end(self) -> Result<(), IntegrityError> {
        self.0.is_empty().then_some(()).ok_or(IntegrityError::Body)
    }
}
