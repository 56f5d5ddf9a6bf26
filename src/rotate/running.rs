//! What may still run from the files that are to be moved.

use std::collections::BTreeSet;

use super::{
    before::on_disk,
    step::{Action, Step},
};
use crate::{assess::Finding, fact::TreePath};

/// Paths that one command names.
const NAMED: usize = 20;

/// A look at the processes before files are moved: what runs holds the payload in memory, and may write it back.
pub fn from(found: &[&Finding]) -> Option<Step> {
    let places: BTreeSet<TreePath> = found.iter().filter(|f| on_disk(f)).flat_map(|f| places(f)).collect();
    if places.is_empty() {
        return None;
    }
    let what = "see what still runs from it, before anything is moved";
    let expect = "no process but your own search; otherwise keep their memory if you can, then end them (`kill -KILL PID`) and look again";
    Some(Step::new(what, Action::ShowUsers(places.into_iter().take(NAMED).collect())).expect(expect))
}

/// An environment as a whole, where that is a folder of its own; else the folder of what was found, or the file.
fn places(f: &Finding) -> Vec<TreePath> {
    let own = |p: &&TreePath| p.components().count() >= 2 && !p.as_bytes().starts_with(b"usr/");
    if let Some(prefix) = f.environment.as_ref().map(|e| &e.prefix).filter(own) {
        return vec![prefix.clone()];
    }
    match &f.holdings {
        Some(all) => all.to_vec(),
        None => vec![f.origin.path.clone()],
    }
}
