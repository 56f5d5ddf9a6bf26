//! Parse, call, exit code.

use std::{
    io::Write as _,
    process::{ExitCode, Termination as _},
};

use clap::{Parser as _, error::ErrorKind};
use dosimeter::{cli::Cli, commands};

fn main() -> ExitCode {
    // A panic's message may quote the evidence: only its place in this program is told.
    std::panic::set_hook(Box::new(|info| {
        if dosimeter::guard::is_quiet() {
            return;
        }
        let place = info.location().map(|l| format!("{}:{}", l.file(), l.line())).unwrap_or_default();
        let _ = writeln!(std::io::stderr(), "internal error at {place}; the file it was reading is listed as a gap");
    }));
    if let Err(error) = commands::stop_on_signals() {
        let _ = writeln!(std::io::stderr(), "warning: Ctrl-C will end the run without a report: {error}");
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            if error.kind() == ErrorKind::InvalidSubcommand {
                let _ = writeln!(std::io::stderr(), "hint: to examine a folder or a file write `dosimeter scan PATH`");
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match commands::run(cli) {
        Ok(ending) => ExitCode::from(ending.code()).report(),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}
