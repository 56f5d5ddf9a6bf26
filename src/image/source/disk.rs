//! A folder of evidence on disk. Everything below it is opened without following a link, never a device, a FIFO or a socket, and with
//! `O_NOATIME` where the kernel allows it.

use std::{
    fs::File,
    io::{self, Read as _},
    os::{
        fd::{AsFd, AsRawFd as _, OwnedFd},
        unix::fs::MetadataExt as _,
    },
};

use rustix::{
    fs::{self as sys, AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, Stat},
    io::Errno,
};

use crate::{fact::TreePath, surface::Flaw};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);
const HELD: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const PLAIN: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);
/// Longer paths are not opened: the kernel's own limit is near.
pub(in crate::image) const LONGEST: usize = 4000;
/// Names of one folder that are listed.
pub(in crate::image) const NAMES: usize = 1_000_000;
/// Their bytes.
const NAME_BYTES: usize = 64 << 20;

/// Whether a file system that is mounted below may be entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::image) enum Mounts {
    /// People keep a part of a store on a disk of its own.
    Enter,
    /// `EXDEV` for what another file system holds, which may be one of another machine.
    Refuse,
}

/// A folder and what is below it.
#[derive(Debug)]
pub(crate) struct Disk(OwnedFd);

impl Disk {
    pub(crate) fn new(folder: OwnedFd) -> Self {
        Self(folder)
    }

    /// A folder below; the root of it where the path is empty.
    pub(in crate::image) fn folder(&self, path: &[u8], mounts: Mounts) -> Result<OwnedFd, Errno> {
        folder(&self.0, path, mounts)
    }

    /// A regular file below.
    pub(in crate::image) fn file(&self, path: &[u8]) -> Result<File, Errno> {
        file(&self.0, path, Mounts::Enter)
    }

    /// Its device and its number there.
    pub(in crate::image) fn identity(&self) -> Option<(u64, u64)> {
        sys::fstat(&self.0).ok().map(|stat| (stat.st_dev, stat.st_ino))
    }

    /// Whether there is a folder of this name.
    ///
    /// # Errors
    /// Where that cannot be found out, or a link is in its place.
    pub(in crate::image) fn has_folder(&self, path: &[u8]) -> Result<bool, Errno> {
        match self.folder(path, Mounts::Enter) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// The whole of a regular file of at most `most` bytes; `None` where there is none.
    ///
    /// # Errors
    /// Where it cannot be read, is larger, or is no regular file.
    pub(crate) fn small(&self, path: &[u8], most: u64) -> Result<Option<Vec<u8>>, Flaw> {
        let file = match file(&self.0, path, Mounts::Enter) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(e) => return Err(Flaw::Io(e.into())),
        };
        if file.metadata()?.len() > most {
            return Err(Flaw::TooLarge(most));
        }
        let mut bytes = Vec::new();
        (&file).take(most).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Sorted names of a folder but `.` and `..`, and whether there are more; none where there is no such folder.
    ///
    /// # Errors
    /// Where it cannot be read, or is a file.
    pub(in crate::image) fn names(&self, path: &[u8]) -> Result<(Vec<Vec<u8>>, bool), Flaw> {
        let folder = match self.folder(path, Mounts::Enter) {
            Ok(folder) => folder,
            Err(Errno::NOENT) => return Ok((Vec::new(), false)),
            Err(Errno::NOTDIR) => return Err(Flaw::malformed("folder", "a file is in its place")),
            Err(e) => return Err(Flaw::Io(e.into())),
        };
        list(&folder, NAMES).map_err(|e| Flaw::Io(e.into()))
    }

    /// Sorted names of the folders in a folder, which may be closed to the reader, and whether there are more names than are looked at.
    ///
    /// # Errors
    /// Where it cannot be read, or is a link.
    pub(crate) fn folders(&self, path: &[u8]) -> Result<(Vec<Vec<u8>>, bool), Flaw> {
        let folder = match self.folder(path, Mounts::Enter) {
            Ok(folder) => folder,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok((Vec::new(), false)),
            Err(e) => return Err(Flaw::Io(e.into())),
        };
        let (mut names, more) = list(&folder, NAMES).map_err(io::Error::from)?;
        names.retain(|name| stat(&folder, name).is_ok_and(|stat| is(&stat, FileType::Directory)));
        Ok((names, more))
    }

    /// Where a link of this name leads, as it is written; `None` where it is no link.
    pub(crate) fn link(&self, name: &[u8]) -> Option<Vec<u8>> {
        sys::readlinkat(&self.0, name, Vec::new()).ok().map(|target| target.into_bytes())
    }
}

/// A folder below another, none of whose components may be a link: `LOOP` where one is.
pub(in crate::image) fn folder(root: &OwnedFd, path: &[u8], mounts: Mounts) -> Result<OwnedFd, Errno> {
    let path = checked(path)?;
    let open = |flags| sys::openat2(root.as_fd(), path, FOLDER | flags, Mode::empty(), how(mounts));
    let opened = match unless_refused(open) {
        Err(Errno::NOSYS) => stepwise(root, path, FOLDER, mounts),
        opened => opened,
    };
    // The kernel says the same of a link in the last place as of a file there.
    opened.map_err(|e| if e == Errno::NOTDIR && is_link(root, path) { Errno::LOOP } else { e })
}

/// A regular file below a folder. It is looked at before it is opened, since to open a device can do harm.
pub(in crate::image) fn file(root: &OwnedFd, path: &[u8], mounts: Mounts) -> Result<File, Errno> {
    let path = checked(path)?;
    let held = match again_after_a_race(|| sys::openat2(root.as_fd(), path, HELD, Mode::empty(), how(mounts))) {
        Err(Errno::NOSYS) => stepwise(root, path, HELD, mounts)?,
        opened => opened?,
    };
    reopened(&held)
}

/// Opens a held name, where it is a regular file: `LOOP` of a link, `NXIO` of anything else.
pub(super) fn reopened(held: &OwnedFd) -> Result<File, Errno> {
    match FileType::from_raw_mode(sys::fstat(held)?.st_mode) {
        FileType::RegularFile => {}
        FileType::Symlink => return Err(Errno::LOOP),
        _ => return Err(Errno::NXIO),
    }
    // The same file, whatever became of its name.
    let own = format!("/proc/self/fd/{}", held.as_raw_fd());
    match unless_refused(|flags| sys::open(own.as_str(), FILE | flags, Mode::empty())) {
        Err(Errno::NOENT) => Err(Errno::OPNOTSUPP),
        opened => opened.map(File::from),
    }
}

/// What a name of an open folder is, without following it and without mounting anything.
pub(in crate::image) fn stat(folder: &OwnedFd, name: &[u8]) -> Result<Stat, Errno> {
    sys::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT)
}

/// Whether a name is a link.
fn is_link(folder: &OwnedFd, name: &[u8]) -> bool {
    stat(folder, name).is_ok_and(|stat| is(&stat, FileType::Symlink))
}

fn is(stat: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind
}

/// Sorted names of an open folder but `.` and `..`, at most so many, and whether there are more.
pub(in crate::image) fn list(folder: &OwnedFd, most: usize) -> Result<(Vec<Vec<u8>>, bool), Errno> {
    let (mut names, mut buffer) = (Vec::new(), Vec::with_capacity(1 << 15));
    let mut listing = RawDir::new(folder, buffer.spare_capacity_mut());
    let (mut bytes, mut more) = (0_usize, false);
    while let Some(item) = listing.next() {
        let item = item?;
        let name = item.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        bytes = bytes.saturating_add(name.len());
        if names.len() >= most || bytes > NAME_BYTES {
            more = true;
            break;
        }
        names.push(name.to_vec());
    }
    names.sort_unstable();
    Ok((names, more))
}

/// How many bytes a file has in holes, where it is little else.
pub(in crate::image) fn holes(file: &File) -> io::Result<Option<u64>> {
    const MANY: u64 = 64 << 20;
    let meta = file.metadata()?;
    let stored = meta.blocks().saturating_mul(512);
    Ok(Some(meta.len().saturating_sub(stored)).filter(|_| meta.len() > MANY && stored < meta.len() / 16))
}

fn checked(path: &[u8]) -> Result<&[u8], Errno> {
    if path.len() > LONGEST {
        return Err(Errno::NAMETOOLONG);
    }
    if !TreePath::is_one(path) || path.contains(&0) {
        return Err(Errno::INVAL);
    }
    Ok(if path.is_empty() { b"." } else { path })
}

fn how(mounts: Mounts) -> ResolveFlags {
    match mounts {
        Mounts::Enter => PLAIN,
        Mounts::Refuse => PLAIN | ResolveFlags::NO_XDEV,
    }
}

/// What a path leads to, without any link, for kernels before 5.6.
pub(super) fn without_links(root: &OwnedFd, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    stepwise(root, checked(path)?, flags | OFlags::NOFOLLOW, Mounts::Enter)
}

/// For kernels before 5.6: one component at a time, none of which may be a link.
fn stepwise(root: &OwnedFd, path: &[u8], last: OFlags, mounts: Mounts) -> Result<OwnedFd, Errno> {
    let device = sys::fstat(root)?.st_dev;
    let mut at: Option<OwnedFd> = None;
    let mut names = path.split(|b| *b == b'/').filter(|name| !name.is_empty()).peekable();
    while let Some(name) = names.next() {
        let flags = if names.peek().is_some() { FOLDER } else { last };
        let from = at.as_ref().unwrap_or(root);
        let opened = unless_refused(|noatime| {
            let noatime = if flags.contains(OFlags::PATH) { OFlags::empty() } else { noatime };
            sys::openat(from, name, flags | noatime, Mode::empty())
        })?;
        if mounts == Mounts::Refuse && sys::fstat(&opened)?.st_dev != device {
            return Err(Errno::XDEV);
        }
        at = Some(opened);
    }
    at.ok_or(Errno::INVAL)
}

/// With `O_NOATIME`, and without it where the kernel refuses it to others than the owner.
pub(super) fn unless_refused(open: impl Fn(OFlags) -> Result<OwnedFd, Errno>) -> Result<OwnedFd, Errno> {
    match again_after_a_race(|| open(OFlags::NOATIME)) {
        Err(Errno::PERM) => again_after_a_race(|| open(OFlags::empty())),
        other => other,
    }
}

/// `openat2` answers `EAGAIN` when a rename raced with it.
pub(super) fn again_after_a_race(open: impl Fn() -> Result<OwnedFd, Errno>) -> Result<OwnedFd, Errno> {
    let mut tries = 0;
    loop {
        match open() {
            Err(Errno::AGAIN) if tries < 8 => tries += 1,
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "tests make their own inputs")]

    use std::{fs, os::unix::fs::symlink};

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn links_are_not_followed_by_old_kernels_either() {
        let (outer, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        fs::create_dir_all(outer.path().join("a/b")).unwrap();
        fs::write(outer.path().join("a/b/file"), "x").unwrap();
        fs::write(outside.path().join("file"), "x").unwrap();
        symlink(outside.path(), outer.path().join("a/out")).unwrap();
        symlink("file", outer.path().join("a/b/link")).unwrap();
        let root: OwnedFd = File::open(outer.path()).unwrap().into();
        let old = |path: &[u8]| stepwise(&root, checked(path)?, HELD, Mounts::Refuse).and_then(|held| reopened(&held));
        for path in ["a/b/file", "a/out/file", "a/b/link", "a/b", "a/nothing", "a/../a/b/file"] {
            let (new, old) = (file(&root, path.as_bytes(), Mounts::Refuse), old(path.as_bytes()));
            assert_eq!((new.is_ok(), old.is_ok()), (path == "a/b/file", path == "a/b/file"), "{path}");
        }
        let old = |path: &[u8]| stepwise(&root, checked(path)?, FOLDER, Mounts::Refuse);
        for (path, there) in [("a/b", true), ("", true), ("a/out", false), ("a/b/file", false), ("/a", true)] {
            assert_eq!(old(path.as_bytes()).is_ok(), there, "{path}");
        }
        let disk = Disk::new(root);
        assert_eq!(disk.names(b"a").unwrap(), (vec![b"b".to_vec(), b"out".to_vec()], false));
        assert!(disk.names(b"a/b/file").is_err() && disk.names(b"nothing").is_ok_and(|(names, _)| names.is_empty()));
        assert_eq!((disk.has_folder(b"a/b"), disk.has_folder(b"a/b/file")), (Ok(true), Ok(false)));
        assert!(disk.has_folder(b"a/out") == Err(Errno::LOOP) && disk.names(b"a/out").is_err());
        assert!(matches!(disk.small(b"a/b/file", 0), Err(Flaw::TooLarge(0))));
        assert!(disk.small(b"a/nothing", 9).unwrap().is_none() && disk.small(b"a/b", 9).is_err());
    }
}
