//! What stands in a layer, one entry after the other, whatever holds it. One file a form.

mod folder;
mod tar;
mod whiteout;

use std::io::Read;

use jiff::Timestamp;

pub(super) use self::{
    folder::{Folder, Form, Lower, Split},
    tar::Members,
    whiteout::{MemberName, member_name},
};
use crate::surface::Flaw;

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    /// A file with holes, whose map of data is not read.
    Sparse,
    Dir,
    Symlink(Vec<u8>),
    HardLink(Vec<u8>),
    /// What lower layers have at this path is gone.
    Whiteout,
    /// What lower layers have in this folder is gone.
    Opaque,
    /// A device, a FIFO, a type of some vendor.
    Other,
}

/// One entry.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// As written, relative to the layer's root.
    pub(super) path: Vec<u8>,
    pub(super) kind: Kind,
    /// Bytes stored.
    pub(super) len: u64,
    pub(super) mtime: Option<Timestamp>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) mode: Option<u32>,
}

/// Reads one entry after the other.
pub(super) trait Entries {
    /// The next entry; what was left of the one before is passed over. Of two with one name the last counts.
    ///
    /// # Errors
    /// Where nothing behind it can be read.
    fn next(&mut self) -> Result<Option<Member>, Flaw>;

    /// The bytes of the file that `next` gave.
    fn body(&mut self) -> &mut dyn Read;

    /// What single entries could not be read, with why. Asked once, at the end.
    fn unread(&mut self) -> Vec<(Vec<u8>, Flaw)> {
        Vec::new()
    }
}
