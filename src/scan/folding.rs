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

/// Folders that stand at the top of a disk, or of a home, of Windows or of a Mac.
const OF_OTHERS: &[&str] = &["AppData", "Library", "Program Files", "Users", "Windows"];
/// Names of a folder that are looked through.
const LISTED: usize = 1000;

/// By paths below the root of the tree.
pub(super) fn folders(host: &Host, mountinfo: &[u8]) -> Vec<TreePath> {
    let mut folders: Vec<TreePath> = drives(host).into_iter().filter(|drive| is_other(host, drive)).collect();
    folders.extend(host.here(mounts::without_case(mountinfo)));
    folders
}

fn is_other(host: &Host, folder: &TreePath) -> bool {
    let is_other = |name: &Vec<u8>| OF_OTHERS.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()));
    host.list(folder, LISTED).iter().any(is_other)
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
