//! Single questions to a tree, by path, beside its walk.

use std::{fs::File, io, os::fd::AsFd as _};

use rustix::{fs as sys, io::Errno};

use super::{Body, Kind, host::Host, open};
use crate::{
    accounts::Access,
    fact::{TreePath, split},
};

/// The start of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// Its first bytes.
    pub bytes: Vec<u8>,
    /// Whether it goes on behind them.
    pub cut: bool,
}

impl Host {
    /// The start of a small file of the tree, links resolved inside it; `None` where it cannot be read.
    pub fn read(&self, path: &TreePath, limit: u64) -> Option<Start> {
        use io::Read as _;
        if self.is_far(path) {
            return None;
        }
        let path = &*self.locate(path);
        let name = split(path.written()).1;
        let folder = open::folder(self.root.as_fd(), &path.parent());
        let plain = folder.ok().filter(|(fd, _)| open::kind_of(fd.as_fd(), name) == Kind::File);
        let opened = match plain {
            Some((fd, _)) => open::file_no_follow(fd.as_fd(), name),
            None => self.follow(path),
        };
        let file = File::from(opened.ok()?.0);
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).ok()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let cut = bytes.len() > limit;
        bytes.truncate(limit);
        Some(Start { bytes, cut })
    }

    /// SHA-256 in hex and size in bytes of a file, by its path as reports show it; `None` where no regular file is there.
    ///
    /// # Errors
    /// Where there is one and it cannot be read.
    pub fn sha256_shown(&self, path: &TreePath) -> io::Result<Option<(String, u64)>> {
        let Some(below) = path.below(&self.prefix).and_then(TreePath::new) else {
            return Ok(None);
        };
        let fd = match self.follow(&below) {
            Ok((fd, _)) => fd,
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO | Errno::NOTDIR | Errno::XDEV) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let file = File::from(fd);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(None);
        }
        let sha256 = Body::host(&file, metadata.len()).sha256().map_err(io::Error::other)?;
        Ok(Some((sha256, metadata.len())))
    }

    /// Owner, group and permission bits of a folder, by its path as reports show it; `None` where none is there.
    pub fn access_shown(&self, path: &TreePath) -> Option<Access> {
        let below = if *path == self.prefix { b"".as_slice() } else { path.below(&self.prefix)? };
        let (fd, _) = open::folder(self.root.as_fd(), &self.locate(&TreePath::new(below)?)).ok()?;
        let stat = sys::fstat(fd).ok()?;
        Some(Access { uid: stat.st_uid, gid: stat.st_gid, mode: stat.st_mode & 0o7777 })
    }

    /// The folder that a path leads to, links resolved inside the tree.
    pub fn real(&self, path: &TreePath) -> Option<TreePath> {
        if self.is_far(path) {
            return None;
        }
        let found = open::real(self.root.as_fd(), self.locate(path).written(), self.links).ok()?;
        Some(self.folding.path(TreePath::new(found.below(&self.own)?)?))
    }

    /// The start of a file, by its path as reports show it.
    pub fn read_shown(&self, path: &TreePath, most: u64) -> Option<Start> {
        self.read(&path.below(&self.prefix).and_then(TreePath::new)?, most)
    }

    /// What a path leads to, as reports show it, links resolved inside the tree.
    pub fn real_of_any(&self, path: &TreePath) -> Option<TreePath> {
        let below = path.below(&self.prefix).and_then(TreePath::new)?;
        if self.is_far(&below) {
            return None;
        }
        let found = open::real_of_any(self.root.as_fd(), self.locate(&below).written(), self.links).ok()?;
        if found == self.own {
            return Some(self.prefix.clone());
        }
        Some(self.shown(&self.folding.path(TreePath::new(found.below(&self.own)?)?)))
    }

    /// Names of a folder of the tree, at most `most` of them; empty where it cannot be read.
    pub fn list(&self, path: &TreePath, most: usize) -> Vec<Vec<u8>> {
        let mut names = Vec::new();
        if !self.is_far(path)
            && let Ok((fd, _)) = open::folder(self.root.as_fd(), &self.locate(path))
        {
            let _ = open::each_name(&fd, &mut Vec::with_capacity(1 << 15), &mut |name, _| {
                names.push(name.to_vec());
                names.len() < most
            });
        }
        names
    }
}
