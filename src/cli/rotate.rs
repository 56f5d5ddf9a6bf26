//! The options of `dosimeter rotate`.

use std::path::PathBuf;

use clap::Args;

use super::ScanOptions;

/// `dosimeter rotate`.
#[derive(Debug, Args)]
pub struct RotateCommand {
    /// Reports written with `-o FILE.json`, of one machine or of several; without one, this machine is examined first
    #[arg(value_name = "REPORT")]
    pub reports: Vec<PathBuf>,
    /// A plan (`-o plan.json`) that is kept up, or its edited Markdown or CSV with ticks (repeatable)
    #[arg(long, value_name = "PLAN")]
    pub update: Vec<PathBuf>,
    /// Only what is about this provider, kind of credential, owner or machine; or about one of several (repeatable, or with commas)
    #[arg(long = "for", value_name = "WORD", value_delimiter = ',', conflicts_with = "why")]
    pub only_for: Vec<String>,
    /// Why an item, by its number or id, stands where it stands
    #[arg(long, value_name = "ITEM")]
    pub why: Option<String>,
    #[command(flatten)]
    /// The options of the examination.
    pub scan: ScanOptions,
}
