//! The command line, as data.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::{
    ecosystem::Touched,
    inventory::{MatchCommand, RecordOptions},
    rules::{RulesCommand, RulesFormat},
    verify::VerifyCommand,
};
use self::{
    ecosystem::{ecosystem, touched},
    format::{default_format, output_help, report_format},
};
use crate::{fact::Ecosystem, report::Format, verdict::Exposure};

mod ecosystem;
mod format;
mod inventory;
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
  dosimeter images app.tar              a saved image
  dosimeter rotate case.json            the ordered checklist
  dosimeter verify case.json            what of it is done

Exit codes:
  0    examined completely, nothing at or above --fail-on
  1    exposure found
  2    could not run: usage, unreadable target, bad indicators
  3    nothing found, but part of the target could not be examined
  130  interrupted; what was found is still written

It never runs anything of the target, never writes to it, never shows a secret, and never talks to the network unless asked to (`iocs update URL`).";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Examine this machine, or the folders and files named
    Scan(ScanCommand),
    /// Examine saved container images: docker-save and OCI archives, OCI layouts
    Images(ImagesCommand),
    /// Judge inventories with the indicators of today: what `scan --inventory` wrote
    Match(MatchCommand),
    /// Print the ordered checklist, of a report or of this machine
    Rotate(RotateCommand),
    /// Say what of a report's checklist is done: changed here, dead at the provider, silent since
    Verify(VerifyCommand),
    /// List the places that are examined
    Surfaces(ListOptions),
    /// List the rules by which something is a finding
    Rules(RulesCommand),
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
    /// Hash and compare everything, not only what the indicators name
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

/// `dosimeter images`.
#[derive(Debug, Args)]
pub struct ImagesCommand {
    /// Archives or OCI layout folders
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    /// Which indicators and surfaces.
    pub choice: Choice,
    #[command(flatten)]
    /// Where the report goes.
    pub output: OutputOptions,
}

/// `dosimeter rotate`.
#[derive(Debug, Args)]
pub struct RotateCommand {
    /// A report written with `-o FILE.json`; without one, this machine is examined first
    #[arg(value_name = "REPORT")]
    pub report: Option<PathBuf>,
    #[command(flatten)]
    /// The options of the examination.
    pub scan: ScanOptions,
}

/// How to list.
#[derive(Debug, Args, Clone, Copy)]
pub struct ListOptions {
    /// What goes to standard output
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: ListFormat,
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

/// `dosimeter iocs`.
#[derive(Debug, Args)]
pub struct IocsCommand {
    #[command(subcommand)]
    /// What to do.
    pub command: Iocs,
}

/// The subcommands of `iocs`.
#[derive(Debug, Subcommand)]
pub enum Iocs {
    /// Check indicator files: shape, hashes, sources, examples and near misses
    Check {
        /// Files or folders; without one, the indicators in this program
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// List the incidents that are known
    List(IocsList),
    /// Show one incident: what, when, how it starts, what it takes, how to clean up, sources
    Show(IocsShow),
    /// Look up versions, packages, hashes, hosts, actions, images, files, advisories, actors; exit code 4 where nothing is known
    Search(IocsSearch),
    /// Take a newer bundle into use, from an address or a file, once its signature is good; never happens by itself
    Update(IocsUpdate),
    /// Make a bundle of a folder of incidents, to be signed and published
    Build(IocsBuild),
    /// Take over other people's indicators: OSV, STIX, MISP, CSV, catalogs, plain lists; files, folders, zip, gzip
    Import(IocsImport),
    /// Write incidents for other programs
    Export(IocsExport),
}

/// `dosimeter iocs import`.
#[derive(Debug, Args, Clone)]
pub struct IocsImport {
    /// Files or folders; the format is recognised by what they hold
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// What to write: one incident file where it ends in `.json`, else a bundle
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// Write there even if it is an input, a link, or a file that this program did not write
    #[arg(long)]
    pub force_output: bool,
    /// Id of the incident; the name of the file must be the same
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Title of the incident or bundle
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// What packages that name no ecosystem belong to: pypi, npm, cargo …
    #[arg(long, value_name = "NAME", value_parser = ecosystem)]
    pub ecosystem: Option<Ecosystem>,
    /// The date of the result, RFC 3339; without it the newest date of the input, or now
    #[arg(long, value_name = "TIME")]
    pub created: Option<jiff::Timestamp>,
    /// The number of the bundle
    #[arg(long, value_name = "N", default_value = "0")]
    pub sequence: u64,
}

/// Formats of other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// OSV 1.7.5 records
    Osv,
    /// A STIX 2.1 bundle
    Stix,
    /// A table, a value a row
    Csv,
}

/// `dosimeter iocs export`.
#[derive(Debug, Args, Clone)]
pub struct IocsExport {
    /// These incidents only
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// For whom
    #[arg(long, value_name = "FORMAT")]
    pub format: ExportFormat,
    /// A file, or for OSV a folder that gets one file a record; without it, standard output
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// Write there even if it is an input, a link, or a file that this program did not write
    #[arg(long)]
    pub force_output: bool,
    #[command(flatten)]
    /// Where the indicators come from.
    pub indicators: IndicatorOptions,
}

/// `dosimeter iocs update`.
#[derive(Debug, Args, Clone)]
pub struct IocsUpdate {
    /// Address or file of a bundle; its signature is expected beside it, with `.minisig` behind the name
    #[arg(value_name = "URL|FILE")]
    pub source: Option<String>,
    #[command(flatten)]
    /// Whose signature counts.
    pub key: KeyOptions,
    /// How long a download may take, all in all
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
}

/// `dosimeter iocs build`.
#[derive(Debug, Args, Clone)]
pub struct IocsBuild {
    /// A folder with `database.json` and `incidents/`
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The bundle; its head, which is what is signed, is written beside it with `.head` behind the name
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Write there even if it is an input, a link, or a file that this program did not write
    #[arg(long)]
    pub force_output: bool,
    /// Also hold the packages of this file or folder: OSV records, CSV, lists (repeatable)
    #[arg(long, value_name = "FILE")]
    pub feed: Vec<PathBuf>,
    /// What it is, in a few words
    #[arg(long, value_name = "TEXT", default_value = "dosimeter indicators")]
    pub title: String,
}

/// Formats of the list of incidents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum IncidentFormat {
    /// For people
    #[default]
    Table,
    /// An array
    Json,
    /// The page `docs/incidents.md`
    Markdown,
}

/// `dosimeter iocs list`.
#[derive(Debug, Args, Clone)]
pub struct IocsList {
    /// Those whose id, title, summary, aliases, actor, packages, actions, images or hosts hold all these texts
    #[arg(value_name = "TEXT")]
    pub text: Vec<String>,
    /// Those that touch this ecosystem: pypi, npm, cargo, actions …
    #[arg(long, value_name = "NAME", value_parser = touched)]
    pub ecosystem: Option<Touched>,
    /// From this day on, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    pub since: Option<jiff::civil::Date>,
    /// Up to this day
    #[arg(long, value_name = "DATE")]
    pub until: Option<jiff::civil::Date>,
    #[command(flatten)]
    /// Where the indicators come from.
    pub indicators: IndicatorOptions,
    /// What goes to standard output
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: IncidentFormat,
}

/// `dosimeter iocs show`.
#[derive(Debug, Args, Clone)]
pub struct IocsShow {
    /// Its id, or one of its aliases
    #[arg(value_name = "ID")]
    pub id: String,
    #[command(flatten)]
    /// Where the indicators come from.
    pub indicators: IndicatorOptions,
    /// What goes to standard output
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: ListFormat,
}

/// `dosimeter iocs search`.
#[derive(Debug, Args, Clone)]
#[command(
    after_help = "Exit codes: 0 something asked is known; 4 nothing is, which is not the same as safe; 2 it cannot be looked up like that, or the indicators cannot be used; 130 interrupted."
)]
pub struct IocsSearch {
    /// `name version`, `npm:@scope/name@1.0`, a package's file, a hash, `evil[.]example:443`, `owner/action@v1`, a path, `MAL-…`, `CVE-…`, an actor
    #[arg(value_name = "TEXT", required = true)]
    pub texts: Vec<String>,
    /// When an action's or image's tag was used, RFC 3339: a tag that was moved and moved back is judged with it
    #[arg(long, value_name = "TIME")]
    pub at: Option<jiff::Timestamp>,
    #[command(flatten)]
    /// Where the indicators come from.
    pub indicators: IndicatorOptions,
    /// What goes to standard output
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: ListFormat,
}
