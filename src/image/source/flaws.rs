//! What is wrong with a store, as far as it is listed one by one: a hostile store can have something wrong with each of its files.

use std::io;

use crate::{fact::TreePath, image::ImageError, surface::Flaw};

/// Flaws of one store that are listed one by one.
const LISTED: usize = 1000;

/// Paths within a store, with what is wrong there.
pub(super) type Flaws = Vec<(TreePath, Flaw)>;

/// Adds one, as long as they are not too many; then says once that there are more.
pub(super) fn note(flaws: &mut Flaws, path: &[u8], flaw: Flaw) {
    if flaws.len() < LISTED {
        flaws.push((place(path), flaw));
    } else if flaws.len() == LISTED {
        flaws.push((TreePath::root(), Flaw::malformed("store of images", "more is wrong with it than is listed")));
    }
}

/// Adds what of a store is not examined, as long as they are not too many; then says once that there are more.
pub(super) fn leave_out(left_out: &mut Vec<(TreePath, &'static str)>, path: &[u8], why: &'static str) {
    if left_out.len() < LISTED {
        left_out.push((place(path), why));
    } else if left_out.len() == LISTED {
        left_out.push((TreePath::root(), "more is left out than is listed"));
    }
}

/// A path as it is reported, whatever it is.
pub(super) fn place(path: &[u8]) -> TreePath {
    TreePath::new(path).unwrap_or_else(TreePath::root)
}

/// Why it cannot be found out whether a folder is a store.
pub(super) fn no_store(flaw: Flaw) -> ImageError {
    ImageError::Open(match flaw {
        Flaw::Io(error) => error,
        flaw => io::Error::other(flaw.to_string()),
    })
}

/// The same flaw once more.
pub(super) fn again(flaw: &Flaw) -> Flaw {
    match flaw {
        Flaw::Io(error) => {
            Flaw::Io(error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error))
        }
        Flaw::Malformed { what, why } => Flaw::Malformed { what, why: why.clone() },
        Flaw::TooLarge(limit) => Flaw::TooLarge(*limit),
        Flaw::Holes(bytes) => Flaw::Holes(*bytes),
        Flaw::Truncated(what) => Flaw::Truncated(what),
        Flaw::Unsupported(what) => Flaw::Unsupported(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_without_end_are_counted_once() {
        let mut flaws = Flaws::new();
        (0..3 * LISTED).for_each(|_| note(&mut flaws, b"../x", Flaw::Truncated("blob")));
        assert_eq!(flaws.len(), LISTED + 1);
        let mut left_out = Vec::new();
        (0..3 * LISTED).for_each(|_| leave_out(&mut left_out, b"x", "why"));
        assert_eq!(left_out.len(), LISTED + 1);
        assert!(flaws.last().is_some_and(|(_, flaw)| flaw.to_string().contains("more is wrong")));
    }
}
