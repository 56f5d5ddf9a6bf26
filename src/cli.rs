//! The command line, as data.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use self::format::{default_format, output_help, report_format};
pub use self::{
    ecosystem::Touched,
    images::{ImagesCommand, RegistryOptions},
    inventory::{MatchCommand, RecordOptions},
    iocs::{
        ExportFormat, IncidentFormat, Iocs, IocsBuild, IocsCommand, IocsExport, IocsImport, IocsList, IocsSearch,
        IocsShow, IocsUpdate,
    },
    merge::MergeCommand,
    rotate::RotateCommand,
    rules::{PageCommand, PageFormat},
    verify::VerifyCommand,
};
use crate::{report::Format, verdict::Exposure};

mod ecosystem;
mod format;
mod images;
mod inventory;
mod iocs;
mod merge;
mod rotate;
mod rules;
mod verify;

/// What a software supply-chain compromise reached on this machine, and what to rotate.
#[derive(Debug, Parser)]
#[command(name = "dosimeter", version, max_term_width = 100, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    /// What to do; without one, this machine is examined.
    pub command: Option<Command>,
    #[command(flatten)]
    /// Options of `scan`.
    pub scan: ScanOptions,
    /// Keep the rights that the kernel would otherwise be asked to take away: for odd cases
    #[arg(long, global = true)]
    pub no_sandbox: bool,
}

const EXIT_CODES: &str = "\
Examples:
  dosimeter -o case.json -o case.md     examine this machine, keep the report
  dosimeter scan --root /mnt/evidence   a mounted disk
  dosimeter images                      all images of this machine, whatever engine keeps them
  dosimeter images app.tar              a saved image
  dosimeter rotate case.json            the ordered checklist
  dosimeter verify case.json            what of it is done

Exit codes:
  0    examined completely, nothing at or above --fail-on
  1    exposure found
  2    could not run: usage, unreadable target, bad indicators
  3    nothing found, but part of the target could not be examined
  130  interrupted; what was found is still written

It never runs anything of the target, never writes to it, never shows a secret, and never talks to the network unless asked to (`iocs update URL`, registries and engines of `images`).";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Examine this machine, or the folders and files named
    Scan(ScanCommand),
    /// Examine container images: of this machine's stores, of archives and folders, of registries
    Images(ImagesCommand),
    /// Judge inventories with the indicators of today: what `scan --inventory` wrote
    Match(MatchCommand),
    /// Join what several runs found: shards of a sweep, reports and inventories of a fleet
    Merge(MergeCommand),
    /// Print the ordered checklist, of a report or of this machine
    Rotate(RotateCommand),
    /// Say what of a report's checklist is done: changed here, dead at the provider, silent since
    Verify(VerifyCommand),
    /// List the places that are examined
    Surfaces(PageCommand),
    /// List the rules by which something is a finding
    Rules(PageCommand),
    /// Work with the indicators
    Iocs(IocsCommand),
}

/// `dosimeter scan`.
#[derive(Debug, Args)]
pub struct ScanCommand {
    /// Folders and files to examine instead of the whole machine
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    /// The options.
    pub options: ScanOptions,
}

/// What every examination takes.
#[derive(Debug, Args, Clone)]
pub struct ScanOptions {
    /// A mounted disk or unpacked evidence: links resolve inside it, nothing outside is touched
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// This home only (repeatable)
    #[arg(long, value_name = "DIR")]
    pub home: Vec<PathBuf>,
    /// Hash, compare and search everything, packed files too, not only what the indicators name
    #[arg(long)]
    pub deep: bool,
    /// Make keyed tags of random secrets with the key in this file (32 bytes or 64 hex digits, mode 600), so that `verify` can
    /// say whether a value changed; no report holds the key
    #[arg(long, value_name = "FILE")]
    pub case_key: Option<PathBuf>,
    #[command(flatten)]
    /// What else is kept.
    pub record: RecordOptions,
    #[command(flatten)]
    /// Which indicators and surfaces.
    pub choice: Choice,
    #[command(flatten)]
    /// Where the report goes.
    pub output: OutputOptions,
}

/// Which indicators and surfaces.
#[derive(Debug, Args, Clone, Default)]
pub struct Choice {
    /// This incident only (repeatable)
    #[arg(long, value_name = "ID")]
    pub incident: Vec<String>,
    /// This surface only, or all whose id starts so (repeatable)
    #[arg(long, value_name = "SURFACE")]
    pub only: Vec<String>,
    /// Not this surface (repeatable)
    #[arg(long, value_name = "SURFACE")]
    pub skip: Vec<String>,
    #[command(flatten)]
    /// Where the indicators come from.
    pub indicators: IndicatorOptions,
    /// Worker threads; by default one per core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
}

/// Whose signature counts.
#[derive(Debug, Args, Clone, Default)]
pub struct KeyOptions {
    /// A minisign public key whose signature is trusted: the line, or a file that holds it (repeatable; also DOSIMETER_KEY)
    #[arg(long, value_name = "KEY")]
    pub key: Vec<String>,
}

/// Where the indicators come from.
#[derive(Debug, Args, Clone, Default)]
pub struct IndicatorOptions {
    /// Also use these indicators: a bundle, incident files, OSV, STIX, MISP, CSV, lists; a file or a folder (repeatable)
    #[arg(long, value_name = "FILE")]
    pub iocs: Vec<PathBuf>,
    /// Also look for this: `pypi:name@1.0`, `sha256:…`, `evil[.]example`, `action:owner/name@v1`, `file:name` (repeatable)
    #[arg(long, value_name = "TEXT")]
    pub ioc: Vec<String>,
    #[command(flatten)]
    /// Whose signature counts.
    pub key: KeyOptions,
    /// Not the indicators that `iocs update` stored
    #[arg(long)]
    pub built_in: bool,
    /// Refuse indicators older than this
    #[arg(long, value_name = "DAYS")]
    pub max_age: Option<u32>,
}

/// Where the report goes.
#[derive(Debug, Args, Clone)]
pub struct OutputOptions {
    /// What goes to standard output
    #[arg(long, value_name = "FORMAT", default_value = default_format(), value_parser = report_format())]
    pub format: &'static Format,
    /// Also write the report to FILE; its ending picks the format (repeatable)
    #[arg(short, long, value_name = "FILE", help = output_help())]
    pub output: Vec<PathBuf>,
    /// Write there even if it is evidence, a link, or a file that this program did not write
    #[arg(long)]
    pub force_output: bool,
    /// The least exposure that makes the exit code 1
    #[arg(long, value_name = "EXPOSURE", default_value = "referenced")]
    pub fail_on: ExposureName,
    /// Exit with 0 whatever was found
    #[arg(long)]
    pub exit_zero: bool,
    /// Nothing on standard error but errors
    #[arg(short, long)]
    pub quiet: bool,
    /// Counts on standard error; twice: of each surface
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Exposures, least first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ExposureName {
    /// A file names it
    #[default]
    Referenced,
    /// Its bytes are stored
    Cached,
    /// It was there
    Removed,
    /// It is where an interpreter loads it
    Installed,
    /// It ran
    Executed,
}

impl From<ExposureName> for Exposure {
    fn from(name: ExposureName) -> Self {
        match name {
            ExposureName::Referenced => Self::Referenced,
            ExposureName::Cached => Self::Cached,
            ExposureName::Removed => Self::Removed,
            ExposureName::Installed => Self::Installed,
            ExposureName::Executed => Self::Executed,
        }
    }
}

/// Formats of lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people
    #[default]
    Table,
    /// An array
    Json,
}
