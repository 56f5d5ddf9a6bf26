//! What of a disk belongs to a finding: the paths that go together to the evidence.

use std::collections::BTreeSet;

use crate::{
    assess::{Finding, FindingKind},
    fact::TreePath,
    ioc::model::FileRole,
};

/// A dropped file that shows that the payload ran.
pub fn is_trace(f: &Finding) -> bool {
    f.kind == FindingKind::File && matches!(f.role, Some(FileRole::Persistence | FileRole::Trace))
}

/// Whether it is one file or folder as a whole, not a line or a member of one.
pub fn is_whole(f: &Finding) -> bool {
    f.origin.line.is_none() && f.origin.inner.is_none() || is_elsewhere(f)
}

/// Whether other files than the one that speaks of it are taken out: a record of an installer names the folder of a package.
pub fn is_elsewhere(f: &Finding) -> bool {
    f.holdings.as_ref().is_some_and(|all| !all.is_empty() && !all.contains(&f.origin.path))
}

/// Whether a line of a log is all that speaks of a package: nothing of it is there to be taken out.
pub fn is_only_logged(f: &Finding) -> bool {
    f.kind == FindingKind::Package && f.origin.line.is_some() && f.holdings.as_ref().is_some_and(Vec::is_empty)
}

/// The paths that findings stand for.
pub fn holdings_of_all(found: &[&Finding]) -> Vec<TreePath> {
    let all = found.iter().flat_map(|f| match &f.holdings {
        Some(all) => all.clone(),
        None => vec![f.origin.path.clone()],
    });
    outermost(all.collect()).into_iter().collect()
}

/// What lies in another path of the set goes with that.
fn outermost(all: BTreeSet<TreePath>) -> BTreeSet<TreePath> {
    let inside = |p: &TreePath| {
        let mut above = p.parent();
        while !above.as_bytes().is_empty() {
            if all.contains(&above) {
                return true;
            }
            above = above.parent();
        }
        false
    };
    all.iter().filter(|p| !inside(p)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_lies_in_another_goes_with_it() {
        let set = BTreeSet::from(["a/b", "a/b/c", "a/bc", "d"].map(path));
        let left: Vec<_> = outermost(set).iter().map(|p| p.text().into_owned()).collect();
        assert_eq!(left, ["/a/b", "/a/bc", "/d"]);
    }
}
