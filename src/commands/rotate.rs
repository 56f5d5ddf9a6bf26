//! `dosimeter rotate`: the ordered checklist, of a report or of this machine.

use std::{io, path::Path};

use anyhow::anyhow;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::{Ending, finish::finish, input, output, sandbox, scan};
use crate::{
    cli::RotateCommand,
    report::{
        Document,
        v1::{Report, SCHEMA},
    },
    scan::Target,
    stop,
};

/// Prints it.
///
/// # Errors
/// Where the report cannot be read, or the machine not examined.
pub fn run(command: RotateCommand) -> anyhow::Result<Ending> {
    let target = scan::target(&command.scan, Vec::new())?;
    let evidence = command.report.as_ref().map_or(scan::evidence(&target), std::slice::from_ref);
    let inventory = command.scan.record.inventory.as_deref();
    anyhow::ensure!(
        inventory.is_none() || command.report.is_none(),
        "a report and `--inventory` exclude each other\nhint: without a report the machine is examined first"
    );
    anyhow::ensure!(
        command.scan.case_key.is_none() || command.report.is_none(),
        "a report and `--case-key` exclude each other\nhint: its tags are compared by `dosimeter verify`"
    );
    let outputs = output::plan_with(&command.scan.output, evidence, Document::Checklist, inventory)?;
    let report = match &command.report {
        None => scan::examine("rotate", &command.scan, &target, &outputs)?,
        Some(path) => {
            let sandbox = sandbox::begin("rotate");
            sandbox.enclose(std::slice::from_ref(path));
            anyhow::ensure!(
                command.scan.root.is_none() && command.scan.home.is_empty(),
                "a report and `--root` or `--home` exclude each other\nhint: without a report they are examined first"
            );
            match read(path) {
                Err(_) if stop::requested() => {
                    let nothing = Target::Paths(Vec::new(), false);
                    let mut report = scan::examine_in(&sandbox, &command.scan, &nothing, &outputs)?;
                    report.run.target.id = path.to_string_lossy().into_owned();
                    report
                }
                other => other?,
            }
        }
    };
    finish(report, &command.scan.output, |report, interrupted| match interrupted {
        // A list of steps cannot say that it is not whole.
        true => outputs.write_interrupted(report),
        false => outputs.write_checklist(report),
    })
}

/// Values of a report: each of 20,000 findings has some forty.
const VALUES: u64 = 4_000_000;

/// The report in a file.
fn read(path: &Path) -> anyhow::Result<Report> {
    let report: Report = json(path, "report")?;
    anyhow::ensure!(report.schema == SCHEMA, "`{}` is not a `{SCHEMA}`", output::shown(path));
    Ok(report)
}

/// A document in a file, called `what` in messages. It is never held as a text too.
pub fn json<T: DeserializeOwned>(path: &Path, what: &str) -> anyhow::Result<T> {
    let shown = output::shown(path);
    let input = input::open(path)?;
    anyhow::ensure!(
        input.regular().is_none_or(|(_, len)| len <= input::REPORT),
        "`{shown}` is larger than {} MB: no report is",
        input::REPORT >> 20
    );
    let bounded = input::Bounded::new(input, input::REPORT, VALUES);
    serde_json::from_reader(io::BufReader::with_capacity(1 << 16, bounded)).map_err(|e| {
        // The parser's own words may quote the file, and it may be the wrong one.
        let at = format!("line {} column {}", e.line(), e.column());
        let why = match e.classify() {
            Category::Data => format!("not of its form, {at}"),
            Category::Eof => format!("the file ends too early, {at}"),
            Category::Syntax => format!("not JSON, {at}"),
            Category::Io => io::Error::from(e).to_string(),
        };
        anyhow!("`{shown}` is not a {what}: {why}\nhint: `dosimeter -o case.json` writes a report")
    })
}
