//! `dosimeter` and `dosimeter scan`: a machine, a mounted disk, homes, folders.

use std::{collections::BTreeMap, io::BufWriter, path::PathBuf};

use anyhow::{Context as _, bail};
use jiff::Timestamp;

use super::{
    Ending, case_key,
    examine::{Judged, Setup},
    finish::finish,
    output::{self, Growing, Outputs, Place},
    progress::Progress,
    sandbox,
};
use crate::{
    assess::Evidence,
    cli::{ScanCommand, ScanOptions},
    coverage::{Gap, GapKind},
    credential::{self, moved::Moved, tag::CaseKey},
    fact::{Origin, TreePath},
    inventory::{self, Writing, v1::Head},
    ioc::weigh::Weigher,
    matcher,
    report::{
        Document,
        v1::{self, Report},
    },
    sandbox::Sandbox,
    scan::{self, Disk, RECORD, Scan, Settings, Target, is_root},
    stop::STOP,
    walk::Recording,
};

/// Examines and reports.
///
/// # Errors
/// Where the target cannot be opened, or the report cannot be written.
pub fn run(command: ScanCommand) -> anyhow::Result<Ending> {
    let target = target(&command.options, command.paths)?;
    let inventory = command.options.record.inventory.as_deref();
    let outputs = output::plan_with(
        &command.options.output,
        evidence(&target),
        Document::Report,
        inventory.map(output::inventory),
        &[],
    )?;
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
    let key = options.case_key.as_deref().map(|path| case_key::read(path, evidence(target))).transpose()?;
    examine_with(sandbox, options, target, outputs, Earlier { key, places: Vec::new() })
}

/// What an examination takes over from an earlier one.
pub struct Earlier {
    /// What tags are made with.
    pub key: Option<CaseKey>,
    /// Places of credentials, which are read whatever the settings of today say.
    pub places: Vec<Moved>,
}

/// The same, with what an earlier one had.
///
/// # Errors
/// As for `examine`.
pub fn examine_with(
    sandbox: &Sandbox,
    options: &ScanOptions,
    target: &Target,
    outputs: &Outputs,
    earlier: Earlier,
) -> anyhow::Result<Report> {
    let started = Timestamp::now();
    let settings = Settings { places: earlier.places, ..scan::settings(target, &STOP)? };
    let mut setup =
        Setup::new(&options.choice, options.deep, &settings, *target == Target::Live)?.with_case_key(earlier.key);
    setup.note_hashing(options.deep);
    setup.interest.named = matches!(target, Target::Paths(_, false));
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
    let weigh =
        |path: &TreePath, bytes: &[u8]| inventory::weigh_own(bytes).unwrap_or_else(|| weigher.weigh(path, bytes));
    let growing = outputs.beside().map(Growing::begin).transpose()?;
    let writing = match (&growing, outputs.beside()) {
        (Some(growing), Some(place)) => Some(begin_inventory(growing, place, &setup, options, target, started)?),
        _ => None,
    };
    let recording =
        writing.as_ref().map(|w| Recording::new(w, setup.index.interest()).with_names(options.record.names));
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
        recording: recording.as_ref(),
    };
    let mut outcome = scan.run(target)?;
    drop(progress);
    drop(recording);
    let mut beside = settings.gaps;
    beside.extend(setup.moved_gap.clone().map(|detail| Gap {
        origin: Origin::file(&outcome.tree, TreePath::root()),
        surface: credential::surface::META.id,
        kind: GapKind::TooLarge,
        detail,
    }));
    let written = writing.map(|writing| {
        let accounts = setup.with_settings(outcome.accounts.clone());
        let gaps: Vec<Gap> = beside.iter().chain(&outcome.compared_gaps).cloned().collect();
        let compared = (outcome.compared.0, outcome.compared.1.as_slice());
        writing.end(&outcome.coverage, &accounts, outcome.os.as_deref(), &gaps, compared)
    });
    if let (Some(growing), Some(written)) = (growing, written) {
        // What was found is reported all the same.
        if let Err(error) = growing.end(written) {
            outputs.fail(error.context("cannot write the inventory"));
        }
    }
    outcome.coverage.gaps.extend(beside);
    if options.output.verbose > 0 {
        output::note(&format!(
            "{} files and folders examined, {} facts kept, {} problems",
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
    let judged = Judged {
        assessment: &assessment,
        coverage: outcome.coverage,
        accounts: &accounts,
        target: described(target, outcome.os, outcome.disk),
        started,
        privileged: is_root(),
        scope: setup.scope(matches!(target, Target::Live | Target::Root(_))),
    };
    let report = setup.report(judged, sandbox);
    report.run.sandbox.iter().filter(|_| options.output.verbose > 0).for_each(|held| output::note(&held.words()));
    // The program ends soon; taking tens of thousands of indicators apart would cost more than the system needs for all of them.
    std::mem::forget(setup);
    Ok(report)
}

fn begin_inventory<'g>(
    growing: &Growing,
    place: &Place,
    setup: &'g Setup,
    options: &ScanOptions,
    target: &Target,
    started: Timestamp,
) -> anyhow::Result<Writing<'g>> {
    // A redacted one names no machine.
    let disk = if options.record.redact { Disk::default() } else { scan::disk(target) };
    let head = Head {
        format: inventory::v1::FORMAT.to_owned(),
        version: inventory::v1::VERSION,
        tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
        started,
        target: described(target, None, disk),
        tree: target.tree().to_owned(),
        indicators: inventory::v1::Indicators {
            digest: setup.digest()?,
            created: setup.index.database.created,
            asked: setup.asked()?.clone(),
        },
        privileged: is_root(),
        only: options.choice.only.clone(),
        skip: options.choice.skip.clone(),
        deep: options.deep,
        names: options.record.names,
        redacted: options.record.redact,
        // Whoever is shown a redacted inventory has no use for tags, and could link it to others by them.
        case_key: setup.case_key.clone().filter(|_| !options.record.redact),
    };
    let compressed = place.named().extension().is_some_and(|e| e == "zst");
    let out = Box::new(BufWriter::with_capacity(1 << 16, growing.file.try_clone()?));
    let git = setup.index.database.incidents.iter().flat_map(|i| &i.git).map(|g| g.value.clone());
    let writing = Writing::begin(out, compressed, &head, &setup.interest).context("cannot write the inventory")?;
    Ok(writing.knowing(git.collect()))
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

fn described(target: &Target, os: Option<String>, disk: Disk) -> v1::Target {
    let list = |paths: &[PathBuf]| paths.iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let (kind, id) = match target {
        Target::Live => ("host", output::host_name()),
        Target::Root(root) => ("root", root.to_string_lossy().into_owned()),
        Target::Paths(paths, true) => ("home", list(paths)),
        Target::Paths(paths, false) => ("path", list(paths)),
    };
    v1::Target { kind: kind.to_owned(), id, name: disk.name, installation: disk.installation, os }
}
