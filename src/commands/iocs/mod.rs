//! `dosimeter iocs`: working with the indicators.

mod build;
mod check;
mod export;
mod import;
mod list;
mod search;
mod show;
mod update;

use super::Ending;
use crate::cli::{Iocs, IocsCommand};

/// Runs one of them.
///
/// # Errors
/// Where a file cannot be read, or has a fault.
pub fn run(command: IocsCommand) -> anyhow::Result<Ending> {
    match command.command {
        Iocs::Check { paths } => check::run(&paths),
        Iocs::List(command) => list::run(&command),
        Iocs::Show(command) => show::run(&command),
        Iocs::Search(command) => search::run(&command),
        Iocs::Update(command) => update::run(&command),
        Iocs::Build(command) => build::run(&command),
        Iocs::Import(command) => import::run(&command),
        Iocs::Export(command) => export::run(&command),
    }
}
