//! `dosimeter` and `dosimeter scan`: a machine, a mounted disk, homes, folders.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::bail;
use jiff::Timestamp;

use super::{Ending, STOP, examine::Setup, output, progress::Progress};
use crate::{
    assess::Evidence,
    cli::{ScanCommand, ScanOptions},
    matcher,
    report::{
        self, Examination,
        v1::{self, Report},
    },
    scan::{self, Scan, Target, is_root},
};

/// Examines and reports.
///
/// # Errors
/// Where the target cannot be opened, or the report cannot be written.
pub fn run(command: ScanCommand) -> anyhow::Result<Ending> {
    let outputs = output::plan(&command.options.output)?;
    let report = examine(&command.options, command.paths)?;
    outputs.write(&report)?;
    Ok(output::ending(&report, &command.options.output))
}

/// The report of an examination.
///
/// # Errors
/// Where the target cannot be opened.
pub fn examine(options: &ScanOptions, paths: Vec<PathBuf>) -> anyhow::Result<Report> {
    let started = Timestamp::now();
    let target = target(options, paths)?;
    let settings = scan::settings(&target)?;
    let mut setup = Setup::new(&options.choice, options.deep, &settings, target == Target::Live)?;
    let progress = Progress::start("examining", options.output.quiet);
    let keep = |seen: &crate::fact::Seen| matcher::worth(&setup.index, seen);
    let scan = Scan {
        surfaces: setup.surfaces(),
        interest: &setup.interest,
        keep: &keep,
        deep: options.deep,
        threads: setup.threads(),
        stop: &STOP,
        progress: &progress.names,
    };
    let outcome = scan.run(&target)?;
    drop(progress);
    if options.output.verbose > 0 {
        output::note(&format!(
            "{} names met, {} facts kept, {} problems",
            outcome.coverage.files_seen,
            outcome.seen.len(),
            outcome.coverage.gaps.len()
        ));
        for (id, count) in outcome.coverage.surfaces.iter().filter(|_| options.output.verbose > 1) {
            output::note(&format!("{id}: {} files, {} facts", count.files, count.facts));
        }
    }
    let evidence = outcome.seen.into_iter().map(Evidence::from).collect();
    let accounts = BTreeMap::from([(outcome.tree, outcome.accounts)]);
    let assessment = setup.judge(evidence, accounts.clone())?;
    let report = report::build(Examination {
        index: &setup.index,
        layers: setup.indicators.layers.clone(),
        catalog: &setup.catalog,
        assessment: &assessment,
        coverage: outcome.coverage,
        accounts: &accounts,
        target: described(&target, outcome.os),
        started,
        finished: Timestamp::now(),
        argv: output::argv(),
        user: output::user(),
        privileged: is_root(),
        scope: setup.scope(matches!(target, Target::Live | Target::Root(_))),
    });
    // The program ends soon; taking tens of thousands of indicators apart would cost more than the system needs for all of them.
    std::mem::forget(setup);
    Ok(report)
}

fn target(options: &ScanOptions, paths: Vec<PathBuf>) -> anyhow::Result<Target> {
    match (&options.root, options.home.as_slice(), paths.as_slice()) {
        (Some(root), [], []) => Ok(Target::Root(root.clone())),
        (None, [], []) => Ok(Target::Live),
        (None, homes, []) => Ok(Target::Paths(homes.to_vec(), true)),
        (None, [], paths) => Ok(Target::Paths(paths.to_vec(), false)),
        _ => bail!(
            "`--root`, `--home` and paths exclude each other\nhint: for a home on a mounted disk give its path to `--home`"
        ),
    }
}

fn described(target: &Target, os: Option<String>) -> v1::Target {
    let list = |paths: &[PathBuf]| paths.iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let (kind, id) = match target {
        Target::Live => ("host", output::host_name()),
        Target::Root(root) => ("root", root.to_string_lossy().into_owned()),
        Target::Paths(paths, true) => ("home", list(paths)),
        Target::Paths(paths, false) => ("path", list(paths)),
    };
    v1::Target { kind: kind.to_owned(), id, os }
}
