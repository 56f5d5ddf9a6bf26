//! Databases of bbolt, read from a file that its owner may be writing. Nothing is opened as the owner would: bbolt itself takes a lock
//! and may rewrite the list of free pages.
//!
//! ```text
//! page 0, 1     the header, twice: a magic number, the page size, the root bucket, the number of the transaction, a checksum
//! others        branches (pages below), leaves (keys with values or buckets), lists of free pages
//! ```
//!
//! A page is never changed while the newest header leads to it: the two headers are written in turn, and the newer of those that are
//! whole counts. A bucket that fits is written within its value. Numbers are in the writer's byte order; only little endian is read.
//! Documented in bbolt's `internal/common`.

mod meta;
mod page;

use std::{
    collections::HashSet,
    fs::File,
    io::{self, ErrorKind},
    os::unix::fs::FileExt as _,
    rc::Rc,
};

use crate::stop;

use self::{
    meta::Meta,
    page::{Element, HEADER},
};

/// Buckets within buckets.
const BUCKETS: usize = 16;
/// Pages from the root of a bucket down to a leaf.
const DEPTH: usize = 32;
/// Bytes of one page with those that it runs on into.
const PAGE: u64 = 64 << 20;

/// Why a database cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BoltError {
    /// The medium fails.
    #[error("cannot read: {0}")]
    Io(io::Error),
    /// The bytes are not what the format says.
    #[error("{0}")]
    Malformed(&'static str),
    /// It ends before its last page.
    #[error("it ends too early")]
    Truncated,
    /// A page is larger than any that is read, in bytes.
    #[error("a page is larger than {0} bytes")]
    TooLarge(u64),
    /// Its owner finished a transaction meanwhile: what was read may be of two states. Reading it once more may succeed.
    #[error("it was written while it was read")]
    Changed,
}

impl From<io::Error> for BoltError {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::UnexpectedEof { Self::Truncated } else { Self::Io(error) }
    }
}

/// The names of the buckets that lead to a key, from the outermost.
pub type Path = [Rc<[u8]>];

/// Receives what a database holds.
pub trait Visit {
    /// Whether the bucket at this path is to be read.
    fn enter(&mut self, path: &Path) -> bool;

    /// A key and its value. Those before damage are handed on too.
    fn value(&mut self, path: &Path, key: &[u8], value: &[u8]);
}

/// An opened database.
#[derive(Debug)]
pub struct Database<'f> {
    file: &'f File,
    /// In bytes.
    len: u64,
    meta: Meta,
}

/// A page that is still to be read.
struct Waiting {
    page: u64,
    depth: usize,
    path: Rc<Path>,
}

impl<'f> Database<'f> {
    /// From a regular file of so many bytes.
    ///
    /// # Errors
    /// Where neither header is whole.
    pub fn new(file: &'f File, len: u64) -> Result<Self, BoltError> {
        Ok(Self { file, len, meta: meta::newest(file)? })
    }

    /// Hands on every key of the buckets that `visit` enters, each page once; the keys of a bucket in their order.
    ///
    /// # Errors
    /// Where it is damaged, or was written meanwhile.
    pub fn walk(&self, visit: &mut dyn Visit) -> Result<(), BoltError> {
        let outcome = self.pages(visit);
        match meta::newest(self.file) {
            Ok(now) if now.transaction == self.meta.transaction => outcome,
            Ok(_) => Err(BoltError::Changed),
            Err(error) => outcome.and(Err(error)),
        }
    }

    fn pages(&self, visit: &mut dyn Visit) -> Result<(), BoltError> {
        let mut waiting = vec![Waiting { page: self.meta.root, depth: 0, path: Rc::new([]) }];
        let most = usize::try_from(self.len / self.meta.page_size.max(1)).unwrap_or(usize::MAX);
        // No page is in two trees, and none runs on into another.
        let (mut met, mut left, mut bytes) = (HashSet::new(), self.len, Vec::new());
        while let Some(Waiting { page, depth, path }) = waiting.pop() {
            if !met.insert(page) {
                return Err(BoltError::Malformed("a page that is in two places"));
            }
            if depth >= DEPTH {
                return Err(BoltError::Malformed("a tree that is too deep"));
            }
            self.page(page, &mut left, &mut bytes)?;
            if stop::requested() {
                return Err(stop::ended().into());
            }
            let first = waiting.len();
            for element in page::elements(&bytes)? {
                // Each of them needs a page of its own.
                if waiting.len() > most {
                    return Err(BoltError::Malformed("more pages than there are"));
                }
                match element? {
                    Element::Below(page) => waiting.push(Waiting { page, depth: depth + 1, path: path.clone() }),
                    Element::Value(key, value) => visit.value(&path, key, value),
                    Element::Bucket(name, root) => {
                        let path = within(&path, name)?;
                        if visit.enter(&path) {
                            waiting.push(Waiting { page: root, depth: 0, path });
                        }
                    }
                    Element::Inline(name, content) => {
                        let path = within(&path, name)?;
                        if visit.enter(&path) {
                            inline(&path, content, visit)?;
                        }
                    }
                }
            }
            waiting.get_mut(first..).unwrap_or_default().reverse();
        }
        Ok(())
    }

    /// Reads a page with those that it runs on into; `left` is what of the file's bytes was not read yet.
    fn page(&self, number: u64, left: &mut u64, bytes: &mut Vec<u8>) -> Result<(), BoltError> {
        let at = number.checked_mul(self.meta.page_size).ok_or(BoltError::Truncated)?;
        let mut header = [0; HEADER];
        self.file.read_exact_at(&mut header, at)?;
        let more = page::runs_on(&header, number)?;
        if number.saturating_add(more) >= self.meta.pages {
            return Err(BoltError::Malformed("a page that does not exist"));
        }
        let len = more.saturating_add(1).saturating_mul(self.meta.page_size);
        if len > PAGE {
            return Err(BoltError::TooLarge(PAGE));
        }
        if at.saturating_add(len) > self.len {
            return Err(BoltError::Truncated);
        }
        *left = left.checked_sub(len).ok_or(BoltError::Malformed("pages that overlap"))?;
        bytes.resize(usize::try_from(len).unwrap_or(0), 0);
        Ok(self.file.read_exact_at(bytes, at)?)
    }
}

/// The keys of a bucket that is written within its value; those hold no others.
fn inline(path: &Path, content: &[u8], visit: &mut dyn Visit) -> Result<(), BoltError> {
    for element in page::elements(content)? {
        match element? {
            Element::Value(key, value) => visit.value(path, key, value),
            _ => return Err(BoltError::Malformed("a bucket within one that has no page")),
        }
    }
    Ok(())
}

fn within(path: &Path, name: &[u8]) -> Result<Rc<Path>, BoltError> {
    if path.len() >= BUCKETS {
        return Err(BoltError::Malformed("buckets are nested too deeply"));
    }
    Ok(path.iter().cloned().chain([name.into()]).collect())
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
