//! Parse, call, exit code.

use std::{
    io::Write as _,
    process::{ExitCode, Termination as _},
};

use clap::{Parser as _, error::ErrorKind};
use dosimeter::{
    cli::Cli,
    commands,
    text::{hidden, printable, printable_lines},
};

fn main() -> ExitCode {
    // A panic's message may quote the evidence: only its place in this program is reported.
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
            if error.use_stderr() {
                let _ = write!(std::io::stderr(), "{}", quoting_harmless_arguments(&error));
            } else {
                let _ = error.print();
            }
            if error.kind() == ErrorKind::InvalidSubcommand {
                let _ = writeln!(std::io::stderr(), "hint: to examine a folder or a file write `dosimeter scan PATH`");
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match commands::run(cli) {
        Ok(ending) => ExitCode::from(ending.code()).report(),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {}", harmless(&format!("{error:#}")));
            ExitCode::from(2)
        }
    }
}

/// What clap says of the same command line with nothing hidden in it; its own text of the real one takes escape codes apart.
fn quoting_harmless_arguments(error: &clap::Error) -> String {
    let arguments = std::env::args_os().map(|a| printable(&a.to_string_lossy()));
    let again = Cli::try_parse_from(arguments).err();
    harmless(&again.as_ref().filter(|again| again.use_stderr()).unwrap_or(error).render().to_string())
}

/// A message that may quote an argument. Line ends are its own: those of an argument are written as signs first.
fn harmless(message: &str) -> String {
    let mut message = message.to_owned();
    for argument in std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()) {
        let value = argument.split_once('=').map(|(_, value)| value.to_owned());
        for part in std::iter::once(argument).chain(value).filter(|part| part.len() > 1 && part.chars().any(hidden)) {
            message = message.replace(&part, &printable(&part));
        }
    }
    printable_lines(&message)
}
