//! `dosimeter verify`: what of a report's checklist is closed, open and unknown.

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use jiff::Timestamp;

use super::{
    Ending, case_key,
    handed::{self, Handed},
    output,
    rotate::json,
    sandbox, scan,
};
use crate::{
    cli::{Choice, ListFormat, OutputOptions, RecordOptions, ScanOptions, VerifyCommand},
    credential::{Catalog, Forms, tag::CaseKey},
    report::{format, v1::Report},
    scan::Target,
    stop,
    text::printable,
    verdict::Exposure,
    verify::{
        Attestation, Case, Input, Unclear, judge,
        listing::Listing,
        render,
        v1::{SCHEMA, State, Verification},
    },
};

/// Compares, and prints.
///
/// # Errors
/// Where the report or another file cannot be used, or the target not be examined.
pub fn run(command: VerifyCommand) -> anyhow::Result<Ending> {
    let attested = attestations(&command.attest)?;
    let mut inputs: Vec<PathBuf> = [&command.report].into_iter().chain(&command.case_key).cloned().collect();
    inputs.extend(handed::paths(&command.listing, &command.log));
    let named: Vec<PathBuf> = inputs.iter().chain(&command.root).chain(&command.home).cloned().collect();
    let places = outputs(&command, &named)?;
    output::start(&places, &[]);
    let sandbox = sandbox::begin("verify");
    let case = read(&command.report)?;
    let catalog = Catalog::embedded().map_err(anyhow::Error::msg)?;
    let attested = resolved(attested, &case, &catalog)?;
    let target = target(&command, &case)?;
    let evidence = target.as_ref().map_or([].as_slice(), scan::evidence);
    // The report may have named it, not the command line.
    outputs(&command, evidence)?;
    let key = command.case_key.as_deref().map(|path| case_key::read(path, evidence)).transpose()?;
    same_key(&case, key.as_ref(), &command)?;
    let handed = Handed::open(&command.listing, &command.log)?;
    let options = options(&command);
    let examined = match &target {
        Err(reason) => Err(reason.clone()),
        Ok(target) => {
            let outputs = output::Outputs::none(&places);
            let earlier = scan::Earlier { key, places: case.moved(&catalog) };
            Ok(scan::examine_with(&sandbox, &options, target, &outputs, earlier)?)
        }
    };
    let examined = examined.and_then(|report| same_disk(&case, report));
    if stop::requested() {
        output::note("interrupted: nothing was compared");
        return Ok(Ending::Interrupted);
    }
    let now = Timestamp::now();
    let today = examined.as_ref().ok().into_iter().flat_map(|report| &report.credentials);
    let wanted = case.credentials.iter().chain(today).filter_map(|c| c.identifier.clone()).collect();
    let (listings, extracts) = match handed.read(&wanted, now) {
        Err(_) if stop::requested() => return Ok(Ending::Interrupted),
        other => other?,
    };
    note_unused(&attested, &case, &listings);
    let name = examined.as_ref().ok().and_then(|report| report.run.target.name.as_deref());
    let machine = target.as_ref().ok().map(|target| machine(&command, &case, target, name)).transpose()?.flatten();
    let input = Input {
        file: output::shown(&command.report),
        case: &case,
        catalog: &catalog,
        today: examined.as_ref().map_err(Clone::clone),
        machine,
        listings: &listings,
        extracts: &extracts,
        attested: &attested,
        fail_on: Exposure::from(command.fail_on),
        now,
    };
    let answer = judge(&input);
    write(&command, &places, &answer)?;
    Ok(match answer.state() {
        State::Open => Ending::Exposed,
        State::Unknown => Ending::Incomplete,
        State::Closed => Ending::Nothing,
    })
}

/// What people say, of each credential by its id. Refused is what names none or several: it would count for nothing, or too much.
fn resolved(attested: Vec<Attestation>, case: &Case, catalog: &Catalog) -> anyhow::Result<Vec<Attestation>> {
    let forms = Forms::new(catalog);
    let mut all = Vec::new();
    for statement in attested {
        let named = crate::text::escape(statement.id.as_bytes());
        all.extend(statement.resolved(case, &forms).map_err(|unclear| {
            let hint = match unclear {
                Unclear::Several { .. } => "name each by its `c-` id",
                Unclear::NoSecret => "name the item that replaces the credential (B…), or its `c-` id",
                Unclear::Nothing => {
                    "take the number of the plan (B5), the `c-` id that `verify` prints, or the public identifier"
                }
            };
            anyhow::anyhow!("`--attest`, `{named}`: {}\nhint: {hint}", printable(&unclear.to_string()))
        })?);
    }
    Ok(all)
}

/// Says which statements are about nothing: a key that only a listing has is called as that calls it.
fn note_unused(attested: &[Attestation], case: &Case, listings: &[Listing]) {
    let of_case = |a: &Attestation| case.credentials.iter().any(|c| c.id == a.id);
    let listed = |a: &Attestation| listings.iter().any(|l| l.entry(&a.id).is_some());
    for a in attested.iter().filter(|a| !of_case(a) && !listed(a)) {
        let id = crate::text::escape(a.id.as_bytes());
        output::note(&format!(
            "`--attest`: no credential of this case or of a listing is called `{id}`: it counts for nothing"
        ));
    }
}

fn attestations(lines: &[String]) -> anyhow::Result<Vec<Attestation>> {
    let read = |line: &String| Attestation::parse(line).map_err(|form| anyhow::anyhow!("`--attest {line}`: {form}"));
    lines.iter().map(read).collect()
}

fn read(path: &Path) -> anyhow::Result<Case> {
    let case: Case = json(path, "report or plan")?;
    let shown = output::shown(path);
    case.checked().map_err(|error| anyhow::anyhow!("`{shown}` cannot be verified: {error}"))
}

/// What to examine: what the command line names, else what the report examined. `Err` is a reason why nothing can be.
fn target(command: &VerifyCommand, case: &Case) -> anyhow::Result<Result<Target, String>> {
    if let Some(root) = &command.root {
        return Ok(Ok(Target::Root(root.clone())));
    }
    if !command.home.is_empty() {
        return Ok(Ok(Target::Paths(command.home.clone(), true)));
    }
    let then = &case.run.target;
    let id = PathBuf::from(&then.id);
    let there = |path: &PathBuf| rustix::fs::stat(path).is_ok();
    Ok(match then.kind.as_str() {
        // What another machine has is neither its credential nor its finding.
        "host" if then.id != output::host_name() => Err(elsewhere(&then.id)),
        "host" => Ok(Target::Live),
        "inventories" if machine(command, case, &Target::Live, None)?.is_none() => Err(elsewhere(&then.id)),
        "inventories" => Ok(Target::Live),
        "root" if there(&id) => Ok(Target::Root(id)),
        "root" => {
            bail!("`{}`, which the report examined, is not there\nhint: name it with `--root`", output::shown(&id))
        }
        kind @ ("home" | "path") => {
            // Several are joined by blanks, and one may hold some.
            let several: Vec<PathBuf> = then.id.split(' ').map(PathBuf::from).collect();
            let paths = if there(&id) { vec![id.clone()] } else { several };
            ensure!(
                paths.iter().all(there),
                "`{}`, which the report examined, is not there\nhint: name it with `--home` or `--root`",
                output::shown(&id)
            );
            Ok(Target::Paths(paths, kind == "home"))
        }
        kind => {
            Err(format!("the report is one of `{kind}`: its places are looked at by an examination of the new ones"))
        }
    })
}

/// What another disk at the same folder has says nothing of this case.
fn same_disk(case: &Case, today: Report) -> Result<Report, String> {
    match (&case.run.target.name, &today.run.target.name) {
        (Some(then), Some(now)) if !then.eq_ignore_ascii_case(now) => {
            Err(format!("the report is of the disk of `{then}`, and this one calls itself `{now}`"))
        }
        _ => Ok(today),
    }
}

/// Which machine of a report of several a target is; `name` is what a disk calls itself.
fn machine<'c>(
    command: &VerifyCommand,
    case: &'c Case,
    target: &Target,
    name: Option<&str>,
) -> anyhow::Result<Option<&'c str>> {
    if let Some(name) = &command.machine {
        let known = case.machines().find(|machine| machine == name);
        let all: Vec<&str> = case.machines().take(20).collect();
        ensure!(known.is_some(), "the report has no machine `{name}`\nhint: it has {}", all.join(", "));
        return Ok(known);
    }
    let found = match target {
        Target::Live => case.machine("host", &output::host_name()),
        Target::Root(root) => case.disk(&root.to_string_lossy(), name),
        Target::Paths(..) => None,
    };
    let several = case.machines().next().is_some();
    ensure!(
        found.is_some() || !several || *target == Target::Live,
        "the report is of several machines, and which one this is nothing says\nhint: name it with `--machine`"
    );
    Ok(found)
}

fn elsewhere(examined: &str) -> String {
    let own = output::host_name();
    format!("the report is of `{examined}`, and this is `{own}`: verify there, or name its disk with `--root`")
}

/// Tags of two keys differ for one value: every one would seem replaced.
fn same_key(case: &Case, key: Option<&CaseKey>, command: &VerifyCommand) -> anyhow::Result<()> {
    let (names, Some(given)) = (case.key_names(), key.map(CaseKey::name)) else {
        return Ok(());
    };
    ensure!(
        names.is_empty() || names.contains(&given),
        "`{}` is not the case key of the report: it is `{given}`, the report was written with `{}`",
        command.case_key.as_deref().map(output::shown).unwrap_or_default(),
        names.join("`, `")
    );
    Ok(())
}

fn options(command: &VerifyCommand) -> ScanOptions {
    let output = OutputOptions {
        format: format::JSON,
        output: Vec::new(),
        force_output: false,
        fail_on: command.fail_on,
        exit_zero: false,
        quiet: command.quiet,
        verbose: 0,
    };
    let choice = Choice { indicators: command.indicators.clone(), threads: command.threads, ..Choice::default() };
    ScanOptions {
        root: None,
        home: Vec::new(),
        deep: false,
        case_key: None,
        record: RecordOptions::default(),
        choice,
        output,
    }
}

/// Columns of a table in a file.
const FILE: usize = 100;

/// A file of an earlier answer: as JSON, or as a table.
fn is_ours(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let table = ["OPEN: ", "NOT PROVEN: ", "CLOSED: ", "NOTHING OPEN in"].iter().any(|w| text.starts_with(w))
        && text.contains("\n  report ");
    table || (text.starts_with('{') && text.contains(&format!("\"schema\": \"{SCHEMA}\"")))
}

fn outputs(command: &VerifyCommand, evidence: &[PathBuf]) -> anyhow::Result<Vec<output::Place>> {
    let ending = |path: &PathBuf| path.extension().is_some_and(|e| e == "json" || e == "txt");
    if let Some(other) = command.output.iter().find(|path| !ending(path) && !output::Place::is_stream(path)) {
        bail!("no format of `verify` ends like `{}`\nhint: use `.json` or `.txt`", output::shown(other));
    }
    let check = |path: &PathBuf| output::check_as(path, evidence, is_ours, command.force_output);
    command.output.iter().map(check).collect()
}

fn write(command: &VerifyCommand, places: &[output::Place], answer: &Verification) -> anyhow::Result<()> {
    let as_json = || serde_json::to_string_pretty(answer).map(|text| text + "\n");
    let mut failed = Ok(());
    for place in places {
        let table = place.named().extension().is_some_and(|e| e == "txt");
        let text = if table { render(answer, FILE) } else { as_json()? };
        failed = failed.and(output::write_named(place, text.as_bytes()));
    }
    let text = match command.format {
        ListFormat::Table => render(answer, usize::from(output::width())),
        ListFormat::Json => as_json()?,
    };
    failed.and(output::print(text.trim_end_matches('\n')))
}
