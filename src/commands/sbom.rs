//! A bill of materials of another tool, given to `dosimeter match`.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    examine::Selection,
    stored::{Examined, Reading},
};
use crate::{
    accounts::Accounts,
    assess::Evidence,
    coverage::{Coverage, Exclusion, Gap, GapKind, SurfaceCount},
    fact::{Origin, Seen, TreePath},
    inventory::sbom::{self, Sbom},
    report::v1,
    rotate::Subject,
};

pub use sbom::may_be;

/// Its packages, ready to be judged.
pub fn examined(sbom: &Sbom, reading: &Reading<'_>) -> Examined {
    let subject = sbom.subject.clone().unwrap_or_else(|| reading.shown.to_owned());
    let tree: Arc<str> = reading.label.unwrap_or(&subject).into();
    let path = TreePath::new(reading.name).unwrap_or_else(TreePath::root);
    let file = Origin::file(&tree, path);
    let facts = sbom.listed;
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
    let seen: Vec<Seen> = sbom.packages.iter().map(|p| p.seen(&file)).collect();
    let at = |p: &sbom::Stated| (p.place.clone().unwrap_or_else(|| file.path.clone()), p.purl.to_string());
    let chains = sbom.packages.iter().map(|p| (at(p), p.chain.clone())).collect();
    if sbom.cut {
        let detail = "more packages than are kept of one document".to_owned();
        coverage.gaps.push(Gap { origin: file.clone(), surface: sbom::ID, kind: GapKind::TooLarge, detail });
    }
    coverage.sort_and_dedup();
    Examined {
        chains,
        tree,
        evidence: seen.into_iter().map(Evidence::from).collect(),
        coverage,
        accounts: Accounts::default(),
        target: v1::Target {
            kind: "sbom".to_owned(),
            id: reading.shown.to_owned(),
            name: None,
            installation: None,
            os: None,
        },
        examined: None,
        privileged: true,
        case_key: None,
        chosen: Selection::default(),
        whole: false,
        subject: Subject::Statement,
    }
}
