//! The command line of what works with inventories.

use std::path::PathBuf;

use clap::Args;

use super::{IndicatorOptions, OutputOptions};

/// `dosimeter match`.
#[derive(Debug, Args)]
pub struct MatchCommand {
    /// Inventories of `dosimeter scan --inventory FILE`, SBOMs (CycloneDX or SPDX JSON), folders of them; `-` for one, or a list of
    /// paths, on standard input
    #[arg(value_name = "INVENTORY", required = true)]
    pub inventories: Vec<PathBuf>,
    /// This incident only (repeatable)
    #[arg(long, value_name = "ID")]
    pub incident: Vec<String>,
    /// Worker threads; by default one per core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    #[command(flatten)]
    /// Where the indicators come from.
    pub indicators: IndicatorOptions,
    #[command(flatten)]
    /// Where the report goes.
    pub output: OutputOptions,
}

/// What an examination keeps beside its report.
#[derive(Debug, Args, Clone, Default)]
pub struct RecordOptions {
    /// Also write what was read, without judging it, for `dosimeter match`; compressed where FILE ends in `.zst`
    #[arg(long, value_name = "FILE")]
    pub inventory: Option<PathBuf>,
    /// Into the inventory also every path with its size and time, so that it answers for files that no indicator asks for today
    #[arg(long, requires = "inventory")]
    pub names: bool,
    /// Hide the names of users, hosts and repositories in the inventory, so that it can be shown to others
    #[arg(long, requires = "inventory")]
    pub redact: bool,
}
