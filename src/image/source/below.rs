//! A store on disk: files and folders below one folder, by their names. Nothing outside it is opened, whatever links it holds.

use std::{
    fs::File,
    io::{self, Read as _},
    os::fd::OwnedFd,
    sync::Arc,
};

use rustix::{
    fs::{FileType, RawDir},
    io::Errno,
};

use super::{
    Content,
    disk::{self, Mounts},
};
use crate::{
    fact::TreePath,
    image::{codec, input::Section, manifest::JSON},
    stop,
    surface::Flaw,
};

/// Names of one folder that are looked at.
const NAMES: usize = 4_000_000;
/// Their bytes, and those of the paths of folders that wait to be looked into.
const NAME_BYTES: usize = 256 << 20;
/// What a path costs beside its bytes.
const EACH: usize = 24;
const WHAT: &str = "store of images";

/// The folder of a store. No link in it is followed.
pub(super) struct Below {
    folder: OwnedFd,
}

impl Below {
    pub(super) fn new(folder: OwnedFd) -> Self {
        Self { folder }
    }

    /// The folder itself.
    pub(super) fn into_folder(self) -> OwnedFd {
        self.folder
    }

    /// The same folder, for what outlives this.
    pub(super) fn again(&self) -> Result<Self, Flaw> {
        Ok(Self { folder: self.folder.try_clone()? })
    }

    /// A folder below it, or itself by an empty name; `None` where there is none.
    pub(super) fn within(&self, name: &[u8]) -> Result<Option<Self>, Flaw> {
        match disk::folder(&self.folder, name, Mounts::Enter) {
            Ok(folder) => Ok(Some(Self { folder })),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::NOTDIR) => Err(Flaw::malformed(WHAT, "a file in place of a folder")),
            Err(Errno::XDEV | Errno::LOOP) => Err(Flaw::Unsupported("a link in a store of images")),
            Err(e) => Err(Flaw::Io(e.into())),
        }
    }

    /// The same, and `None` of what is no folder at all, such as a file.
    pub(super) fn folder_within(&self, name: &[u8]) -> Result<Option<Self>, Flaw> {
        match self.within(name) {
            Err(Flaw::Malformed { .. }) => Ok(None),
            found => found,
        }
    }

    /// Whether there is a folder of this name.
    ///
    /// # Errors
    /// Where that cannot be found out, or a link is in its place.
    pub(super) fn has(&self, name: &[u8]) -> Result<bool, Flaw> {
        self.folder_within(name).map(|found| found.is_some())
    }

    /// A folder on the file system of this one.
    ///
    /// # Errors
    /// `XDEV` where another one is mounted there.
    pub(super) fn own(&self, name: &[u8]) -> Result<Self, Errno> {
        disk::folder(&self.folder, name, Mounts::Refuse).map(Self::new)
    }

    /// The names in it with what they are, in no order; a link is a link. Can be asked for once.
    pub(super) fn names(&self) -> Result<Vec<(Vec<u8>, FileType)>, Flaw> {
        let (mut names, mut buffer) = (Vec::new(), Vec::with_capacity(1 << 15));
        let mut listing = RawDir::new(&self.folder, buffer.spare_capacity_mut());
        let mut bytes = 0_usize;
        while let Some(entry) = listing.next() {
            let entry = entry.map_err(|e| Flaw::Io(e.into()))?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            bytes = bytes.saturating_add(name.len());
            if names.len() >= NAMES || bytes > NAME_BYTES {
                return Err(Flaw::malformed(WHAT, "a folder holds more names than are looked at"));
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                let stat = disk::stat(&self.folder, name);
                kind = stat.map_or(kind, |s| FileType::from_raw_mode(s.st_mode));
            }
            names.push((name.to_vec(), kind));
        }
        Ok(names)
    }

    /// The size of a regular file that is no link.
    pub(super) fn size(&self, name: &[u8]) -> Option<u64> {
        let stat = disk::stat(&self.folder, name).ok()?;
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        u64::try_from(stat.st_size).ok().filter(|_| is_file)
    }

    /// A regular file and its size; `None` where there is none.
    pub(super) fn file(&self, name: &[u8]) -> Result<Option<(File, u64)>, Flaw> {
        match disk::file(&self.folder, name, Mounts::Enter) {
            Ok(file) => {
                let len = file.metadata()?.len();
                Ok(Some((file, len)))
            }
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(Errno::LOOP | Errno::XDEV) => Err(Flaw::Unsupported("a link in a store of images")),
            Err(Errno::NXIO) => Err(Flaw::malformed(WHAT, "not a file")),
            Err(e) => Err(Flaw::Io(io::Error::from(e))),
        }
    }

    /// The whole of a file that is no longer than `limit` bytes.
    pub(super) fn text(&self, name: &[u8], limit: u64) -> Result<Option<Vec<u8>>, Flaw> {
        let Some((file, len)) = self.file(name)? else {
            return Ok(None);
        };
        if len > limit {
            return Err(Flaw::TooLarge(limit));
        }
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes).map_err(|e| codec::flaw(e, WHAT))?;
        Ok(Some(bytes))
    }

    /// The whole of a file that may be JSON.
    pub(super) fn small(&self, name: &[u8]) -> Result<Option<Vec<u8>>, Flaw> {
        self.text(name, JSON)
    }

    /// The bytes of a blob.
    pub(super) fn blob(&self, name: &TreePath) -> Result<Content<'static>, Flaw> {
        let (file, len) = self.file(name.as_bytes())?.ok_or_else(|| Flaw::malformed(WHAT, "a blob is missing"))?;
        Ok(Content::Blob(Box::new(Section::new(Arc::new(file), 0, len))))
    }
}

/// Folders that wait to be looked into, by their paths.
pub(super) struct Folders {
    waiting: Vec<Vec<u8>>,
    /// Bytes of paths that still fit.
    left: usize,
    full: bool,
}

impl Folders {
    /// Starts with this one.
    pub(super) fn new(top: &[u8]) -> Self {
        Self { waiting: vec![top.to_vec()], left: NAME_BYTES, full: false }
    }

    /// The next one; `None` too where the user wishes to end.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        let next = self.waiting.pop().filter(|_| !stop::requested())?;
        self.left = self.left.saturating_add(next.len()).saturating_add(EACH);
        Some(next)
    }

    /// Adds one, where it fits.
    pub(super) fn add(&mut self, path: Vec<u8>) {
        match self.left.checked_sub(path.len().saturating_add(EACH)) {
            Some(left) => {
                self.left = left;
                self.waiting.push(path);
            }
            None => self.full = true,
        }
    }

    /// What is wrong where some did not fit.
    pub(super) fn flaw(&self) -> Option<Flaw> {
        self.full.then(|| Flaw::malformed(WHAT, "it has more folders than are looked into"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_wait_have_a_bound() {
        let mut folders = Folders { left: 100, ..Folders::new(b"top") };
        (0..100).for_each(|_| folders.add(b"0123456789".to_vec()));
        assert_eq!((folders.waiting.len(), folders.flaw().is_some()), (3, true));
        (0..3).for_each(|_| assert!(folders.next().is_some()));
        assert!(folders.next().is_none() && Folders::new(b"").flaw().is_none());
    }
}
