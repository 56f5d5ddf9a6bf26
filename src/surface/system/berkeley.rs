//! The values of a hash of Berkeley DB, as rpm kept its packages in until 2020.
//!
//! ```text
//! page 0      at 12 the magic 0x61561, which says the order of bytes; at 20 the size of a page; at 32 the last page
//! each page   at 16 the next page, 20 entries, 22 bytes of an overflow page, 25 its type; from 26 offsets of two bytes
//! type 2, 13  entries of a hash, a key and its value by turns, from the end of the page down
//! entry       1: the bytes; 3: a chain of overflow pages, at 4 the first, at 8 the bytes of all
//! type 7      an overflow page; its bytes are from 26 on
//! ```
//!
//! Pages are read one after another, not by their keys. Documented in rpm's source, `lib/backend/bdb_ro.c`.

use std::io::{Read as _, SeekFrom};

use crate::{
    surface::{Flaw, Opened},
    tree::body::ReadSeek,
};

const WHAT: &str = "database of rpm";
const MAGIC: u32 = 0x0006_1561;
/// Of one value; longer ones end here.
const VALUE: usize = 16 << 20;
/// Of a file: a machine with five thousand packages has a fifth.
const FILE: u64 = 2 << 30;
/// The key of no package, and keys themselves, have fewer.
const LEAST: usize = 24;
/// Of a page before its entries.
const HEAD: usize = 26;

/// Hands on each value of a size that packages have; `each` answers whether it is one.
///
/// # Errors
/// Where the file is no such database, is cut or damaged: values before that are handed on.
pub fn packages(file: &mut Opened<'_, '_>, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Flaw> {
    let mut pages = Pages::new(file.seekable()?)?;
    let (mut page, mut broken) = (Vec::new(), false);
    for number in 1..=pages.last {
        pages.read(number, &mut page)?;
        if !matches!(page.get(25), Some(2 | 13)) {
            continue;
        }
        let entries = usize::from(pages.u16(&page, 20).unwrap_or_default());
        let mut end = page.len();
        for entry in 0..entries {
            let at = pages.u16(&page, HEAD + 2 * entry).map(usize::from);
            let Some(bytes) = at.and_then(|at| page.get(at..end)) else {
                broken = true;
                break;
            };
            end -= bytes.len();
            // Keys stand at even places.
            if entry % 2 == 0 {
                continue;
            }
            match bytes {
                [1, value @ ..] if value.len() >= LEAST => broken |= !each(value),
                [3, ..] => match (pages.u32(bytes, 4), pages.u32(bytes, 8)) {
                    (Some(first), Some(length)) => match pages.chain(first, length)? {
                        Some(value) => broken |= !each(&value),
                        None => broken = true,
                    },
                    _ => broken = true,
                },
                _ => {}
            }
        }
    }
    if broken { Err(Flaw::malformed(WHAT, "a header in it is damaged")) } else { Ok(()) }
}

struct Pages<'f> {
    file: Box<dyn ReadSeek + 'f>,
    /// Bytes of a page.
    size: usize,
    /// The number of the last one.
    last: u32,
    /// Numbers have the high byte first.
    big: bool,
    /// Overflow pages that may still be read: each belongs to one value.
    chained: u32,
}

impl<'f> Pages<'f> {
    fn new(mut file: Box<dyn ReadSeek + 'f>) -> Result<Self, Flaw> {
        let mut head = Vec::new();
        file.by_ref().take(512).read_to_end(&mut head)?;
        let magic = head.get(12..16).and_then(|m| <[u8; 4]>::try_from(m).ok()).ok_or(Flaw::Truncated(WHAT))?;
        let big = match (u32::from_le_bytes(magic), u32::from_be_bytes(magic)) {
            (MAGIC, _) => false,
            (_, MAGIC) => true,
            _ => return Err(Flaw::malformed(WHAT, "it is no hash of Berkeley DB")),
        };
        let mut pages = Self { file, size: 0, last: 0, big, chained: 0 };
        let size = pages.u32(&head, 20).and_then(|size| usize::try_from(size).ok());
        pages.size = size
            .filter(|s| s.is_power_of_two() && (512..=65_536).contains(s))
            .ok_or(Flaw::malformed(WHAT, "no size of a page"))?;
        pages.last = pages.u32(&head, 32).ok_or(Flaw::Truncated(WHAT))?;
        pages.chained = pages.last;
        let whole = u64::try_from(pages.size).unwrap_or(u64::MAX).saturating_mul(pages.last.into());
        if whole > FILE { Err(Flaw::TooLarge(FILE)) } else { Ok(pages) }
    }

    fn read(&mut self, number: u32, into: &mut Vec<u8>) -> Result<(), Flaw> {
        let size = u64::try_from(self.size).unwrap_or(u64::MAX);
        self.file.seek(SeekFrom::Start(u64::from(number).saturating_mul(size)))?;
        into.clear();
        self.file.by_ref().take(size).read_to_end(into)?;
        if into.len() == self.size { Ok(()) } else { Err(Flaw::Truncated(WHAT)) }
    }

    /// The bytes of a chain; `None` where it does not hold together.
    fn chain(&mut self, first: u32, length: u32) -> Result<Option<Vec<u8>>, Flaw> {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(VALUE);
        let (mut value, mut page, mut next) = (Vec::new(), Vec::new(), first);
        while value.len() < length {
            let Some(left) = self.chained.checked_sub(1).filter(|_| (1..=self.last).contains(&next)) else {
                return Ok(None);
            };
            self.chained = left;
            self.read(next, &mut page)?;
            let bytes = self.u16(&page, 22).map(usize::from).filter(|n| *n > 0 && page.get(25) == Some(&7));
            let Some(bytes) = bytes.and_then(|n| page.get(HEAD..HEAD + n)) else {
                return Ok(None);
            };
            value.extend_from_slice(bytes.get(..length - value.len()).unwrap_or(bytes));
            next = self.u32(&page, 16).unwrap_or_default();
        }
        Ok(Some(value))
    }

    fn u16(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let two = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    }

    fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    }
}
