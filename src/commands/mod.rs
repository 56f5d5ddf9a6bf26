//! One file a subcommand. The only place that knows the whole flow, and the only one that writes.

mod case_key;
mod examine;
mod finish;
mod fleet;
mod handed;
mod images;
mod indicators;
mod input;
mod inventories;
mod iocs;
mod layers;
mod match_;
mod merge;
mod output;
mod progress;
mod rotate;
mod rules;
mod sandbox;
mod sbom;
mod scan;
mod stored;
mod surfaces;
mod unrecorded;
mod verify;

use crate::{
    cli::{Cli, Command, ScanCommand},
    stop,
    verdict::Exposure,
};

pub use stop::on_signals as stop_on_signals;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Examined completely, nothing at or above the limit.
    Nothing,
    /// Exposure found.
    Exposed,
    /// Nothing found, and not everything examined.
    Incomplete,
    /// `iocs search`: nothing of what was asked is known.
    Unknown,
    /// `iocs search`: what was asked cannot be looked up.
    Unclear,
    /// Stopped by the user.
    Interrupted,
}

impl Ending {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Exposed => 1,
            Self::Unclear => 2,
            Self::Incomplete => 3,
            Self::Unknown => 4,
            Self::Interrupted => 130,
        }
    }

    /// Of an examination. Exposure always wins.
    pub fn from_examination(exposure: Option<Exposure>, complete: bool, fail_on: Exposure) -> Self {
        let found = exposure.is_some_and(|e| e >= fail_on);
        match found {
            true => Self::Exposed,
            false if complete => Self::Nothing,
            false => Self::Incomplete,
        }
    }
}

/// Runs a command that a signal ends where it stands; one that came before it too.
fn at_once(command: impl FnOnce() -> anyhow::Result<Ending>) -> anyhow::Result<Ending> {
    stop::at_once(true);
    if stop::requested() { Ok(Ending::Interrupted) } else { command() }
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
        Some(Command::Match(command)) => match_::run(command),
        Some(Command::Merge(command)) => merge::run(command),
        Some(Command::Rotate(command)) => rotate::run(command),
        Some(Command::Verify(command)) => verify::run(command),
        // There is nothing to report half-way.
        Some(Command::Surfaces(options)) => at_once(|| surfaces::run(options)),
        Some(Command::Rules(command)) => at_once(|| rules::run(command)),
        Some(Command::Iocs(command)) => at_once(|| iocs::run(command)),
    }
}
