//! A bill of materials of another tool, given to `dosimeter match`.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::{anyhow, bail};
use jiff::Timestamp;

use super::{
    examine::{Judged, Setup},
    output,
};
use crate::{
    accounts::Accounts,
    assess::Evidence,
    cli::{Choice, MatchCommand},
    coverage::{Coverage, Exclusion, Gap, GapKind, SurfaceCount},
    fact::{Origin, Seen, TreePath},
    inventory::sbom::{self, Sbom},
    matcher,
    report::v1::{self, Report},
    sandbox::Sandbox,
    scan::Settings,
    walk::Worth,
};

/// Facts that are kept of one document.
const KEPT: usize = 50_000;

/// Whether a file with that start may be one, rather than an inventory of ours.
pub fn may_be(start: &[u8]) -> bool {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let first = text.split(|b| *b == b'\n').next().unwrap_or_default();
    text.starts_with(b"{") && memchr::memmem::find(first, b"\"dosimeter-inventory\"").is_none()
}

/// Reads it whole; `None` where it is none.
///
/// # Errors
/// Where it is one and cannot be read.
pub fn read(bytes: &[u8], path: &Path) -> anyhow::Result<Option<Sbom>> {
    sbom::read(bytes).map_err(|why| {
        let hint = "give the file as the tool wrote it: CycloneDX 1.4 to 1.7 or SPDX 2.3, as JSON";
        anyhow!("`{}` cannot be used: {why}\nhint: {hint}", output::shown(path))
    })
}

/// Judges its packages.
///
/// # Errors
/// Where the indicators cannot be used.
pub fn judged(command: &MatchCommand, sandbox: &Sandbox, sbom: &Sbom, started: Timestamp) -> anyhow::Result<Report> {
    let choice = Choice {
        incident: command.incident.clone(),
        only: Vec::new(),
        skip: Vec::new(),
        indicators: command.indicators.clone(),
        threads: None,
    };
    let mut setup = Setup::new(&choice, false, &Settings::default(), false)?;
    sandbox.enclose(&[]);
    let shown = output::shown(&command.inventory).to_string();
    let tree: Arc<str> = sbom.subject.clone().unwrap_or_else(|| shown.clone()).into();
    let name = command.inventory.file_name().map_or(&b"-"[..], std::os::unix::ffi::OsStrExt::as_bytes);
    let Some(path) = TreePath::new(name) else { bail!("`{shown}` has no name") };
    let file = Origin::file(&tree, path);
    let mut seen: Vec<Seen> = Vec::new();
    let mut cut = sbom.cut;
    for fact in sbom.packages.iter().map(|p| p.seen(&file)) {
        match matcher::worth(&setup.index, &fact) {
            Worth::Nothing => {}
            _ if seen.len() < KEPT => seen.push(fact),
            _ => cut = true,
        }
    }
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
    if cut {
        let detail = "more packages than are kept of one document".to_owned();
        coverage.gaps.push(Gap { origin: file.clone(), surface: sbom::ID, kind: GapKind::TooLarge, detail });
    }
    coverage.settle();
    let accounts = BTreeMap::from([(tree, Accounts::default())]);
    setup.note_unread(&coverage);
    let assessment = setup.judge(seen.into_iter().map(Evidence::from).collect(), accounts.clone())?;
    let judged = Judged {
        assessment: &assessment,
        coverage,
        accounts: &accounts,
        target: v1::Target { kind: "sbom".to_owned(), id: shown, os: None },
        started,
        privileged: true,
        scope: setup.scope(false),
    };
    let report = setup.report(judged, sandbox);
    Ok(report)
}
