//! A store on disk: files and folders below one folder, by their names. Nothing outside it is opened, whatever links it holds.

use std::{ffi::OsStr, fs::File, io::Read as _, os::fd::OwnedFd, os::unix::ffi::OsStrExt as _, sync::Arc};

use rustix::{
    fs::{self as sys, AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags},
    io::Errno,
};

use super::Content;
use crate::{
    fact::TreePath,
    image::{
        codec,
        input::{Section, open_below},
        manifest::JSON,
    },
    surface::Flaw,
};

/// Names of one folder that are looked at.
const NAMES: usize = 4_000_000;
const WHAT: &str = "store of images";

/// The folder of a store.
pub(super) struct Below {
    folder: OwnedFd,
}

impl Below {
    pub(super) fn new(folder: OwnedFd) -> Self {
        Self { folder }
    }

    /// The folder itself.
    pub(super) fn folder(&self) -> &OwnedFd {
        &self.folder
    }

    /// A folder below it, as a store of its own; `None` where there is none.
    pub(super) fn within(&self, name: &[u8]) -> Result<Option<Self>, Flaw> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let opened = match sys::openat2(&self.folder, name, flags, Mode::empty(), resolve) {
            Err(Errno::NOSYS) => sys::openat(&self.folder, name, flags | OFlags::NOFOLLOW, Mode::empty()),
            other => other,
        };
        match opened {
            Ok(folder) => Ok(Some(Self { folder })),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::NOTDIR) => Err(Flaw::malformed(WHAT, "a file in place of a folder")),
            Err(Errno::XDEV | Errno::LOOP) => Err(Flaw::Unsupported("a link that leads out of the store")),
            Err(e) => Err(Flaw::Io(e.into())),
        }
    }

    /// Whether there is a folder of this name.
    pub(super) fn has(&self, name: &[u8]) -> bool {
        self.within(name).is_ok_and(|found| found.is_some())
    }

    /// The names in it with what they are, in no order; a link is a link.
    pub(super) fn names(&self) -> Result<Vec<(Vec<u8>, FileType)>, Flaw> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.folder).map_err(|e| Flaw::Io(e.into()))? {
            let entry = entry.map_err(|e| Flaw::Io(e.into()))?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if names.len() >= NAMES {
                return Err(Flaw::malformed(WHAT, "a folder holds more names than are looked at"));
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                let stat = sys::statat(&self.folder, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW);
                kind = stat.map_or(kind, |s| FileType::from_raw_mode(s.st_mode));
            }
            names.push((name.to_vec(), kind));
        }
        Ok(names)
    }

    /// The size of a regular file that is no link.
    pub(super) fn size(&self, name: &[u8]) -> Option<u64> {
        let stat = sys::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        u64::try_from(stat.st_size).ok().filter(|_| is_file)
    }

    /// A regular file and its size; `None` where there is none.
    pub(super) fn file(&self, name: &[u8]) -> Result<Option<(File, u64)>, Flaw> {
        Ok(open_below(&self.folder, name)?)
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
