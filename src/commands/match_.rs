//! `dosimeter match`: what inventories hold, judged with the indicators of today.

use std::os::unix::ffi::OsStrExt as _;

use anyhow::anyhow;
use jiff::Timestamp;

use super::{
    Ending,
    examine::Setup,
    finish::finish,
    fleet,
    inventories::{self, Inputs},
    output, sandbox,
    stored::{Reading, read},
};
use crate::{
    cli::{Choice, MatchCommand},
    report::{Document, v1::Report},
    sandbox::Sandbox,
    scan::Settings,
};

/// Judges and reports.
///
/// # Errors
/// Where no inventory can be read, or the report cannot be written.
pub fn run(command: MatchCommand) -> anyhow::Result<Ending> {
    let outputs = output::plan(&command.output, &command.inventories, Document::Report)?;
    let sandbox = sandbox::begin("match");
    let report = judged(&command, &sandbox)?;
    finish(report, &command.output, |report, _| outputs.write(report))
}

fn judged(command: &MatchCommand, sandbox: &Sandbox) -> anyhow::Result<Report> {
    let started = Timestamp::now();
    let inputs = inventories::inputs(&command.inventories)?;
    let choice = Choice {
        incident: command.incident.clone(),
        indicators: command.indicators.clone(),
        threads: command.threads,
        ..Choice::default()
    };
    let mut setup = Setup::new(&choice, false, &Settings::default(), false)?;
    let (path, input) = match inputs {
        Inputs::One(path, input) => (path, input),
        Inputs::Many(many) => return fleet::judged(command, setup, sandbox, many, started),
    };
    sandbox.enclose(&[]);
    let shown = output::shown(&path);
    let name = path.file_name().map_or(&b"-"[..], std::ffi::OsStr::as_bytes);
    let reading = Reading { shown: &shown, name, label: None, before_line: &|_, _| () };
    let examined = read(&setup, input, &reading).map_err(|why| anyhow!("`{shown}` cannot be used: {why}"))?;
    setup.admit(&examined.evidence)?;
    Ok(examined.report(&setup, sandbox, started))
}
