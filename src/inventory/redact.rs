//! An inventory that is shown to others: names of users, hosts and repositories are replaced, each by the same pseudonym wherever it
//! stands, so that what belongs together still does. Names of packages, versions, files and what indicators ask for stay: they are
//! what is judged.
//!
//! | what | where it is known from | becomes |
//! | --- | --- | --- |
//! | user | the list of accounts, homes, as whom a command ran | `user-1` |
//! | host | the machine's own names, other machines of commands, addresses | `host-1` |
//! | repository | folders above a package manager's own, paths of addresses | `dir-1`, `repo-1` |
//! | run | logs of CI, servers that an editor starts | `id-1` |
//!
//! All of it is read before anything is written, since a name that stands in the last line hides in the first.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufRead as _, BufReader, Write},
};

use serde_json::{Map, Value};

use super::{LINE, v1::Head};
use crate::{fact::is_job, interest::Interest};

mod names;
mod words;

use self::words::{holds_packages, is_structure, starts_own};

/// Packed bytes that are held back.
const MOST: usize = 256 << 20;
/// Different names of one inventory.
const NAMES: usize = 500_000;
/// Shorter names, and words that stand in every path, are replaced as a whole folder alone, never inside another name.
const TOKEN: usize = 4;

/// Lines that wait for their names to be known.
pub struct Held(zstd::stream::write::Encoder<'static, Bounded>);

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len().saturating_add(bytes.len()) > MOST {
            return Err(io::Error::other("the inventory is too large to hide names in it"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Held {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Held {
    /// Nothing yet.
    ///
    /// # Errors
    /// Where there is no memory for it.
    pub fn new() -> io::Result<Self> {
        Ok(Self(zstd::stream::write::Encoder::new(Bounded(Vec::new()), 1)?))
    }

    /// Writes the lines with pseudonyms.
    ///
    /// # Errors
    /// Where there are too many names, or `out` fails.
    pub fn let_go(self, interest: &Interest, values: &[String], out: &mut dyn Write) -> io::Result<()> {
        let packed = self.0.finish()?.0;
        let mut names = Names::new(interest, values);
        each_line(&packed, &mut |line| names.collect(&line, ""))?;
        let names = names.numbered()?;
        let mut first = true;
        each_line(&packed, &mut |mut line| {
            names.replace(&mut line, "");
            // The head begins with the name of the format.
            match std::mem::take(&mut first) {
                true => serde_json::to_writer(&mut *out, &serde_json::from_value::<Head>(line)?)?,
                false => serde_json::to_writer(&mut *out, &line)?,
            }
            out.write_all(b"\n")
        })
    }
}

fn each_line(packed: &[u8], take: &mut dyn FnMut(Value) -> io::Result<()>) -> io::Result<()> {
    let mut lines = BufReader::new(zstd::stream::read::Decoder::new(packed)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        crate::stop::check()?;
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        debug_assert!(line.len() <= LINE + 1);
        take(serde_json::from_slice(&line)?)?;
    }
}

/// What a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    User,
    Host,
    Dir,
    Repository,
    Identifier,
}

impl Sort {
    fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Host => "host",
            Self::Dir => "dir",
            Self::Repository => "repo",
            Self::Identifier => "id",
        }
    }
}

/// The names of one inventory.
struct Names {
    found: BTreeMap<String, Sort>,
    homes: BTreeSet<String>,
    /// What indicators ask for: folders and hosts.
    known: BTreeSet<String>,
}

/// The same, each with its pseudonym.
struct Numbered {
    names: BTreeMap<String, String>,
    known: BTreeSet<String>,
}

/// The repository, branch or workflow that a trace is, which surfaces report whoever asks.
fn own_trace(fields: &Map<String, Value>) -> Option<&str> {
    let kind = fields.get("kind").filter(|_| fields.contains_key("held"))?.as_str()?;
    matches!(kind, "repository" | "branch" | "workflow").then_some(())?;
    fields.get("value")?.as_str()
}

/// The system of a job of CI and the name of its run, of the label of a tree.
fn job(tree: &str) -> Option<(&str, &str)> {
    let at = tree.find('/').filter(|_| is_job(tree))?;
    Some((tree.get(..=at)?, tree.get(at + 1..)?))
}

/// Fields that are judged by what they say, and hold no name of a user, host or repository.
fn is_judged(key: &str) -> bool {
    matches!(
        key,
        "format"
            | "tool"
            | "digest"
            | "sha256"
            | "version"
            | "ecosystem"
            | "placement"
            | "surface"
            | "extras"
            | "marker"
            | "module"
            | "vcs"
            | "outcome"
            | "verb"
            | "hook"
            | "content"
            | "odd"
            | "texts"
            | "pinned"
            | "range"
            | "asked"
            | "time"
            | "kind"
            | "weight"
            | "only"
            | "skip"
            | "source"
            | "tree"
            | "started"
            | "created"
            | "is"
            | "os"
    )
}

impl Numbered {
    fn replace(&self, value: &mut Value, key: &str) {
        match value {
            Value::String(text) if key == "tree" || key == "machine" && is_job(text) => {
                if let Some((system, run)) = job(text) {
                    *text = format!("{system}{}", self.names.get(run).map_or(run, String::as_str));
                }
            }
            Value::String(text) if !is_judged(key) => *text = self.text(text, key),
            Value::Array(list) => list.iter_mut().for_each(|v| self.replace(v, key)),
            Value::Object(fields) => self.fields(fields, key),
            _ => {}
        }
    }

    fn fields(&self, fields: &mut Map<String, Value>, key: &str) {
        if key == "trace" {
            // What is no name of somebody's own is a word of the indicators.
            let own = own_trace(fields).filter(|value| !self.known.contains(*value));
            let hidden = own.map(|v| {
                v.split('/').map(|p| self.names.get(p).map_or(p, String::as_str)).collect::<Vec<_>>().join("/")
            });
            if let (Some(hidden), Some(value)) = (hidden, fields.get_mut("value")) {
                *value = Value::String(hidden);
            }
            return;
        }
        if key == "use" {
            return;
        }
        if key == "credential" {
            // Equal tags would link this inventory to others of the case.
            fields.remove("tag");
        }
        if let Some(Value::String(packed)) = fields.get_mut("bytes").filter(|_| key != "read") {
            *packed = "cmVkYWN0ZWQ=".to_owned();
            return;
        }
        // A name beside a version, or of a requirement, is that of a package.
        let of_package = fields.contains_key("version") || fields.contains_key("text") || fields.contains_key("range");
        let of_file = key == "artifacts";
        for (key, value) in fields.iter_mut() {
            match (key.as_str(), &mut *value) {
                ("name", Value::String(_)) if of_package || of_file => {}
                ("asked", Value::Array(list)) if list.iter().all(Value::is_string) => {}
                ("asked", other) => self.replace(other, "requires"),
                (key, other) => self.replace(other, key),
            }
        }
    }

    fn text(&self, text: &str, key: &str) -> String {
        if matches!(key, "identifier" | "note" | "account" | "own_names" | "names" | "homes" | "machine")
            && let Some(whole) = self.names.get(text)
        {
            return whole.clone();
        }
        if !is_path(text) {
            return self.tokens(&self.addresses(text));
        }
        let parts: Vec<&str> = text.split('/').collect();
        let own: BTreeSet<usize> = own_parts(&parts).map(|(at, _)| at).collect();
        let packages = parts.iter().position(|p| holds_packages(p)).unwrap_or(parts.len());
        let part = |(at, part): (usize, &&str)| match self.names.get(*part) {
            Some(name) if is_home(&parts, at) || own.contains(&at) && !self.known.contains(*part) => name.clone(),
            _ if at < packages => self.tokens(part),
            // Packages, and what they brought.
            _ => (*part).to_owned(),
        };
        parts.iter().enumerate().map(part).collect::<Vec<_>>().join("/")
    }

    /// Hosts and paths of addresses.
    fn addresses(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for address in addresses(text) {
            if self.known.contains(address.host) {
                continue;
            }
            let old = format!("{}{}", address.host, address.path);
            let host = self.names.get(address.host).map_or("host", String::as_str);
            let own =
                |p: &str| self.names.get(p.strip_suffix(".git").unwrap_or(p)).cloned().unwrap_or_else(|| p.to_owned());
            let path: Vec<String> = address.path.split('/').map(own).collect();
            clean = clean.replace(&old, &format!("{host}{}", path.join("/")));
        }
        clean
    }

    /// Names that stand in a text, between signs that are none of a name.
    fn tokens(&self, text: &str) -> String {
        let is_sign = |c: char| !(c.is_alphanumeric() || c == '_' || c == '-' || c == '.');
        let mut clean = String::with_capacity(text.len());
        for whole in text.split_inclusive(is_sign) {
            let (word, sign) = whole
                .char_indices()
                .last()
                .filter(|(_, c)| is_sign(*c))
                .map_or((whole, ""), |(at, _)| whole.split_at(at));
            clean.push_str(&self.word(word));
            clean.push_str(sign);
        }
        clean
    }

    fn word(&self, word: &str) -> String {
        let long = |w: &str| w.len() >= TOKEN || w == word;
        let open = |w: &str| is_structure(w) || self.known.contains(w);
        let known = |w: &str| self.names.get(w).filter(|_| long(w) && !open(w));
        if let Some(name) = known(word) {
            return name.clone();
        }
        // `own-run-12.log`.
        if let Some((stem, ending)) = word.rsplit_once('.')
            && let Some(name) = known(stem)
        {
            return format!("{name}.{ending}");
        }
        // `al-web1.corp`, `backup.al`: what stands between the lesser signs.
        let is_lesser = |c: char| c == '-' || c == '.' || c == '_';
        if !word.contains(is_lesser) {
            return word.to_owned();
        }
        let mut clean = String::with_capacity(word.len());
        for whole in word.split_inclusive(is_lesser) {
            let (part, sign) = whole
                .char_indices()
                .last()
                .filter(|(_, c)| is_lesser(*c))
                .map_or((whole, ""), |(at, _)| whole.split_at(at));
            clean.push_str(known(part).map_or(part, String::as_str));
            clean.push_str(sign);
        }
        clean
    }
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') || text.starts_with("~/")
}

/// Whether that part is the name of a home.
fn is_home(parts: &[&str], at: usize) -> bool {
    at == 2 && matches!(parts.get(1), Some(&("home" | "Users")))
}

/// The parts of a path that somebody named, with their places: up to the first folder that a program lays out.
fn own_parts<'p>(parts: &'p [&'p str]) -> impl Iterator<Item = (usize, &'p str)> {
    let own = parts.iter().copied().enumerate().take_while(|(_, part)| !starts_own(part));
    own.filter(|(_, part)| !part.is_empty() && *part != "~" && !is_structure(part))
}

struct Address<'a> {
    host: &'a str,
    /// With its first slash.
    path: &'a str,
}

/// Addresses in a text: `https://h/p`, and `git@h:p` as ssh has them.
fn addresses(text: &str) -> Vec<Address<'_>> {
    let mut found = Vec::new();
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '#' | ',' | ';');
    for (at, mark) in text.match_indices("://").chain(text.match_indices('@')) {
        let rest = text.get(at + mark.len()..).unwrap_or_default();
        let rest = rest.split(ends).next().unwrap_or_default();
        let slash = if mark == "@" { rest.find(':') } else { rest.find('/') };
        let (host, path) = slash.and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
        if mark == "@" && (path.is_empty() || host.contains('/')) {
            continue;
        }
        let host = host.split(':').next().unwrap_or_default();
        if !host.is_empty() {
            found.push(Address { host, path: path.trim_start_matches(':') });
        }
    }
    found
}
