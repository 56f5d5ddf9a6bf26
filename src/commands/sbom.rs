//! A bill of materials of another tool, given to `dosimeter match`.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    examine::{Selection, Setup},
    stored::{Examined, Reading, Unusable},
};
use crate::{
    accounts::Accounts,
    assess::Evidence,
    coverage::{Coverage, Exclusion, Gap, GapKind, SurfaceCount},
    fact::{Origin, Seen, TreePath},
    inventory::sbom::{self, Sbom},
    matcher,
    report::v1,
    rotate::Subject,
    walk::Worth,
};

pub use sbom::may_be;

/// Facts that are kept of one document.
const KEPT: usize = 50_000;

/// Its packages, ready to be judged.
///
/// # Errors
/// None: what is too much of it is a gap.
pub fn examined(setup: &Setup, sbom: Sbom, reading: &Reading<'_>) -> Result<Examined, Unusable> {
    let subject = sbom.subject.clone().unwrap_or_else(|| reading.shown.to_owned());
    let tree: Arc<str> = reading.label.unwrap_or(&subject).into();
    let path = TreePath::new(reading.name).unwrap_or_else(TreePath::root);
    let file = Origin::file(&tree, path);
    let facts = u64::try_from(sbom.packages.len()).unwrap_or(u64::MAX);
    let exclusion = |reason: String| Exclusion { origin: file.clone(), reason };
    let mut coverage = Coverage {
        trees: vec![tree.to_string()],
        files_seen: 1,
        surfaces: BTreeMap::from([(sbom::ID, SurfaceCount { files: 1, facts })]),
        ..Coverage::default()
    };
    coverage.exclusions.push(exclusion(format!(
        "{} lists packages: files, commands, processes and credentials of what it describes were not looked for",
        sbom.format
    )));
    if sbom.others > 0 {
        let others = sbom.others;
        coverage.exclusions.push(exclusion(format!(
            "{others} components without a version, or without a package URL of an ecosystem that indicators know"
        )));
    }
    let mut cut = sbom.cut;
    let mut seen: Vec<Seen> = Vec::new();
    for fact in sbom.packages.iter().map(|p| p.seen(&file)) {
        match matcher::worth(&setup.index, &fact) {
            Worth::Nothing => {}
            _ if seen.len() < KEPT => seen.push(fact),
            _ => cut = true,
        }
    }
    if cut {
        let detail = "more packages than are kept of one document".to_owned();
        coverage.gaps.push(Gap { origin: file.clone(), surface: sbom::ID, kind: GapKind::TooLarge, detail });
    }
    coverage.settle();
    Ok(Examined {
        tree,
        evidence: seen.into_iter().map(Evidence::from).collect(),
        coverage,
        accounts: Accounts::default(),
        target: v1::Target { kind: "sbom".to_owned(), id: reading.shown.to_owned(), os: None },
        examined: None,
        privileged: true,
        chosen: Selection::default(),
        whole: false,
        subject: Subject::Statement,
    })
}
