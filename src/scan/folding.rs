//! Which folders of a target take names in any case: by what only such systems have, else by the file system where it is mounted.
//!
//! ```text
//! Users/ann/…  Windows/…      a disk
//! C/Users/ann/…  C%3A/…       drives as collections of evidence have them
//! AppData/…  Library/…        a home
//! ```

use crate::{
    fact::TreePath,
    tree::{host::Host, mounts},
};

/// Folders that stand at the top of a disk, or of a home, of Windows.
const OF_WINDOWS: &[&str] = &["AppData", "Program Files", "Windows"];
/// The same of Windows or of a Mac.
const OF_OTHERS: &[&str] = &["Library", "Users"];
/// Names of a folder that are looked through.
const LISTED: usize = 1000;

/// By paths below the root of the tree, and whether names are spelled there as Windows has them.
pub(super) fn folders(host: &Host, mountinfo: &[u8]) -> (Vec<TreePath>, bool) {
    let drives = drives(host);
    let holds = |folder: &TreePath, one_of: &[&str]| {
        let is = |name: &Vec<u8>| one_of.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()));
        host.list(folder, LISTED).iter().any(is)
    };
    let windows = drives.len() > 1 || drives.iter().any(|drive| holds(drive, OF_WINDOWS));
    let is_other = |drive: &TreePath| holds(drive, OF_WINDOWS) || holds(drive, OF_OTHERS);
    let mut folders: Vec<TreePath> = drives.into_iter().filter(is_other).collect();
    let mounted = host.here(mounts::without_case(mountinfo));
    let windows = windows || folders.is_empty() && !mounted.is_empty();
    folders.extend(mounted);
    (folders, windows)
}

/// The tree itself, and its folders named as drives of Windows.
pub(super) fn drives(host: &Host) -> Vec<TreePath> {
    let names = host.list(&TreePath::root(), LISTED).into_iter();
    let drives = names.filter(|name| is_drive(name)).map(|name| TreePath::root().join(&name));
    std::iter::once(TreePath::root()).chain(drives).collect()
}

/// `C`, `C:`, `C%3A`.
fn is_drive(name: &[u8]) -> bool {
    let Some((letter, rest)) = name.split_first() else { return false };
    letter.is_ascii_alphabetic() && matches!(rest, b"" | b":" | b"%3A" | b"%3a")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drive_has_one_letter() {
        for name in ["C", "c", "D:", "E%3A"] {
            assert!(is_drive(name.as_bytes()), "{name}");
        }
        for name in ["", "CC", "1", ":", "C%3B", "C:x"] {
            assert!(!is_drive(name.as_bytes()), "{name}");
        }
    }
}
