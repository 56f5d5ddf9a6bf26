//! How files and folders of a tree are opened: never through a link that leads out, never a device, a socket or a FIFO, and
//! without touching access times where the system allows it.

use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::{
    fs::{self as sys, AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, Stat},
    io::Errno,
};

use super::Kind;
use crate::fact::{TreePath, parent};

const DIR: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);
/// Folders deeper than this are a gap: the kernel's own limit on a path is near.
pub const MAX_PATH: usize = 4000;

/// A file or folder, and whether its access time is safe.
pub type Opened = (OwnedFd, bool);

/// A folder below `root`, none of whose components may be a link.
pub fn folder(root: BorrowedFd<'_>, path: &TreePath) -> Result<Opened, Errno> {
    let raw = path.written();
    if raw.len() > MAX_PATH {
        return Err(Errno::NAMETOOLONG);
    }
    let raw = if raw.is_empty() { b".".as_slice() } else { raw };
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::BENEATH;
    match unless_refused(|flags| sys::openat2(root, raw, DIR | flags, Mode::empty(), resolve)) {
        Err(Errno::NOSYS) => folder_stepwise(root, path),
        opened => opened,
    }
}

/// A folder of an open folder, by its name: no link.
pub fn folder_in(parent: BorrowedFd<'_>, name: &[u8]) -> Result<Opened, Errno> {
    unless_refused(|flags| sys::openat(parent, name, DIR | flags, Mode::empty()))
}

/// For kernels before 5.6: one component at a time, none of which may be a link.
fn folder_stepwise(root: BorrowedFd<'_>, path: &TreePath) -> Result<Opened, Errno> {
    let mut at: Option<Opened> = None;
    for name in path.written().split(|b| *b == b'/').filter(|c| !c.is_empty()) {
        let folder = at.as_ref().map_or(root, |(fd, _)| fd.as_fd());
        at = Some(folder_in(folder, name)?);
    }
    match at {
        Some(opened) => Ok(opened),
        None => folder_in(root, b"."),
    }
}

/// A file below `root` that may be a link, resolved as `links` says. What it leads to is looked at before it is opened, since
/// opening alone can do harm: a link to `/dev/watchdog` would restart the machine. `NXIO` where it is no regular file,
/// whatever `refuse` says where it gives an error.
pub fn file(
    root: BorrowedFd<'_>,
    path: &[u8],
    links: ResolveFlags,
    refuse: impl Fn(&Stat) -> Result<(), Errno>,
) -> Result<Opened, Errno> {
    let look = || sys::openat2(root, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), links | NO_MAGIC);
    let held = match again_after_a_race(look) {
        // A kernel before 5.6 cannot keep a link inside the root: only plain files are read there.
        Err(Errno::NOSYS) => {
            let (folder, _) = folder_stepwise(root, &TreePath::new(parent(path)).ok_or(Errno::INVAL)?)?;
            let name = path.rsplit(|b| *b == b'/').next().unwrap_or(path);
            return file_no_follow(folder.as_fd(), name).map_err(|e| if e == Errno::LOOP { Errno::XDEV } else { e });
        }
        held => held?,
    };
    let stat = sys::fstat(&held)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Errno::NXIO);
    }
    refuse(&stat)?;
    // The same file, whatever became of its name.
    let own = format!("/proc/self/fd/{}", held.as_raw_fd());
    match unless_refused(|flags| sys::open(own.as_str(), FILE | flags, Mode::empty())) {
        Err(Errno::NOENT) => Err(Errno::OPNOTSUPP),
        opened => opened,
    }
}

const NO_MAGIC: ResolveFlags = ResolveFlags::NO_MAGICLINKS;

/// The path of an open folder, from this process's root.
pub fn path_of(folder: BorrowedFd<'_>) -> Result<TreePath, Errno> {
    let own = format!("/proc/self/fd/{}", folder.as_raw_fd());
    let path = sys::readlink(own.as_str(), Vec::new())?;
    TreePath::new(path.as_bytes()).ok_or(Errno::INVAL)
}

/// The path of the folder that `path` leads to below `root`, from this process's root.
pub fn real(root: BorrowedFd<'_>, path: &[u8], links: ResolveFlags) -> Result<TreePath, Errno> {
    real_with(root, path, links, OFlags::DIRECTORY)
}

/// The same of whatever `path` leads to.
pub fn real_of_any(root: BorrowedFd<'_>, path: &[u8], links: ResolveFlags) -> Result<TreePath, Errno> {
    real_with(root, path, links, OFlags::empty())
}

fn real_with(root: BorrowedFd<'_>, path: &[u8], links: ResolveFlags, kind: OFlags) -> Result<TreePath, Errno> {
    let flags = OFlags::PATH | OFlags::CLOEXEC | kind;
    path_of(again_after_a_race(|| sys::openat2(root, path, flags, Mode::empty(), links | NO_MAGIC))?.as_fd())
}

/// Whether anything stands at a path below `root`, links resolved as `links` says.
pub fn is_there(root: BorrowedFd<'_>, path: &[u8], links: ResolveFlags) -> bool {
    let path = if path.is_empty() { b".".as_slice() } else { path };
    let flags = OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    again_after_a_race(|| sys::openat2(root, path, flags, Mode::empty(), links | NO_MAGIC)).is_ok()
}

/// A file of a folder that was no link when the folder was listed.
pub fn file_no_follow(folder: BorrowedFd<'_>, name: &[u8]) -> Result<Opened, Errno> {
    unless_refused(|flags| sys::openat(folder, name, FILE | OFlags::NOFOLLOW | flags, Mode::empty()))
}

/// With `O_NOATIME`, and without it where the kernel refuses it to others than the owner. Says whether it was kept.
fn unless_refused(open: impl Fn(OFlags) -> Result<OwnedFd, Errno>) -> Result<Opened, Errno> {
    match again_after_a_race(|| open(OFlags::NOATIME)) {
        Err(Errno::PERM) => open(OFlags::empty()).map(|fd| (fd, false)),
        other => other.map(|fd| (fd, true)),
    }
}

/// openat2 answers `EAGAIN` when a rename raced with the resolution of `..`.
fn again_after_a_race(open: impl Fn() -> Result<OwnedFd, Errno>) -> Result<OwnedFd, Errno> {
    let mut tries = 0;
    loop {
        match open() {
            Err(Errno::AGAIN) if tries < 8 => tries += 1,
            other => return other,
        }
    }
}

/// What a name of a folder is, without following it.
pub fn kind_of(folder: BorrowedFd<'_>, name: &[u8]) -> Kind {
    sys::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
        .map_or(Kind::Other, |stat| of_type(FileType::from_raw_mode(stat.st_mode)).unwrap_or(Kind::Other))
}

fn of_type(file_type: FileType) -> Option<Kind> {
    match file_type {
        FileType::RegularFile => Some(Kind::File),
        FileType::Directory => Some(Kind::Dir),
        FileType::Symlink => Some(Kind::Symlink),
        FileType::Unknown => None,
        _ => Some(Kind::Other),
    }
}

/// Calls `visit` for each name in a folder but `.` and `..` until it says that it wants no more; the kind is `None` where the file
/// system does not say.
pub fn each_name(
    fd: &OwnedFd,
    buffer: &mut Vec<u8>,
    visit: &mut dyn FnMut(&[u8], Option<Kind>) -> bool,
) -> Result<(), Errno> {
    let mut listing = RawDir::new(fd, buffer.spare_capacity_mut());
    while let Some(item) = listing.next() {
        let item = item?;
        let name = item.file_name().to_bytes();
        if name != b"." && name != b".." && !visit(name, of_type(item.file_type())) {
            break;
        }
    }
    Ok(())
}
