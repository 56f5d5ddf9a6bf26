//! The readers, one a file. Each takes the bytes of a file and gives what may be said about the credentials in it; the value
//! of a secret is looked at where it stands and goes nowhere.

mod assignments;
mod ini;
mod json;
mod lines;
mod opaque;
mod pointer;
mod private_key;
mod variables;
mod yaml;

use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

pub use assignments::assignments;
pub use variables::Vocabulary;

use super::{form, model};
use crate::surface::Flaw;

/// Credentials told of in one file; a file that holds more is an attack or a database.
const MOST: usize = 1000;
/// Bytes of a compiled expression.
const EXPRESSION: usize = 1 << 20;

/// One credential in a file: everything that will ever be known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Its kind, where it is not the kind whose place was read.
    pub kind: Option<Arc<str>>,
    /// Section, profile, registry, variable.
    pub inner: Option<String>,
    /// From 1.
    pub line: Option<u32>,
    /// Its public identifier.
    pub identifier: Option<String>,
    /// What else may be said.
    pub note: Option<String>,
}

/// Takes what a reader finds.
#[derive(Debug, Default)]
pub struct Findings(pub Vec<Found>);

impl Findings {
    fn push(&mut self, found: Found) -> Result<(), Flaw> {
        if self.0.len() >= MOST {
            return Err(Flaw::Unsupported("a file with more than 1000 credentials"));
        }
        self.0.push(found);
        Ok(())
    }
}

/// A reader with its expressions compiled.
#[derive(Debug)]
pub enum Compiled {
    /// The file is the credential.
    Opaque,
    /// PEM and OpenSSH.
    PrivateKey,
    /// Sections.
    Ini(ini::Ini),
    /// Pointers into JSON.
    Json(pointer::Pointers),
    /// Pointers into YAML.
    Yaml(pointer::Pointers),
    /// `NAME=value`.
    Variables,
    /// Expressions.
    Lines(lines::Lines),
}

impl Compiled {
    /// From the data.
    ///
    /// # Errors
    /// Where an expression or a pointer is none.
    pub fn new(reader: &model::Reader) -> Result<Self, String> {
        Ok(match reader {
            model::Reader::Opaque => Self::Opaque,
            model::Reader::PrivateKey => Self::PrivateKey,
            model::Reader::Ini(fields) => Self::Ini(ini::Ini::new(fields)?),
            model::Reader::Json(fields) => Self::Json(pointer::Pointers::new(fields)?),
            model::Reader::Yaml(fields) => Self::Yaml(pointer::Pointers::new(fields)?),
            model::Reader::Variables => Self::Variables,
            model::Reader::Lines { rules, records } => Self::Lines(lines::Lines::new(rules, records)?),
        })
    }

    /// Bytes that are read at most; a larger file is a gap.
    pub fn limit(&self) -> usize {
        match self {
            Self::Opaque => 1 << 12,
            Self::Json(_) => 16 << 20,
            _ => 1 << 20,
        }
    }

    /// Whether the start of the file is enough.
    pub fn head_only(&self) -> bool {
        matches!(self, Self::Opaque)
    }

    /// Reads one file.
    ///
    /// # Errors
    /// A flaw of the file; what was found before it stays.
    pub fn read(&self, bytes: &[u8], words: &Vocabulary, out: &mut Findings) -> Result<(), Flaw> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match self {
            Self::Opaque => opaque::read(bytes, out),
            Self::PrivateKey => private_key::read(bytes, out),
            Self::Ini(ini) => ini.read(bytes, out),
            Self::Json(pointers) => json::read(pointers, bytes, out),
            Self::Yaml(pointers) => yaml::read(pointers, bytes, out),
            Self::Variables => variables::read(words, bytes, out),
            Self::Lines(lines) => lines.read(bytes, out),
        }
    }
}

/// Linear in the text, bounded in memory, over bytes.
fn expression(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text)
        .unicode(false)
        .size_limit(EXPRESSION)
        .dfa_size_limit(EXPRESSION)
        .build()
        .map_err(|_| "not a regular expression".to_owned())
}

/// What a public value must look like.
#[derive(Debug)]
enum Form {
    /// Any plain label that is no token.
    Label,
    /// This, over all of it.
    Like(Regex),
}

impl Form {
    fn new(pattern: Option<&str>) -> Result<Self, String> {
        pattern.map_or(Ok(Self::Label), |p| expression(&format!("^(?:{p})$")).map(Self::Like))
    }

    /// The value, where it may be shown. Even a declared form is held to printable ASCII.
    fn shown(&self, value: &[u8]) -> Option<String> {
        let value = form::unquoted(value);
        match self {
            Self::Label => form::label(value).map(str::to_owned),
            Self::Like(like) => {
                let text = std::str::from_utf8(value).ok()?;
                let plain = text.len() <= 200 && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
                (plain && like.is_match(value)).then(|| text.to_owned())
            }
        }
    }
}

/// Lines with their numbers, from 1, without line ends.
fn numbered(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    (1..).zip(bytes.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l)))
}
