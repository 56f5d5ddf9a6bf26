//! Where a member of a layer and the target of a link stand.

use super::NAME;
use crate::fact::TreePath;

/// A member's name as engines take it: `..` is applied to the text before it. `None` where it leads out of the image.
pub(super) fn clean(name: &[u8]) -> Option<TreePath> {
    let depth = |depth: usize, part: &[u8]| match part {
        b"" | b"." => Some(depth),
        b".." => depth.checked_sub(1),
        _ => Some(depth + 1),
    };
    name.split(|b| *b == b'/').try_fold(0, depth)?;
    resolve(&[], name)
}

/// What a link in folder `from` names. Above the root is the root, as the kernel has it. `None` where it is too long.
pub(in crate::image) fn resolve(from: &[u8], target: &[u8]) -> Option<TreePath> {
    if from.len().saturating_add(target.len()) > NAME || target.contains(&0) {
        return None;
    }
    let parts = from.split(|b| *b == b'/').chain(target.split(|b| *b == b'/'));
    let mut kept: Vec<&[u8]> = Vec::new();
    for part in parts {
        match part {
            b"" | b"." => {}
            b".." => drop(kept.pop()),
            part => kept.push(part),
        }
    }
    TreePath::new(&kept.join(&b'/'))
}
