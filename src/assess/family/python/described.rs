//! The files that describe a distribution: several of one folder speak of the same one.

use crate::fact::TreePath;

/// The folder of a distribution's metadata, where this is a file in it.
pub fn folder(file: &TreePath) -> Option<TreePath> {
    let folder = file.parent();
    let ends = [b".dist-info".as_slice(), b".egg-info", b"EGG-INFO"];
    ends.iter().any(|end| folder.name().ends_with(end)).then_some(folder)
}

/// The same of a member of a wheel.
pub fn member(inner: &str) -> &str {
    ["/METADATA", "/PKG-INFO"].iter().find_map(|end| inner.strip_suffix(end)).unwrap_or(inner)
}

/// What says the name where the description does not.
pub fn witness(file: &TreePath, member: Option<&str>) -> Option<&'static str> {
    match (file.name(), member) {
        (_, Some(_)) | (b"METADATA" | b"PKG-INFO", None) => Some("the name of its folder"),
        (b"RECORD", None) => Some("its RECORD"),
        (b"direct_url.json", None) => Some("the name of the file that it came from"),
        _ => None,
    }
}
