//! What an installer recorded against what stands there now: malicious packages rewrite their own `package.json` once they have run.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    assess::{Case, Finding, evidence::runs, rule::Rule},
    ecosystem::purl::Purl,
    fact::{Fact, TreePath},
    text::escape,
    verdict::{Confidence, Exposure},
};

/// When the code of a finding's package runs, in words.
fn when(case: &Case<'_>, f: &Finding) -> Option<String> {
    let package = f.package.as_deref().and_then(Purl::parse)?;
    let version = package.version?;
    let known = case.index.version(package.ecosystem, &package.name, &version);
    let at = known.into_iter().find_map(|((incident, at), _)| (incident == f.incident).then_some(at))?;
    Some(runs(case.index.incident(f.incident)?.packages.get(at)?.triggers.iter().copied()))
}

type Folder<'e> = (&'e Arc<str>, &'e TreePath);

/// The tree, the folder of a package or the project, and the indicator.
type Known = (Arc<str>, TreePath, String);

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
    let mut known: BTreeSet<Known> = BTreeSet::new();
    for f in findings.iter().filter(|f| f.exposure >= Exposure::Installed && f.origin.path.name() == b"package.json") {
        let root = f.unit.as_ref().map(|u| u.root.clone());
        let places = [Some(f.origin.path.parent()), root].into_iter().flatten();
        known.extend(places.map(|place| (f.origin.tree.clone(), place, f.indicator.clone())));
    }
    findings.retain_mut(|f| {
        if !lists.contains(&(&f.origin.tree, &f.origin.path)) {
            return true;
        }
        // A record without folders (yarn classic's) speaks of the whole project.
        let folder = f.holdings.as_ref().and_then(|all| all.first()).cloned();
        let Some(place) = folder.clone().or_else(|| f.unit.as_ref().map(|u| u.root.clone())) else {
            return true;
        };
        if !known.insert((f.origin.tree.clone(), place, f.indicator.clone())) {
            return false;
        }
        let name = escape(f.package.as_deref().map_or(b"it".as_slice(), str::as_bytes));
        let says = folder.and_then(|folder| own.get(&(&f.origin.tree, &folder))?.first().copied());
        f.reason = match says {
            Some(version) => {
                f.set_rule(Rule::PackageRewritten, Confidence::Likely);
                f.sign = None;
                let version = escape(version.as_bytes());
                format!(
                    "the installer's record says that it put `{name}` there; its own file says {version} now: it was rewritten, as \
                     a payload does that has run"
                )
            }
            None => {
                // A script that ran has run, whatever became of its package.
                let rule = if f.exposure > Exposure::Installed { f.rule } else { Rule::PackageGone };
                f.set_rule(rule, f.confidence.min(Confidence::Likely));
                let when = when(case, f).map(|when| format!("; {when}")).unwrap_or_default();
                format!("the installer's record says that it put `{name}` there, where it is not found now{when}")
            }
        };
        true
    });
}
