//! `dosimeter` and `dosimeter scan`: a machine, a mounted disk, homes, folders.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::bail;
use jiff::Timestamp;

use super::{
    Ending,
    examine::Setup,
    finish::finish,
    output::{self, Outputs},
    progress::Progress,
    sandbox,
};
use crate::{
    assess::Evidence,
    cli::{ScanCommand, ScanOptions},
    coverage::{Gap, GapKind},
    credential,
    fact::{Origin, TreePath},
    ioc::weigh::Weigher,
    matcher,
    report::{
        self, Document, Examination,
        v1::{self, Report},
    },
    sandbox::Sandbox,
    scan::{self, RECORD, Scan, Target, is_root},
    stop::STOP,
};

/// Examines and reports.
///
/// # Errors
/// Where the target cannot be opened, or the report cannot be written.
pub fn run(command: ScanCommand) -> anyhow::Result<Ending> {
    let target = target(&command.options, command.paths)?;
    let outputs = output::plan(&command.options.output, evidence(&target), Document::Report)?;
    let report = examine("scan", &command.options, &target, &outputs)?;
    finish(report, &command.options.output, |report, _| outputs.write(report))
}

/// Where no file of ours may stand. Somebody who examines the machine that they sit at has no other place.
pub fn evidence(target: &Target) -> &[PathBuf] {
    match target {
        Target::Live => &[],
        Target::Root(root) => std::slice::from_ref(root),
        Target::Paths(paths, _) => paths,
    }
}

/// The report of an examination.
///
/// # Errors
/// Where the target cannot be opened.
pub fn examine(command: &str, options: &ScanOptions, target: &Target, outputs: &Outputs) -> anyhow::Result<Report> {
    examine_in(&sandbox::begin(command), options, target, outputs)
}

/// The same, in a sandbox that has begun: it cannot begin twice.
///
/// # Errors
/// As for `examine`.
pub fn examine_in(
    sandbox: &Sandbox,
    options: &ScanOptions,
    target: &Target,
    outputs: &Outputs,
) -> anyhow::Result<Report> {
    let started = Timestamp::now();
    let settings = scan::settings(target, &STOP)?;
    let mut setup = Setup::new(&options.choice, options.deep, &settings.texts, *target == Target::Live)?;
    let reads = scan::reads(target);
    // Landlock would take away what is to be read of other processes.
    let of_processes = reads.iter().any(|place| place.starts_with("/proc"));
    let enclose = || {
        // One without a target is enclosed already.
        if !of_processes && !reads.is_empty() {
            sandbox.enclose(&reads);
        }
    };
    let progress = Progress::start("examining", options.output.quiet);
    let keep = |seen: &crate::fact::Seen| matcher::worth(&setup.index, seen);
    let weigher = Weigher::new(&setup.index);
    let weigh = |path: &TreePath, bytes: &[u8]| weigher.weigh(path, bytes);
    let scan = Scan {
        surfaces: setup.surfaces(),
        interest: &setup.interest,
        keep: &keep,
        weigh: &weigh,
        deep: options.deep && setup.wants(RECORD.id),
        threads: setup.threads(),
        stop: &STOP,
        progress: &progress.names,
        enclose: &enclose,
        leave_out: if *target == Target::Live { outputs.real() } else { Vec::new() },
    };
    let mut outcome = scan.run(target)?;
    drop(progress);
    outcome.coverage.gaps.extend(settings.gaps);
    outcome.coverage.gaps.extend(setup.moved_gap.take().map(|detail| Gap {
        origin: Origin::file(&outcome.tree, TreePath::root()),
        surface: credential::surface::META.id,
        kind: GapKind::TooLarge,
        detail,
    }));
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
    setup.note_unread(&outcome.coverage);
    let assessment = setup.judge(evidence, accounts.clone())?;
    let mut report = report::build(Examination {
        index: &setup.index,
        layers: setup.indicators.layers.clone(),
        catalog: &setup.catalog,
        assessment: &assessment,
        coverage: outcome.coverage,
        accounts: &accounts,
        target: described(target, outcome.os),
        started,
        finished: Timestamp::now(),
        argv: output::argv(),
        user: output::user(),
        privileged: is_root(),
        scope: setup.scope(matches!(target, Target::Live | Target::Root(_))),
    });
    let held = v1::Sandbox::from(sandbox.held());
    if options.output.verbose > 0 {
        output::note(&held.words());
    }
    report.run.sandbox = Some(held);
    // The program ends soon; taking tens of thousands of indicators apart would cost more than the system needs for all of them.
    std::mem::forget(setup);
    Ok(report)
}

/// What to examine, by the command line.
///
/// # Errors
/// Where it names two kinds of target.
pub fn target(options: &ScanOptions, paths: Vec<PathBuf>) -> anyhow::Result<Target> {
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
