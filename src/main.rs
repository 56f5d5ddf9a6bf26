//! Parse, call, exit code.

use std::{
    io::Write as _,
    process::{ExitCode, Termination as _},
};

use clap::Parser as _;
use dosimeter::{cli::Cli, commands};

fn main() -> ExitCode {
    // A panic's message may quote the evidence: only its place in this program is told.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|l| format!("{}:{}", l.file(), l.line())).unwrap_or_default();
        let _ = writeln!(std::io::stderr(), "internal error at {place}; the file it was reading is listed as a gap");
    }));
    if let Err(error) = commands::stop_on_signals() {
        let _ = writeln!(std::io::stderr(), "warning: Ctrl-C will end the run without a report: {error}");
    }
    match commands::run(Cli::parse()) {
        Ok(ending) => ExitCode::from(ending.code()).report(),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}
