//! What a layer does to the layers below it: the paths it fills, and its whiteouts (OCI image specification, "Layer Filesystem
//! Changeset").
//!
//! ```text
//! a/.wh.name        `a/name`, and everything below it, is gone
//! a/.wh..wh..opq    everything that lower layers have in `a` is gone
//! a/.wh..wh.plnk    bookkeeping of aufs: nothing
//! ```
//!
use crate::{fact::TreePath, image::names::Mark};

const WHITEOUT: &[u8] = b".wh.";
const META: &[u8] = b".wh..wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// What a member's name says about the layers below.
pub(in crate::image) enum MemberName {
    /// An ordinary name.
    Plain,
    /// A mark on another path.
    Mark(TreePath, Mark<'static>),
    /// Bookkeeping of the storage driver.
    Nothing,
    /// A whiteout of no name, or of one that would leave the image.
    Bad,
}

/// Reads whiteouts.
pub(in crate::image) fn member_name(path: &TreePath) -> MemberName {
    let name = path.name();
    if name == OPAQUE {
        return MemberName::Mark(path.parent(), Mark::Opaque);
    }
    if name.starts_with(META) {
        return MemberName::Nothing;
    }
    match name.strip_prefix(WHITEOUT) {
        None => MemberName::Plain,
        Some(b"" | b"." | b"..") => MemberName::Bad,
        Some(gone) => MemberName::Mark(path.parent().join(gone), Mark::Whiteout),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn whiteouts_are_read_from_names() {
        let marked = |p: &str| match member_name(&path(p)) {
            MemberName::Mark(path, mark) => Some((path.text().into_owned(), mark)),
            _ => None,
        };
        assert_eq!(marked("a/.wh.b"), Some(("/a/b".into(), Mark::Whiteout)));
        assert_eq!(marked(".wh.b"), Some(("/b".into(), Mark::Whiteout)));
        assert_eq!(marked("a/.wh..wh..opq"), Some(("/a".into(), Mark::Opaque)));
        assert!(matches!(member_name(&path("a/.wh..wh.plnk")), MemberName::Nothing));
        assert!(
            matches!(member_name(&path("a/.wh...")), MemberName::Bad)
                && matches!(member_name(&path("a/.wh.")), MemberName::Bad)
        );
        assert!(
            matches!(member_name(&path("a/x.wh.b")), MemberName::Plain)
                && matches!(member_name(&path(".wh.d/b")), MemberName::Plain)
        );
    }
}
