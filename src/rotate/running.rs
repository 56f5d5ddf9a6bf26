//! What may still run from the files that are to be moved.

use std::collections::BTreeSet;

use super::{
    before::on_disk,
    situation::Situation,
    step::{Action, Step},
};
use crate::{assess::Finding, fact::TreePath, ioc::model::FileRole};

/// Paths that one command names, and texts.
const NAMED: usize = 20;
/// Letters of a file's name that says something by itself.
const NAME: usize = 5;

/// A look at the processes before files are moved: what runs holds the payload in memory, and may write it back.
pub fn from(s: &Situation<'_>, found: &[&Finding]) -> Option<Step> {
    let places: BTreeSet<TreePath> = found.iter().filter(|f| on_disk(f)).flat_map(|f| places(f)).collect();
    if places.is_empty() {
        return None;
    }
    let what = "see what still runs from it, before anything is moved";
    let expect = "no process but your own search; otherwise keep their memory if you can, then end them (`kill -KILL PID`) and look again";
    let places = places.into_iter().take(NAMED).collect();
    Some(Step::new(what, Action::ShowUsers(places, payloads(s, found))).expect(expect))
}

/// What the payload's own processes have on their command lines, though its files may be gone.
fn payloads(s: &Situation<'_>, found: &[&Finding]) -> Vec<String> {
    let incidents: BTreeSet<_> = found.iter().map(|f| f.incident).collect();
    let mut texts: Vec<String> = Vec::new();
    for incident in incidents.into_iter().filter_map(|id| s.index.incident(id)) {
        let processes = incident.processes.iter().map(|p| p.holds.as_str());
        let left = incident.files.iter().filter(|f| matches!(f.role, FileRole::Persistence | FileRole::Trace));
        let names = left.flat_map(|f| &f.paths).filter_map(|p| p.rsplit('/').next());
        for text in processes.chain(names.filter(|n| n.len() >= NAME && !n.contains('*'))) {
            if texts.len() < NAMED && !texts.iter().any(|known| text.contains(known.as_str()) || known.contains(text)) {
                texts.push(text.to_owned());
            }
        }
    }
    texts
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
