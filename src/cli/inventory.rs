//! The command line of what works with inventories.

use std::path::PathBuf;

use clap::Args;

use super::{IndicatorOptions, OutputOptions};

/// `dosimeter match`.
#[derive(Debug, Args)]
pub struct MatchCommand {
    /// An inventory of `dosimeter scan --inventory FILE`, or an SBOM (CycloneDX or SPDX 2.3 JSON); `-` for standard input
    #[arg(value_name = "INVENTORY")]
    pub inventory: PathBuf,
    /// This incident only (repeatable)
    #[arg(long, value_name = "ID")]
    pub incident: Vec<String>,
    #[command(flatten)]
    /// Where the indicators come from.
    pub indicators: IndicatorOptions,
    #[command(flatten)]
    /// Where the report goes.
    pub output: OutputOptions,
}
