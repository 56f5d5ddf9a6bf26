//! What a file system says of an open file.

use std::os::fd::AsFd;

use jiff::Timestamp;
use rustix::{
    fs::{self as sys, AtFlags, FileType, StatxFlags},
    io::Errno,
};

use super::Entry;
use crate::fact::TreePath;

/// What is known of a regular file; `None` where it is none.
///
/// # Errors
/// When the medium fails.
pub(super) fn regular(fd: impl AsFd, path: TreePath) -> Result<Option<Entry>, Errno> {
    let fd = fd.as_fd();
    let stat = match sys::statx(fd, c"", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS | StatxFlags::BTIME) {
        Ok(stat) => stat,
        // Linux before 4.11 has no statx, and the filter of an old container engine refuses it.
        Err(Errno::NOSYS | Errno::PERM) => return old(fd, path),
        Err(e) => return Err(e),
    };
    let has_birth = StatxFlags::from_bits_retain(stat.stx_mask).contains(StatxFlags::BTIME);
    let mode = u32::from(stat.stx_mode);
    let entry = Entry {
        path,
        len: stat.stx_size,
        mtime: timestamp(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
        btime: timestamp(stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec).filter(|_| has_birth),
        uid: Some(stat.stx_uid),
        gid: Some(stat.stx_gid),
        mode: Some(mode & 0o7777),
    };
    Ok(is_regular(mode).then_some(entry))
}

/// Without the time of birth.
fn old(fd: impl AsFd, path: TreePath) -> Result<Option<Entry>, Errno> {
    let stat = sys::fstat(fd)?;
    let entry = Entry {
        path,
        len: u64::try_from(stat.st_size).unwrap_or_default(),
        mtime: u32::try_from(stat.st_mtime_nsec).ok().and_then(|n| timestamp(stat.st_mtime, n)),
        btime: None,
        uid: Some(stat.st_uid),
        gid: Some(stat.st_gid),
        mode: Some(stat.st_mode & 0o7777),
    };
    Ok(is_regular(stat.st_mode).then_some(entry))
}

fn is_regular(mode: u32) -> bool {
    FileType::from_raw_mode(mode) == FileType::RegularFile
}

fn timestamp(seconds: i64, nanoseconds: u32) -> Option<Timestamp> {
    Timestamp::new(seconds, i32::try_from(nanoseconds).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)] // the test makes the file
    fn an_old_kernel_says_the_same_but_for_the_birth() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        fs::write(&file, "seven b").unwrap();
        let path = TreePath::new(b"x").unwrap();
        let now = regular(File::open(&file).unwrap(), path.clone()).unwrap().unwrap();
        let then = old(File::open(&file).unwrap(), path.clone()).unwrap().unwrap();
        assert_eq!((now.len, now.mode.is_some(), now.mtime.is_some()), (7, true, true));
        assert_eq!(
            (then.len, then.mode, then.mtime, then.uid, then.gid, then.btime),
            (now.len, now.mode, now.mtime, now.uid, now.gid, None)
        );
        assert!(regular(File::open(folder.path()).unwrap(), path.clone()).unwrap().is_none());
        assert!(old(File::open(folder.path()).unwrap(), path).unwrap().is_none());
    }
}
