//! Packages that rewrote themselves through a hard link: bun links what it installs to its cache, so that a script which changes the
//! version in its own `package.json` changes it in the cache too, whose folder still bears the version that was fetched.

use std::{collections::HashMap, sync::Arc};

use crate::{
    assess::{Account, Case, Finding, FindingKind, rule::Rule},
    ecosystem::{purl::Purl, store_entry},
    fact::{Ecosystem, Fact, Placement, TreePath},
    text::escape,
    verdict::{Confidence, Exposure},
};

/// Adds a finding for each installed copy that says what the rewritten file of a store says.
pub fn look_for_copies(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let is_stored = |f: &&Finding| {
        f.exposure == Exposure::Cached && f.kind == FindingKind::Package && f.ecosystem == Some(Ecosystem::Npm)
    };
    let there = || case.evidence.iter().filter(|e| e.gone.is_none()).map(|e| &e.seen);
    let mut says: HashMap<(&Arc<str>, &TreePath), &str> = HashMap::new();
    for seen in there() {
        if let Fact::Package(p) = &seen.fact
            && p.ecosystem == Ecosystem::Npm
            && p.placement == Placement::Cached
            && store_entry(&seen.origin.path).is_some()
        {
            says.insert((&seen.origin.tree, &seen.origin.path), &p.version);
        }
    }
    let mut rewritten: HashMap<(Arc<str>, String, String), Vec<Finding>> = HashMap::new();
    for f in findings.iter().filter(is_stored) {
        let (Some(now), Some(package)) =
            (says.get(&(&f.origin.tree, &f.origin.path)), f.package.as_deref().and_then(Purl::parse))
        else {
            continue;
        };
        if package.version.as_deref() != Some(now) {
            let key = (f.origin.tree.clone(), package.name.to_string(), (*now).to_owned());
            rewritten.entry(key).or_default().push(f.clone());
        }
    }
    if rewritten.is_empty() {
        return;
    }
    let mut copies = Vec::new();
    for seen in there() {
        let Fact::Package(p) = &seen.fact else {
            continue;
        };
        if p.ecosystem != Ecosystem::Npm || p.placement != Placement::Loadable || seen.unit.is_none() {
            continue;
        }
        let key = (seen.origin.tree.clone(), p.name.to_string(), p.version.to_string());
        for f in rewritten.get(&key).into_iter().flatten() {
            let beside = findings.iter().find(|other| other.environment.is_some() && other.unit == seen.unit);
            let mut copy = Finding {
                surface: seen.surface,
                origin: seen.origin.clone(),
                at: seen.at.clone(),
                unit: seen.unit.clone(),
                environment: beside.and_then(|other| other.environment.clone()),
                holdings: Some(vec![seen.origin.path.parent()]),
                account: seen.uid.filter(|uid| *uid != 0).map_or(Account::All, Account::Uid),
                artifact: None,
                sign: None,
                ..f.clone()
            };
            copy.set_rule(Rule::PackageRewritten, Confidence::Likely);
            copy.reason = format!(
                "it says {} as its copy in `{}` does, whose folder was made for `{}`: it was rewritten through the link between \
                 them, as a payload does that has run",
                escape(p.version.as_bytes()),
                escape(f.origin.path.text().as_bytes()),
                escape(f.package.as_deref().unwrap_or_default().as_bytes())
            );
            copies.push(copy);
        }
    }
    findings.extend(copies);
}
