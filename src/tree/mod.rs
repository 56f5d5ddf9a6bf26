//! Read-only views of things shaped like a file system, and what a visitor of one sees.

pub mod ask;
pub mod body;
mod folding;
mod front;
pub mod host;
pub mod mounts;
pub(crate) mod open;
mod queue;
pub mod spelling;
mod stat;
pub mod threads;

use jiff::Timestamp;

pub use body::Body;

use crate::{
    coverage::{Exclusion, Gap},
    fact::TreePath,
};

/// What a name in a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A device, socket or FIFO: never opened.
    Other,
}

/// One file, with what the tree knows of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where.
    pub path: TreePath,
    /// In bytes.
    pub len: u64,
    /// Last modification, UTC; `None` where unknown or out of range.
    pub mtime: Option<Timestamp>,
    /// Creation on this file system, UTC; `None` where it is not recorded.
    pub btime: Option<Timestamp>,
    /// Numeric owner.
    pub uid: Option<u32>,
    /// Numeric group.
    pub gid: Option<u32>,
    /// Permission bits.
    pub mode: Option<u32>,
}

/// What the entry of a file or link in its folder says; nothing of it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: Vec<u8>,
    /// Bytes, of a regular file; `None` of a link, and where the entry cannot be read.
    pub size: Option<u64>,
    /// Last change in seconds since 1970, UTC.
    pub changed: Option<i64>,
}

/// Who is shown what a tree holds. One visitor serves many threads.
pub trait Visit: Sync {
    /// What the visitor prepares once per folder, to answer quickly for each name in it.
    type Folder;

    /// A folder is about to be listed.
    fn folder(&self, path: &TreePath) -> Self::Folder;

    /// Whether to open this file, or what this link leads to, of that folder. Called once per name: must be cheap.
    fn wants(&self, folder: &Self::Folder, name: &[u8], kind: Kind) -> bool;

    /// The wanted names of a folder, once it is listed: those that the others make unwanted are to be taken out.
    fn sift(&self, _: &Self::Folder, _: &mut Vec<(Vec<u8>, Kind)>) {}

    /// Whether `listed` shall be called. It costs a system call per file.
    fn lists(&self) -> bool {
        false
    }

    /// Every file and link of a folder, with what its entry says.
    fn listed(&self, _folder: &TreePath, _files: Vec<Listed>) {}

    /// A wanted file. The body is valid during the call only.
    fn file(&self, entry: &Entry, body: &mut Body<'_>);

    /// Something could not be read.
    fn gap(&self, gap: Gap);

    /// Something was left out on purpose.
    fn exclude(&self, exclusion: Exclusion);

    /// Files and folders examined, added to the total.
    fn seen(&self, names: u64);

    /// A file or folder had to be opened in a way that may change its access time.
    fn atime_changed(&self);
}
