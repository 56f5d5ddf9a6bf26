//! Indicators of other people's formats, recognised by what a file holds, never by its name. What cannot be taken over is reported,
//! never dropped.

mod archive;
mod beware;
mod catalog;
mod draft;
mod json;
mod lines;
mod misp;
mod native;
mod observable;
mod osv;
mod pair;
mod single;
mod stix;
mod table;
mod value;
mod version;

use std::{
    collections::BTreeMap,
    io::{Read, Seek},
};

use jiff::Timestamp;

pub use self::{native::list_of, single::single};
use super::{feed::FeedRow, model::Incident};
use crate::{fact::Ecosystem, stop};

/// The kind of what is counted by versions.
const PACKAGE_VERSIONS: &str = "package versions";
/// Said of some of them beside.
const READ_AS_NPM: &str = "names without an ecosystem, read as npm's";

/// Values of one import that are no package versions: 300 bytes each, in memory and again in what is made of them.
pub const VALUES: usize = 200_000;
/// Package versions of one import: nearly twice what all public lists of malicious packages hold together.
pub const VERSIONS: usize = 500_000;
/// Reasons why something was left out that are kept apart.
const REASONS: usize = 200;

/// What came out of one or more files.
#[derive(Debug, Default)]
pub struct Imported {
    /// Incidents, one per document that describes one.
    pub incidents: Vec<Incident>,
    /// Packages without more to say than their versions: ecosystem, name as written, advisory and versions.
    pub rows: Vec<(Ecosystem, String, FeedRow)>,
    /// How many of each kind were taken: `package versions` → 288078.
    pub taken: BTreeMap<&'static str, usize>,
    /// What was left out and why, with how often and one example.
    pub left: BTreeMap<String, Left>,
    /// The newest date that the files give. UTC.
    pub newest: Option<Timestamp>,
}

/// Something that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// How often.
    pub count: usize,
    /// The first one: its file, or its text.
    pub example: String,
}

/// A file that is none of the known formats, or is broken: its author's fault.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No format fits.
    #[error(
        "{}: not a format that can be taken over\nhint: OSV, STIX, MISP, CSV with a header, lists of `name@version`, hashes or domains; with `--ecosystem` also `name:version` and `name version`",
        crate::text::printable(file)
    )]
    Unknown {
        /// Name.
        file: String,
    },
    /// A format fits, and the file is broken.
    #[error("{}: {}", crate::text::printable(file), crate::text::printable(what))]
    Broken {
        /// Name.
        file: String,
        /// What is wrong, and where.
        what: String,
    },
    /// It holds more than is kept.
    #[error(
        "{file}: more than {VERSIONS} package versions, or {VALUES} other values\nhint: divide it, and name the parts one by one"
    )]
    TooMany {
        /// Name.
        file: String,
    },
    /// The user ended the reading.
    #[error("{file}: interrupted")]
    Ended {
        /// Name.
        file: String,
    },
}

/// Why a file gives nothing, before its name is known.
#[derive(Debug)]
enum Fault {
    Unknown,
    Broken(String),
    TooMany,
    Ended,
}

impl Fault {
    fn in_file(self, file: &str) -> ImportError {
        match self {
            Self::Unknown => ImportError::Unknown { file: file.to_owned() },
            Self::Broken(what) => ImportError::Broken { file: file.to_owned(), what },
            Self::TooMany => ImportError::TooMany { file: file.to_owned() },
            Self::Ended => ImportError::Ended { file: file.to_owned() },
        }
    }
}

/// How to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// What packages that name no ecosystem belong to.
    pub ecosystem: Option<Ecosystem>,
}

/// The file at hand.
#[derive(Debug, Clone, Copy)]
struct Context<'c> {
    /// Its last component: what is made of it must not depend on where it lay.
    name: &'c str,
    reading: Reading,
}

impl Imported {
    /// Counts something that was taken.
    pub fn took(&mut self, kind: &'static str, count: usize) {
        *self.taken.entry(kind).or_default() += count;
    }

    /// Whether more is admitted, and the user wishes more.
    fn goes_on(&self) -> Result<(), Fault> {
        if stop::requested() {
            return Err(Fault::Ended);
        }
        let (mut versions, mut values) = (0_usize, 0_usize);
        for (kind, count) in self.taken.iter().filter(|(kind, _)| **kind != READ_AS_NPM) {
            let sum = if *kind == PACKAGE_VERSIONS { &mut versions } else { &mut values };
            *sum = sum.saturating_add(*count);
        }
        if versions > VERSIONS || values > VALUES { Err(Fault::TooMany) } else { Ok(()) }
    }

    /// Notes something that was left out.
    pub fn leave(&mut self, why: impl Into<String>, example: &str) {
        let mut why = why.into();
        if self.left.len() >= REASONS && !self.left.contains_key(&why) {
            "for reasons of many more kinds".clone_into(&mut why);
        }
        let entry = self.left.entry(why);
        entry.or_insert_with(|| Left { count: 0, example: example.chars().take(120).collect() }).count += 1;
    }

    /// Remembers a date of the input.
    pub fn dated(&mut self, date: Option<Timestamp>) {
        self.newest = self.newest.max(date);
    }

    /// Adds what another file gave.
    ///
    /// # Errors
    /// Where it is more than is kept.
    pub fn add(&mut self, other: Self, file: &str) -> Result<(), ImportError> {
        self.merge(other);
        self.goes_on().map_err(|fault| fault.in_file(file))
    }

    fn merge(&mut self, other: Self) {
        self.incidents.extend(other.incidents);
        self.rows.extend(other.rows);
        for (kind, count) in other.taken {
            self.took(kind, count);
        }
        for (why, Left { count, example }) in other.left {
            self.leave(why.clone(), &example);
            // Where there were too many kinds, it is not under its own.
            if let Some(left) = self.left.get_mut(&why) {
                left.count += count - 1;
            }
        }
        self.dated(other.newest);
    }

    /// Whether nothing was taken.
    pub fn is_empty(&self) -> bool {
        self.incidents.is_empty() && self.rows.is_empty()
    }
}

/// Everything that some files can give, each by its own form. The list beside an incident file belongs to it and is not read on
/// its own.
///
/// # Errors
/// A file of no known form, or a broken one.
pub fn read(files: &[(String, Vec<u8>)], reading: Reading) -> Result<Imported, ImportError> {
    let mut imported = Imported::default();
    let lists: Vec<String> = files.iter().filter_map(|(file, bytes)| list_of(file, bytes)).collect();
    for (file, bytes) in files.iter().filter(|(file, _)| !lists.contains(file)) {
        let name = file.rsplit('/').next().unwrap_or(file);
        if native::is_one(bytes) {
            imported.merge(native::read(file, text(bytes).map_err(|f| f.in_file(file))?, files)?);
            continue;
        }
        add_file(bytes, Context { name, reading }, &mut imported).map_err(|fault| fault.in_file(file))?;
    }
    Ok(imported)
}

/// Everything that an archive can give, read where it lies.
///
/// # Errors
/// Where it is broken, or holds nothing of a known form.
pub fn read_zip(file: &str, archive: &mut (impl Read + Seek), reading: Reading) -> Result<Imported, ImportError> {
    let mut imported = Imported::default();
    let name = file.rsplit('/').next().unwrap_or(file);
    archive::zip(archive, Context { name, reading }, &mut imported).map_err(|fault| fault.in_file(file))?;
    Ok(imported)
}

/// Whether a file with these first bytes is an archive.
pub fn is_zip(start: &[u8]) -> bool {
    archive::is_zip(start)
}

/// One file that the user named: archive or text.
fn add_file(bytes: &[u8], context: Context<'_>, out: &mut Imported) -> Result<(), Fault> {
    if bytes.starts_with(b"DOSIMBN1") {
        return Err(Fault::Broken("a bundle already\nhint: name it with `--iocs`".to_owned()));
    }
    if archive::is_zip(bytes) {
        return archive::zip(&mut std::io::Cursor::new(bytes), context, out);
    }
    if archive::is_gzip(bytes) {
        let name = context.name.strip_suffix(".gz").unwrap_or(context.name);
        return add_text(text(&archive::gunzip(bytes)?)?, Context { name, ..context }, out);
    }
    add_text(text(bytes)?, context, out)
}

fn add_text(text: &str, context: Context<'_>, out: &mut Imported) -> Result<(), Fault> {
    match structured(text, context, out) {
        Err(Fault::Unknown) if !text.starts_with(['{', '[', '<']) => lines::read(text, context, out),
        other => other,
    }
}

/// JSON, or CSV with a header: what says of itself what it is.
fn structured(text: &str, context: Context<'_>, out: &mut Imported) -> Result<(), Fault> {
    if text.trim_start().starts_with(['{', '[']) {
        return json::read(text, context, out);
    }
    table::read(text, context, out)
}

/// UTF-8 without its mark.
fn text(bytes: &[u8]) -> Result<&str, Fault> {
    let text =
        std::str::from_utf8(bytes).map_err(|e| Fault::Broken(format!("byte {} is not UTF-8", e.valid_up_to())))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

#[cfg(test)]
mod tests;
