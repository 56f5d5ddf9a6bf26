//! Findings by a name alone: what describes the package cannot be read, is missing, or says something else.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use super::{
    Evidence, Finding, FindingKind,
    family::{self, Family, described_in},
};
use crate::{
    fact::{Ecosystem, Fact, TreePath},
    verdict::{Confidence, Exposure},
};

/// What a finding is about: the same distribution, however many files of it say so.
type Place = (Arc<str>, TreePath, Option<Arc<str>>);

/// A finding that rests on a name. At most `likely`, until `join` has looked for the code.
pub fn doubt(mut finding: Finding) -> Finding {
    let witness = family_of(&finding).witness(&finding.origin.path, finding.origin.inner.as_deref());
    let other = if finding.origin.line.is_some() { "its raw text" } else { "the name of the file" };
    let witness = witness.unwrap_or(other);
    let why = match finding.exposure {
        Exposure::Referenced => "the file cannot be read as what it should be",
        _ => "nothing that can be read in it confirms it",
    };
    finding.set_rule(finding.rule.by_name(), finding.confidence.min(Confidence::Likely));
    finding.reason = format!("{}; only {witness} says so, {why}", finding.reason);
    finding
}

/// Adds the findings by name that no other finding of the same place makes superfluous.
pub fn join(evidence: &[Evidence], findings: &mut Vec<Finding>, mut named: Vec<Finding>) {
    drop_second_descriptions(findings);
    let code = code_by_list(evidence);
    let says = disagreements(evidence);
    let mut described: HashMap<_, Exposure> = HashMap::new();
    for f in findings.iter().filter(|f| f.kind == FindingKind::Package) {
        let worst = described.entry((place(f), f.incident, f.indicator.clone())).or_insert(f.exposure);
        *worst = (*worst).max(f.exposure);
    }
    for f in &mut named {
        let here = place(f);
        let listed = f.exposure >= Exposure::Removed && code.contains(&(here.0.clone(), here.1.clone()));
        if listed {
            f.reason = format!("{}; {} lists code that is there", f.reason, family_of(f).words().list);
        } else {
            f.confidence = f.confidence.min(Confidence::Possible);
        }
        if let Some(what) = says.get(&(here.0, here.1)) {
            f.reason = format!("{}; {what}", f.reason);
        }
    }
    // The witness with an owner and a time is the better one; then by place, the same from run to run.
    named.sort_by(|a, b| {
        let key = |f: &Finding| (Reverse((f.exposure, f.confidence)), f.at.is_none());
        key(a).cmp(&key(b)).then_with(|| a.origin.cmp(&b.origin))
    });
    let mut reported = HashSet::new();
    for f in named {
        let key = (place(&f), f.incident, f.indicator.clone());
        let known = described.get(&key).is_some_and(|exposure| *exposure >= f.exposure);
        if !known && reported.insert(key) {
            findings.push(f);
        }
    }
}

/// The folder that describes a distribution, else the file.
fn place(f: &Finding) -> Place {
    let path = &f.origin.path;
    let inner = f.origin.inner.as_deref().map(|i| Arc::from(family_of(f).described_by(i)));
    (f.origin.tree.clone(), described_in(path).unwrap_or_else(|| path.clone()), inner)
}

fn family_of(f: &Finding) -> &'static dyn Family {
    family::for_ecosystem(f.ecosystem.unwrap_or(Ecosystem::Generic))
}

/// Several files that describe one package are one finding.
fn drop_second_descriptions(findings: &mut Vec<Finding>) {
    let is_description = |f: &Finding| f.kind == FindingKind::Package && described_in(&f.origin.path).is_some();
    let mut reported = HashSet::new();
    findings.retain(|f| {
        !is_description(f)
            || reported.insert((place(f), f.origin.layer.clone(), f.incident, f.indicator.clone(), f.exposure))
    });
}

/// Folders of packages whose own list names code that was seen.
fn code_by_list(evidence: &[Evidence]) -> HashSet<(Arc<str>, TreePath)> {
    let there: HashSet<(&Arc<str>, &TreePath)> = evidence
        .iter()
        .filter(|e| {
            let is_code =
                matches!(e.seen.fact, Fact::CodeFolder | Fact::Hook { .. } | Fact::File { .. } | Fact::Bytecode { .. });
            is_code && e.gone.is_none()
        })
        .map(|e| (&e.seen.origin.tree, &e.seen.origin.path))
        .collect();
    let listed = evidence.iter().filter_map(|e| match &e.seen.fact {
        Fact::Owned { file, .. } => {
            let tree = &e.seen.origin.tree;
            let seen = there.contains(&(tree, file)) || there.contains(&(tree, &file.parent()));
            seen.then(|| (tree.clone(), e.seen.origin.path.parent()))
        }
        _ => None,
    });
    listed.collect()
}

/// What witnesses of one folder say of each other.
fn disagreements(evidence: &[Evidence]) -> BTreeMap<(Arc<str>, TreePath), String> {
    let said = evidence.iter().filter_map(|e| match &e.seen.fact {
        Fact::Disagreement { what, .. } => {
            let path = &e.seen.origin.path;
            let place = described_in(path).unwrap_or_else(|| path.clone());
            Some(((e.seen.origin.tree.clone(), place), what.clone()))
        }
        _ => None,
    });
    said.collect()
}
