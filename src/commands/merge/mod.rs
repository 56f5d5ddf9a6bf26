//! `dosimeter merge`: what several runs found, in one report.

mod parts;

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, ensure};
use jiff::Timestamp;

use super::{
    Ending,
    examine::Setup,
    finish::finish,
    fleet, input,
    inventories::{self, Look},
    output, rotate, sandbox,
};
use crate::{
    cli::{Choice, MergeCommand},
    coverage::{GapKind, INVENTORY},
    image::is_part,
    plan,
    report::{
        Document, settle,
        v1::{self, Report},
    },
    sandbox::Sandbox,
    scan::Settings,
    stop,
};

/// Bytes that show what a file is.
const START: u64 = 64 << 10;
/// Files of one run.
const FILES: usize = 200_000;

/// What the command line names, by what it is.
#[derive(Default)]
struct Named {
    parts: Vec<(PathBuf, File)>,
    reports: Vec<PathBuf>,
    inventories: Vec<PathBuf>,
    /// Files of folders that are none of these.
    others: Vec<PathBuf>,
    /// What of folders cannot be read.
    gaps: Vec<v1::Gap>,
}

/// Joins and reports.
///
/// # Errors
/// Where a file that was named cannot be used, or the report cannot be written.
pub fn run(command: MergeCommand) -> anyhow::Result<Ending> {
    let started = Timestamp::now();
    let outputs = output::plan(&command.output, &command.files, Document::Report)?;
    // Parts stay open until the report is made.
    crate::sandbox::raise_open_files();
    let sandbox = sandbox::begin("merge");
    let named = named(&command.files)?;
    sandbox.enclose(&command.files);
    let report = merged(&command, named, &sandbox, started)?;
    report.run.sandbox.iter().filter(|_| command.output.verbose > 0).for_each(|held| output::note(&held.words()));
    finish(report, &command.output, |report, _| outputs.write(report))
}

fn merged(command: &MergeCommand, named: Named, sandbox: &Sandbox, started: Timestamp) -> anyhow::Result<Report> {
    let choice = Choice { indicators: command.indicators.clone(), threads: command.threads, ..Choice::default() };
    let mut setup = Setup::new(&choice, false, &Settings::default(), false)?;
    let (mut reports, mut gaps): (Vec<(String, Report)>, Vec<v1::Gap>) = (Vec::new(), named.gaps);
    if !named.parts.is_empty() {
        reports.push(("shards".to_owned(), parts::judged(named.parts, &mut setup, sandbox, started)?));
    }
    let alone = named.reports.len() + named.inventories.len() == 1 && reports.is_empty();
    for path in &named.reports {
        stop::check()?;
        match rotate::read(path) {
            Ok(report) => reports.push((output::shown(path), report)),
            Err(error) if alone => return Err(error),
            Err(error) => gaps.push(gap(path, &error)),
        }
    }
    // In whatever order they come, and as often.
    reports.sort_by_cached_key(|(file, r)| {
        (r.run.target.kind.clone(), plan::called(&r.run.target).to_owned(), r.run.started, file.clone())
    });
    reports.dedup_by(|a, b| a.1 == b.1);
    if !command.output.quiet {
        plan::joined(&reports).iter().for_each(|line| output::note(line));
    }
    let is_one = reports.len() + named.inventories.len() == 1;
    let mut report = if named.inventories.is_empty() {
        let Some(report) = plan::of_several(reports) else {
            anyhow::bail!("none of the files can be used: {}", gaps.first().map_or("", |gap| gap.detail.as_str()));
        };
        report
    } else {
        let many = inventories::many(&named.inventories)?;
        let fleet = fleet::gathered(&mut setup, sandbox, &many, command.output.quiet, started)?;
        let run = fleet::run(&setup, output::shown_some(&command.files), started);
        plan::with_fleet(fleet, run, reports).context("nothing to report")?
    };
    let others = named.others.iter().map(|path| v1::Exclusion {
        location: location(path),
        reason: "it is no part, no report and no inventory".to_owned(),
    });
    report.coverage.exclusions.extend(others);
    if !is_one || !gaps.is_empty() {
        report.coverage.gaps.append(&mut gaps);
        settle(&mut report);
        if !report.machines.is_empty() {
            report.run.target.id = output::shown_some(&command.files);
        }
        (report.run.started, report.run.finished) = (started, Timestamp::now());
        (report.run.argv, report.run.user) = (output::argv(), output::user());
        report.run.sandbox = Some(v1::Sandbox::from(sandbox.held()));
    }
    Ok(report)
}

fn location(path: &Path) -> v1::Location {
    let (tree, path) = ("files".to_owned(), v1::PathText(path.as_os_str().as_encoded_bytes().to_vec()));
    v1::Location { tree, path, inner: None, line: None, layer: None }
}

fn gap(path: &Path, error: &anyhow::Error) -> v1::Gap {
    let detail = format!("{error:#}").lines().next().unwrap_or_default().to_owned();
    v1::Gap { location: location(path), surface: INVENTORY.to_owned(), kind: GapKind::Unreadable, detail }
}

/// Looks at what the command line names.
fn named(files: &[PathBuf]) -> anyhow::Result<Named> {
    let mut named = Named::default();
    let mut count = 0;
    for path in files {
        if !path.is_dir() {
            ensure!(
                add(&mut named, path.clone())?,
                "`{}` is no part of `images --shard`, no report and no inventory\nhint: reports are merged as JSON (`-o FILE.json`)",
                output::shown(path)
            );
            continue;
        }
        for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
            stop::check()?;
            let entry = match entry {
                Ok(entry) if entry.path().is_file() => entry.into_path(),
                Ok(_) => continue,
                Err(error) if error.depth() == 0 => {
                    return Err(error).with_context(|| format!("cannot read `{}`", output::shown(path)));
                }
                Err(error) => {
                    let place = error.path().unwrap_or(path).to_owned();
                    let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    named.gaps.push(gap(&place, &anyhow!("cannot read: {why}")));
                    continue;
                }
            };
            count += 1;
            ensure!(count <= FILES, "more than {FILES} files\nhint: merge them in parts, then the reports");
            match add(&mut named, entry.clone()) {
                Ok(true) => {}
                Ok(false) => named.others.push(entry),
                Err(error) => named.gaps.push(gap(&entry, &error)),
            }
        }
    }
    ensure!(
        named.parts.len() + named.reports.len() + named.inventories.len() > 0,
        "no part, report or inventory is there\nhint: `dosimeter images --shard` writes parts, `-o FILE.json` reports, `--inventory` inventories"
    );
    Ok(named)
}

/// Puts a file where it belongs; whether it belongs anywhere.
fn add(named: &mut Named, path: PathBuf) -> anyhow::Result<bool> {
    let mut input = input::open(&path)?;
    let mut start = Vec::new();
    (&mut input).take(START).read_to_end(&mut start).with_context(|| format!("`{}`", output::shown(&path)))?;
    if is_part(&start) {
        let (file, _) = input.regular().with_context(|| format!("`{}` is no file", output::shown(&path)))?;
        named.parts.push((path, file.try_clone()?));
        return Ok(true);
    }
    let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    match inventories::look_at(&start) {
        Look::Is(_) => named.inventories.push(path),
        Look::Ours if is_json || start.trim_ascii_start().starts_with(b"{\n") => named.reports.push(path),
        Look::Ours | Look::Unclear => return Ok(false),
    }
    Ok(true)
}
