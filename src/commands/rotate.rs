//! `dosimeter rotate`: the ordered checklist, of a report or of this machine.

use anyhow::anyhow;
use serde_json::error::Category;

use super::{Ending, input, output, sandbox, scan};
use crate::{
    cli::RotateCommand,
    report::v1::{Report, SCHEMA},
};

/// Prints it.
///
/// # Errors
/// Where the report cannot be read, or the machine not examined.
pub fn run(command: RotateCommand) -> anyhow::Result<Ending> {
    let target = scan::target(&command.scan, Vec::new())?;
    let evidence = command.report.as_ref().map_or(scan::evidence(&target), std::slice::from_ref);
    let outputs = output::plan(&command.scan.output, evidence)?;
    let report = match &command.report {
        None => scan::examine("rotate", &command.scan, &target, &outputs)?,
        Some(path) => {
            sandbox::begin("rotate").enclose(std::slice::from_ref(path));
            anyhow::ensure!(
                command.scan.root.is_none() && command.scan.home.is_empty(),
                "a report and `--root` or `--home` exclude each other\nhint: without a report they are examined first"
            );
            let text = input::text(path)?;
            let report: Report = serde_json::from_str(&text).map_err(|e| {
                // The parser's own words may quote the file, and it may be the wrong one.
                let what = match e.classify() {
                    Category::Data => "not of a report's form",
                    Category::Eof => "the file ends too early",
                    Category::Syntax | Category::Io => "not JSON",
                };
                let (shown, line, column) = (output::shown(path), e.line(), e.column());
                anyhow!("`{shown}` is not a report: {what}, line {line} column {column}\nhint: `dosimeter -o case.json` writes one")
            })?;
            anyhow::ensure!(report.schema == SCHEMA, "`{}` is not a `{SCHEMA}`", output::shown(path));
            report
        }
    };
    outputs.write_checklist(&report)?;
    Ok(output::ending(&report, &command.scan.output))
}
