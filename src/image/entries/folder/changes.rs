//! The folder of the copy below, next to one of a whole copy of a file system.

use std::os::fd::OwnedFd;

use rustix::{
    fs::{self as sys, Stat},
    io::Errno,
};

use crate::image::{
    entries::Kind,
    source::disk::{self, Mounts},
};

/// A folder of the copy below.
pub(super) struct Below {
    fd: OwnedFd,
    /// Sorted.
    names: Vec<Vec<u8>>,
}

/// What the copy below has under one name.
pub(super) struct Found<'b> {
    folder: &'b OwnedFd,
    name: Vec<u8>,
    stat: Option<Stat>,
}

impl Below {
    pub(super) fn top(root: &OwnedFd) -> Result<Self, Errno> {
        Self::listed(disk::folder(root, b"", Mounts::Refuse)?)
    }

    fn listed(fd: OwnedFd) -> Result<Self, Errno> {
        let (names, _) = disk::list(&fd, disk::NAMES)?;
        Ok(Self { fd, names })
    }

    /// The names that are not there any more. Asked once.
    pub(super) fn gone(&mut self, now: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let names = std::mem::take(&mut self.names);
        names.into_iter().filter(|name| now.binary_search(name).is_err()).collect()
    }

    pub(super) fn find(&self, name: &[u8]) -> Found<'_> {
        Found { folder: &self.fd, name: name.to_vec(), stat: disk::stat(&self.fd, name).ok() }
    }
}

impl Found<'_> {
    /// Whether something else stands here now, or it has another owner or mode.
    pub(super) fn differs(&self, now: &Stat, kind: &Kind) -> bool {
        let Some(then) = &self.stat else {
            return true;
        };
        let (was, is) = ((then.st_mode, then.st_uid, then.st_gid), (now.st_mode, now.st_uid, now.st_gid));
        let same_time = (then.st_mtime, then.st_mtime_nsec) == (now.st_mtime, now.st_mtime_nsec);
        was != is
            || match kind {
                Kind::Dir => false,
                Kind::Symlink(to) => sys::readlinkat(self.folder, self.name.as_slice(), Vec::new())
                    .map_or(true, |then| then.to_bytes() != to),
                Kind::File => then.st_size != now.st_size || !same_time,
                _ => then.st_rdev != now.st_rdev,
            }
    }

    /// The folder of this name; `None` where there is none.
    pub(super) fn folder(&self) -> Result<Option<Below>, Errno> {
        match disk::folder(self.folder, &self.name, Mounts::Refuse) {
            Ok(fd) => Below::listed(fd).map(Some),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(e) => Err(e),
        }
    }
}
