//! What an installer recorded against what stands there now: malicious packages rewrite their own `package.json` once they have run.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    assess::{Case, Finding},
    fact::{Fact, TreePath},
    text::escape,
    verdict::{Confidence, Exposure},
};

type Folder<'e> = (&'e Arc<str>, &'e TreePath);

/// Of findings that rest on a record: those that say what the package's own file says too go, the others say what that says.
pub fn weigh(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let mut recorded: BTreeSet<Folder<'_>> = BTreeSet::new();
    let mut lists: BTreeSet<Folder<'_>> = BTreeSet::new();
    let mut own: HashMap<Folder<'_>, Vec<&str>> = HashMap::new();
    for e in case.evidence.iter().filter(|e| e.gone.is_none()) {
        let origin = &e.seen.origin;
        if let Fact::Recorded { folder, .. } = &e.seen.fact {
            recorded.insert((&origin.tree, folder));
            lists.insert((&origin.tree, &origin.path));
        }
    }
    // The folder of a described package, without making a path for each of hundreds of thousands.
    let by_folder: HashMap<(&Arc<str>, &[u8]), Folder<'_>> =
        recorded.iter().map(|folder| ((folder.0, folder.1.as_bytes()), *folder)).collect();
    for e in case.evidence.iter().filter(|e| e.gone.is_none()) {
        if let Fact::Package(p) = &e.seen.fact
            && e.seen.origin.path.name() == b"package.json"
            && let Some(folder) =
                by_folder.get(&(&e.seen.origin.tree, crate::fact::parent(e.seen.origin.path.as_bytes())))
        {
            own.entry(*folder).or_default().push(&p.version);
        }
    }
    let mut told: BTreeSet<(Arc<str>, TreePath, String)> = BTreeSet::new();
    for f in findings.iter().filter(|f| f.exposure >= Exposure::Installed && f.origin.path.name() == b"package.json") {
        told.insert((f.origin.tree.clone(), f.origin.path.parent(), f.indicator.clone()));
    }
    findings.retain_mut(|f| {
        let Some([folder]) = f.holdings.as_deref().filter(|_| lists.contains(&(&f.origin.tree, &f.origin.path))) else {
            return true;
        };
        let folder = folder.clone();
        let key = (f.origin.tree.clone(), folder.clone(), f.indicator.clone());
        if !told.insert(key) {
            return false;
        }
        let name = escape(folder.name());
        f.reason = match own.get(&(&f.origin.tree, &folder)).and_then(|versions| versions.first()) {
            Some(version) => {
                f.exposure = f.exposure.max(Exposure::Executed);
                f.confidence = Confidence::Likely;
                let version = escape(version.as_bytes());
                format!("the installer's record says that it put the malicious version there; `{name}` says {version} of itself \
                         now: it was rewritten, as a payload does that has run")
            }
            None => {
                // A script that ran has run, whatever became of its package.
                f.exposure = if f.exposure > Exposure::Installed { f.exposure } else { Exposure::Removed };
                f.confidence = f.confidence.min(Confidence::Likely);
                let when = f.reason.split_once("; ").map_or("", |(_, when)| when);
                format!("the installer's record says that it put the malicious version there, and `{name}` is not there now; {when}")
            }
        };
        true
    });
}
