//! What an installer recorded against what stands there now: malicious packages rewrite their own `package.json` once they have run.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    assess::{Case, Evidence, Finding, FindingKind, evidence::runs, rule::Rule},
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

/// What is recorded of packages, and what their own files say.
#[derive(Default)]
struct Records<'e> {
    /// Files that are records.
    lists: BTreeSet<Folder<'e>>,
    /// Versions by the folder of a package that a record names, or that a virtual store made for another version.
    own: HashMap<Folder<'e>, Vec<&'e str>>,
    /// Versions by the root of a unit and the name, of packages in a unit whose record names no folders.
    within: HashMap<(&'e Arc<str>, &'e TreePath, &'e str), Vec<&'e str>>,
    /// Files of which the folder says another version.
    doubted: BTreeSet<Folder<'e>>,
}

impl<'e> Records<'e> {
    fn new(evidence: &'e [Evidence]) -> Self {
        let mut records = Self::default();
        let mut folders: BTreeSet<Folder<'e>> = BTreeSet::new();
        let mut roots: BTreeSet<Folder<'e>> = BTreeSet::new();
        let there = || evidence.iter().filter(|e| e.gone.is_none()).map(|e| &e.seen);
        for seen in there() {
            let origin = &seen.origin;
            match &seen.fact {
                Fact::Recorded { folder, .. } => {
                    folders.insert((&origin.tree, folder));
                    records.lists.insert((&origin.tree, &origin.path));
                    roots.extend(seen.unit.as_ref().filter(|u| u.root == *folder).map(|u| (&origin.tree, &u.root)));
                }
                Fact::Disagreement { .. } if origin.path.name() == b"package.json" => {
                    records.doubted.insert((&origin.tree, &origin.path));
                }
                _ => {}
            }
        }
        // The folder of a described package, without making a path for each of hundreds of thousands.
        let by_folder: HashMap<(&Arc<str>, &[u8]), Folder<'e>> =
            folders.iter().map(|folder| ((folder.0, folder.1.as_bytes()), *folder)).collect();
        for seen in there().filter(|seen| seen.origin.path.name() == b"package.json") {
            let (tree, path) = (&seen.origin.tree, &seen.origin.path);
            let Fact::Package(p) = &seen.fact else {
                continue;
            };
            if let Some(folder) = by_folder.get(&(tree, crate::fact::parent(path.as_bytes()))) {
                records.own.entry(*folder).or_default().push(&p.version);
            }
            if records.doubted.contains(&(tree, path)) {
                records.own.entry((tree, path)).or_default().push(&p.version);
            }
            if let Some(unit) = seen.unit.as_ref().filter(|u| roots.contains(&(tree, &u.root))) {
                records.within.entry((tree, &unit.root, &p.name)).or_default().push(&p.version);
            }
        }
        records
    }

    /// The only version of a package that stands in a unit, whatever the record says.
    fn only_one(&self, tree: &Arc<str>, root: &TreePath, name: &str) -> Option<&'e str> {
        match self.within.get(&(tree, root, name)).map(Vec::as_slice) {
            Some([version]) => Some(version),
            _ => None,
        }
    }
}

/// Of findings that rest on a record: those that say what the package's own file says too go, the others say what that says.
pub fn weigh(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let records = Records::new(&case.evidence);
    rewritten_in_a_store(&records, findings);
    let mut known: BTreeSet<Known> = BTreeSet::new();
    for f in findings.iter().filter(|f| f.exposure >= Exposure::Installed && f.origin.path.name() == b"package.json") {
        let root = f.unit.as_ref().map(|u| u.root.clone());
        // npm's linked strategy records the folder of the link.
        let linked = f.unit.as_ref().filter(|_| f.origin.path.components().any(|part| part == b".store"));
        let name = f.package.as_deref().and_then(Purl::parse).map(|p| p.name);
        let linked = linked.zip(name).and_then(|(unit, name)| unit.folder.resolve(name.as_bytes()));
        let places = [Some(f.origin.path.parent()), root, linked].into_iter().flatten();
        known.extend(places.map(|place| (f.origin.tree.clone(), place, f.indicator.clone())));
    }
    // A record that stands in the unit says more than a log.
    for logs in [false, true] {
        findings.retain_mut(|f| is_log(&f.origin.path) != logs || keeps(case, &records, &mut known, f));
    }
}

/// npm's logs say what was put there once.
pub fn is_log(path: &TreePath) -> bool {
    path.name().ends_with(b".log")
}

/// Weighs one finding; `false` where another one says the same.
fn keeps(case: &Case<'_>, records: &Records<'_>, known: &mut BTreeSet<Known>, f: &mut Finding) -> bool {
    if f.kind != FindingKind::Package || !records.lists.contains(&(&f.origin.tree, &f.origin.path)) {
        return true;
    }
    // A record without folders (yarn classic's) speaks of the whole project.
    let folder = f.holdings.as_ref().and_then(|all| all.first()).cloned();
    let root = f.unit.as_ref().map(|u| u.root.clone());
    let Some(place) = folder.clone().or_else(|| root.clone()) else {
        return true;
    };
    // A log names the folder of a link where the package itself stands elsewhere in its unit.
    let in_unit = |root: &TreePath| known.contains(&(f.origin.tree.clone(), root.clone(), f.indicator.clone()));
    if is_log(&f.origin.path) && root.as_ref().is_some_and(in_unit) {
        return false;
    }
    if !known.insert((f.origin.tree.clone(), place, f.indicator.clone())) {
        return false;
    }
    let name = escape(f.package.as_deref().map_or(b"it".as_slice(), str::as_bytes));
    let says = match (folder, root, f.package.as_deref().and_then(Purl::parse)) {
        (Some(folder), ..) => records.own.get(&(&f.origin.tree, &folder)).and_then(|all| all.first()).copied(),
        (None, Some(root), Some(package)) => records.only_one(&f.origin.tree, &root, &package.name),
        _ => None,
    };
    f.reason = match says {
        // Of what a log reports the installer may have made another version since.
        Some(version) if is_log(&f.origin.path) => {
            let rule = if f.exposure > Exposure::Installed { f.rule } else { Rule::PackageGone };
            f.set_rule(rule, f.confidence.min(Confidence::Likely));
            let version = escape(version.as_bytes());
            let when = when(case, f).map(|when| format!("; {when}")).unwrap_or_default();
            format!("a log of the installer says that it put `{name}` there, where {version} stands now{when}")
        }
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
}

/// A virtual store names a folder after the version that it made it for.
fn rewritten_in_a_store(records: &Records<'_>, findings: &mut [Finding]) {
    for f in findings.iter_mut().filter(|f| f.exposure >= Exposure::Installed) {
        let place = (&f.origin.tree, &f.origin.path);
        let Some(own) = records.own.get(&place).filter(|_| records.doubted.contains(&place)).cloned() else {
            continue;
        };
        let version = f.package.as_deref().and_then(Purl::parse).and_then(|p| p.version).unwrap_or_default();
        if let [says] = own.as_slice()
            && **says != *version
        {
            f.set_rule(Rule::PackageRewritten, f.confidence.max(Confidence::Likely));
            f.sign = None;
            f.reason = format!(
                "the folder was made for {}; its own file says {} now: it was rewritten, as a payload does that has run",
                escape(version.as_bytes()),
                escape(says.as_bytes())
            );
        }
    }
}
