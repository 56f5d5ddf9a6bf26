//! The command line of `dosimeter iocs`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{
    IndicatorOptions, KeyOptions, ListFormat,
    ecosystem::{Touched, ecosystem, touched},
};
use crate::fact::Ecosystem;

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
