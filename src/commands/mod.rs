//! One file a subcommand. The only place that knows the whole flow, and the only one that writes.

mod examine;
mod images;
mod indicators;
mod input;
mod iocs;
mod output;
mod progress;
mod rotate;
mod sandbox;
mod scan;
mod surfaces;

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    cli::{Cli, Command, ScanCommand},
    verdict::Exposure,
};

/// Set by the first Ctrl-C: what was found so far is still reported.
pub static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// The first SIGINT or SIGTERM ends the examination, the second the program.
///
/// # Errors
/// Where the system refuses a handler.
pub fn stop_on_signals() -> std::io::Result<()> {
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, STOP.clone())?;
        signal_hook::flag::register(signal, STOP.clone())?;
    }
    Ok(())
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Examined completely, nothing at or above the limit.
    Nothing,
    /// Exposure found.
    Exposed,
    /// Nothing found, and not everything examined.
    Incomplete,
    /// Stopped by the user.
    Interrupted,
}

impl Ending {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Exposed => 1,
            Self::Incomplete => 3,
            Self::Interrupted => 130,
        }
    }

    /// Of an examination. Exposure always wins.
    pub fn of(exposure: Option<Exposure>, complete: bool, fail_on: Exposure) -> Self {
        let found = exposure.is_some_and(|e| e >= fail_on);
        match (found, STOP.load(Ordering::Relaxed)) {
            (_, true) => Self::Interrupted,
            (true, _) => Self::Exposed,
            (false, _) if complete => Self::Nothing,
            (false, _) => Self::Incomplete,
        }
    }
}

/// Runs a command line.
///
/// # Errors
/// What makes exit code 2: the call's fault, or indicators that cannot be used.
pub fn run(cli: Cli) -> anyhow::Result<Ending> {
    if cli.no_sandbox {
        crate::sandbox::switch_off();
    }
    match cli.command {
        None => scan::run(ScanCommand { paths: Vec::new(), options: cli.scan }),
        Some(Command::Scan(command)) => scan::run(command),
        Some(Command::Images(command)) => images::run(command),
        Some(Command::Rotate(command)) => rotate::run(command),
        Some(Command::Surfaces(options)) => surfaces::run(options),
        Some(Command::Iocs(command)) => iocs::run(command),
    }
}
