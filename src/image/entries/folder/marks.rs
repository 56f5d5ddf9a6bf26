//! What an overlay writes beside the names: extended attributes of folders and files. Documented in the kernel's
//! `filesystems/overlayfs`, and in fuse-overlayfs.
//!
//! ```text
//! overlay.opaque = y      what lower layers have in this folder is gone
//! overlay.opaque = x      it holds empty files that are whiteouts by their attribute
//! overlay.whiteout        on an empty file of such a folder: what lower layers have at this path is gone
//! overlay.redirect        the folder, or the data of the file, has another name in lower layers
//! overlay.metacopy        the data of the file stand in a lower layer: only its owner or mode was changed
//! ```
//!
//! The kernel writes them as `trusted.…`, which root alone can read, and as `user.…` where a user mounted it; fuse-overlayfs has
//! names of its own.

use std::{fs::File, io::Read as _, os::fd::AsFd, sync::OnceLock};

use rustix::{
    fs::{self as sys, Mode, OFlags, Stat},
    io::Errno,
    thread::{CapabilitySet, capabilities},
};

const FRONTS: &[&str] = &["trusted.overlay.", "user.overlay.", "user.fuseoverlayfs.", "trusted.fuseoverlayfs."];
/// Names of the attributes of one file, and the value of one of them.
const MOST: usize = 1 << 16;

/// The marks of one folder or file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) opaque: bool,
    /// It holds whiteouts that are files with an attribute.
    pub(super) holds_whiteouts: bool,
    pub(super) whiteout: bool,
    pub(super) metacopy: bool,
    pub(super) redirect: Option<Vec<u8>>,
}

impl Marks {
    /// Those of an open folder or file. None where its file system has no attributes.
    pub(super) fn of(fd: impl AsFd) -> Result<Self, Errno> {
        let fd = fd.as_fd();
        let mut names = Vec::with_capacity(1 << 10);
        loop {
            match sys::flistxattr(fd, rustix::buffer::spare_capacity(&mut names)) {
                Err(Errno::RANGE) if names.capacity() < MOST => names.reserve(MOST),
                Err(Errno::OPNOTSUPP | Errno::RANGE) => return Ok(Self::default()),
                other => {
                    other?;
                    break;
                }
            }
        }
        let mut marks = Self::default();
        for name in names.split(|b| *b == 0) {
            let Some(word) = FRONTS.iter().find_map(|front| name.strip_prefix(front.as_bytes())) else {
                continue;
            };
            match word {
                b"opaque" => match value(fd, name)?.as_slice() {
                    b"y" => marks.opaque = true,
                    b"x" => marks.holds_whiteouts = true,
                    _ => {}
                },
                b"whiteout" => marks.whiteout = true,
                b"metacopy" => marks.metacopy = true,
                b"redirect" => marks.redirect = Some(value(fd, name)?).filter(|to| !to.is_empty()),
                _ => {}
            }
        }
        Ok(marks)
    }
}

fn value(fd: impl AsFd, name: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut value = Vec::with_capacity(1 << 12);
    match sys::fgetxattr(fd, name, rustix::buffer::spare_capacity(&mut value)) {
        Err(Errno::NODATA | Errno::RANGE) => Ok(Vec::new()),
        other => other.map(|_| value),
    }
}

/// Whether marks that root wrote may be there and cannot be read. A user's own store has none of them.
pub(super) fn may_be_unseen(layer: &Stat) -> bool {
    static READS: OnceLock<(bool, u32)> = OnceLock::new();
    let (reads, root) = *READS.get_or_init(|| {
        // In a namespace of users, the root of the machine is nobody.
        let (whole, overflow) = (is_whole(), 65_534);
        let admin = capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_ADMIN));
        (admin && whole, if whole { 0 } else { overflow })
    });
    !reads && layer.st_uid == root
}

/// Whether this process sees all user ids, as those outside of a namespace do.
fn is_whole() -> bool {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let Ok(fd) = sys::open("/proc/self/uid_map", flags, Mode::empty()) else {
        return true;
    };
    let mut text = String::new();
    let _ = File::from(fd).take(4096).read_to_string(&mut text);
    text.split_whitespace().eq(["0", "0", "4294967295"])
}
