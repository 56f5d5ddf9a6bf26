//! The command line of `dosimeter verify`.

use std::path::PathBuf;

use clap::Args;

use super::{ExposureName, IndicatorOptions, ListFormat};

/// `dosimeter verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Three facts of each credential, never merged: what stands at its place now, whether the provider still accepts the old one, and
whether anybody used it since. What cannot be known is `unknown`, with the reason.

Exit codes: 0 nothing open and nothing unknown; 1 something is open; 2 it could not run; 3 nothing is open and something is unknown;
130 interrupted.")]
pub struct VerifyCommand {
    /// A report or plan written with `-o FILE.json`
    #[arg(value_name = "REPORT")]
    pub report: PathBuf,
    /// Examine this mounted disk or unpacked evidence; by default what the report examined
    #[arg(long, value_name = "DIR", conflicts_with = "home")]
    pub root: Option<PathBuf>,
    /// Examine this home (repeatable)
    #[arg(long, value_name = "DIR")]
    pub home: Vec<PathBuf>,
    /// Which machine of a report of several is examined, by the name that the report gives it; this one, without `--root`, is
    /// known by its host name
    #[arg(long, value_name = "NAME")]
    pub machine: Option<String>,
    /// The key that the report's tags were made with: whether a value without an identifier changed is seen with it alone
    #[arg(long, value_name = "FILE")]
    pub case_key: Option<PathBuf>,
    /// What a provider lists, as its command wrote it: `aws iam list-access-keys`, `gcloud … keys list`, `gh api`, `npm token
    /// list --json` and others; `NAME=FILE` says whose (repeatable)
    #[arg(long, value_name = "FILE")]
    pub listing: Vec<String>,
    /// An extract of a log: CloudTrail, Cloud Audit Logs, audit logs of GitHub, GitLab, Kubernetes; `NAME=FILE` says which
    /// (repeatable)
    #[arg(long, value_name = "FILE")]
    pub log: Vec<String>,
    /// A person answers for what no file shows: `ID by NAME: TEXT`, or of one fact `ID here by …`, `ID provider by …`,
    /// `ID silence by …`; ID is the number of the plan's item (B5), the `c-` id, or the public identifier (repeatable)
    #[arg(long, value_name = "TEXT")]
    pub attest: Vec<String>,
    #[command(flatten)]
    /// Where the indicators come from.
    pub indicators: IndicatorOptions,
    /// Worker threads; by default one per core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// The least exposure of a finding that is still open
    #[arg(long, value_name = "EXPOSURE", default_value = "referenced")]
    pub fail_on: ExposureName,
    /// What goes to standard output
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: ListFormat,
    /// Also write the answer to FILE: `.json`, or `.txt` (repeatable)
    #[arg(short, long, value_name = "FILE")]
    pub output: Vec<PathBuf>,
    /// Write there even if it is evidence, a link, or a file that this program did not write
    #[arg(long)]
    pub force_output: bool,
    /// Nothing on standard error but errors
    #[arg(short, long)]
    pub quiet: bool,
}
