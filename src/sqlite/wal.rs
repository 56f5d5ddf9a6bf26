//! The log of pages beside a database: newer pages, which count where their salts are those of the log, the checksum runs on, and a
//! commit follows.

use std::collections::HashMap;

use super::{SqliteError, record::be32};

const HEADER: usize = 32;
const FRAME: usize = 24;

/// A log; empty where there is none.
#[derive(Debug, Default)]
pub struct Wal<'b> {
    bytes: &'b [u8],
    page_size: Option<usize>,
    /// Where the newest copy of each page begins.
    newest: HashMap<u32, usize>,
    /// Pages of the database after the last commit.
    pages: Option<u32>,
}

impl<'b> Wal<'b> {
    /// Looks through the frames. One that does not count ends the log, as it does for SQLite: what follows is left from before.
    ///
    /// # Errors
    /// Where the file is no log, or one of an unknown form.
    pub fn new(bytes: &'b [u8]) -> Result<Self, SqliteError> {
        // SQLite makes it empty, and empties it.
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let no_log = SqliteError::Malformed("the log is none");
        let word = |at| be32(bytes, at).ok_or(no_log);
        let big = match word(0)? {
            0x377f_0682 => false,
            0x377f_0683 => true,
            // Zeros: it was set back, and nothing was written since.
            0 if bytes.iter().all(|b| *b == 0) => return Ok(Self::default()),
            _ => return Err(no_log),
        };
        let page_size = match word(8)? {
            1 => 65536,
            size => usize::try_from(size).map_err(|_| no_log)?,
        };
        if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            return Err(no_log);
        }
        let salts = bytes.get(16..24).ok_or(no_log)?;
        let mut sum = checksum((0, 0), bytes.get(..24).unwrap_or_default(), big);
        if (word(24)?, word(28)?) != sum {
            // It was cut short while its header was written: none of it counts.
            return Ok(Self::default());
        }
        let mut wal = Self { bytes, page_size: Some(page_size), newest: HashMap::new(), pages: None };
        let mut since_commit = Vec::new();
        let mut at = HEADER;
        while let Some(frame) = at.checked_add(FRAME + page_size).and_then(|end| bytes.get(at..end)) {
            let (head, page) = frame.split_at_checked(FRAME).unwrap_or((frame, b""));
            sum = checksum(checksum(sum, head.get(..8).unwrap_or_default(), big), page, big);
            let stored = (be32(head, 16), be32(head, 20));
            if head.get(8..16) != Some(salts) || stored != (Some(sum.0), Some(sum.1)) {
                break;
            }
            since_commit.push((be32(head, 0).unwrap_or(0), at + FRAME));
            match be32(head, 4) {
                None | Some(0) => {}
                Some(pages) => {
                    wal.newest.extend(since_commit.drain(..));
                    wal.pages = Some(pages);
                }
            }
            at += frame.len();
        }
        Ok(wal)
    }

    /// In bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The newest copy of a page.
    pub fn page(&self, number: u32) -> Option<&'b [u8]> {
        let at = *self.newest.get(&number)?;
        self.bytes.get(at..at.checked_add(self.page_size?)?)
    }

    /// Of each page, where something counts.
    pub fn page_size(&self) -> Option<usize> {
        self.page_size.filter(|_| self.pages.is_some())
    }

    /// How many pages the database has, where a commit says so.
    pub fn pages(&self) -> Option<u32> {
        self.pages
    }
}

/// The running checksum of SQLite over pairs of words.
fn checksum(start: (u32, u32), bytes: &[u8], big: bool) -> (u32, u32) {
    let word = |w: &[u8]| {
        let w: [u8; 4] = w.try_into().unwrap_or_default();
        if big { u32::from_be_bytes(w) } else { u32::from_le_bytes(w) }
    };
    bytes.chunks_exact(8).fold(start, |(one, two), pair| {
        let (first, second) = pair.split_at_checked(4).unwrap_or_default();
        let one = one.wrapping_add(word(first)).wrapping_add(two);
        (one, two.wrapping_add(word(second)).wrapping_add(one))
    })
}
