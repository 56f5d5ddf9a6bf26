//! The third fact: extracts of logs that somebody fetched and handed in as files. One file a log; the forms are recognised by what
//! their first record holds. Of a record only the time, whose credential it was, and whether that one ended are kept.
//!
//! That nobody used a credential shows something only in an extract that runs on from its end and is of the right account: where the
//! credential itself, its replacement or its end stands in it. One that was asked for by a single key holds nothing after that key's
//! last use: how far it reaches, only what was asked says (`asked`).

mod asked;
mod cloudtrail;
mod gcloud;
mod github;
mod gitlab;
mod kubernetes;
mod stream;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
};

use jiff::Timestamp;
use serde_json::{Map, Value};

pub use self::asked::Asked;

/// All logs.
pub static LOGS: &[&dyn Log] =
    &[&cloudtrail::Trail, &gcloud::Audit, &kubernetes::Audit, &github::Audit, &gitlab::Audit];

/// Uses that are kept of one credential, and accounts that are listed.
const USES: usize = 50_000;
const ACCOUNTS: usize = 20;
/// Changes of one credential.
const CHANGES: usize = 1_000;
/// Regions of one file.
const PARTS: usize = 100;
/// Statements of what was asked for, of one file.
const ASKED: usize = 10_000;

/// One log.
pub trait Log: Sync {
    /// As `--log NAME=FILE` has it.
    fn name(&self) -> &'static str;
    /// What people call it.
    fn title(&self) -> &'static str;
    /// The kinds of credential whose use it shows.
    fn kinds(&self) -> &'static [&'static str];
    /// Whether a record is one of it.
    fn fits(&self, record: &Value) -> bool;
    /// What a record says; `None` where it has no time.
    fn event(&self, record: &Value) -> Option<Event>;
    /// Whether an object whose records stand in this list is one of it, records or none. `around` is what stands before the list.
    fn holds(&self, _list: &str, _around: &Map<String, Value>) -> bool {
        false
    }
    /// Why no record can be known to be by a credential of the report; `None` where the identifiers are the same.
    fn nameless(&self) -> Option<&'static str> {
        None
    }
    /// The same, of an extract none of whose records names a credential.
    fn unnamed(&self) -> Option<&'static str> {
        None
    }
}

/// What one record says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// When, UTC.
    pub at: Timestamp,
    /// The credential that it was done with, as the report identifies it.
    pub by: Option<String>,
    /// It was turned away for the credential's sake, not for what was asked.
    pub refused: bool,
    /// A credential that it ended (`Some(how)`) or brought back (`None`).
    pub changes: Option<(String, Option<&'static str>)>,
    /// It is about a credential, whosever: such are asked for by themselves, and show nothing of the rest of the log.
    pub manages: bool,
    /// Whose log it is.
    pub account: Option<String>,
    /// Which part of that log: a region.
    pub part: Option<String>,
}

/// Who did what an extract holds.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum Callers {
    /// It holds nothing.
    #[default]
    None,
    /// All of it this credential; `None` where the records name none.
    One(Option<String>),
    /// Several.
    Several,
}

/// What an extract has of one credential.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Each use: when, and whether it was refused.
    pub uses: Vec<(Timestamp, bool)>,
    /// What was done to it, in the order of the file: ended, and how, or brought back (`None`).
    pub changes: Vec<Change>,
}

/// When a credential was ended, and how, or brought back (`None`).
pub type Change = (Timestamp, Option<&'static str>);

/// Since when a credential is at an end, and how it was ended last: what was made inactive and then deleted ended with the first.
/// `None` in it where it was brought back after that.
pub fn ended(mut changes: Vec<Change>) -> Option<Change> {
    changes.sort_unstable();
    let (last, how) = changes.last().copied()?;
    let since = changes.iter().rev().take_while(|(_, how)| how.is_some()).last();
    Some((since.map_or(last, |(at, _)| *at), how))
}

/// One file, read.
pub struct Extract {
    /// Its name.
    pub file: String,
    /// What it is.
    pub log: &'static dyn Log,
    /// Its first event, UTC.
    pub from: Option<Timestamp>,
    /// Its last event, UTC.
    pub to: Option<Timestamp>,
    /// Events.
    pub events: u64,
    /// Records without a time, or of another form.
    pub odd: u64,
    /// Whose it is.
    pub accounts: BTreeSet<String>,
    /// Why it is not all there is.
    pub incomplete: Option<String>,
    /// Regions that its events are of.
    pub parts: BTreeSet<String>,
    /// What it says that it was asked for.
    pub asked: Vec<Asked>,
    /// What it has of the identifiers that were looked for.
    pub traces: BTreeMap<String, Trace>,
    callers: Callers,
    /// First and last of what was done with credentials.
    uses: Option<(Timestamp, Timestamp)>,
}

/// Why a file cannot be used: the caller's fault.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is none of the logs.
    #[error("no log that is known here")]
    Form,
    /// It is not JSON, JSON lines or CSV; where.
    #[error("not JSON, line {line} column {column}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// It could not be read, or is larger than any extract.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Extract {
    /// From a file. `wanted` are the identifiers to look for; `named` is the log that the caller names.
    ///
    /// # Errors
    /// Where it is none, or cannot be read to its end.
    pub fn read(
        file: String,
        input: &mut dyn Read,
        named: Option<&'static dyn Log>,
        wanted: &BTreeSet<String>,
    ) -> Result<Self, Unreadable> {
        let mut extract: Option<Self> = None;
        let mut before = 0;
        let (mut cut, mut shape) = (None, None);
        let known = |fits: &dyn Fn(&&'static dyn Log) -> bool| match named {
            Some(log) => Some(log).filter(fits),
            None => LOGS.iter().copied().find(fits),
        };
        let (mut asked, mut unclear) = (Vec::new(), false);
        let mut take = |record: &Value| {
            if Asked::is_one(record) {
                let statement = Asked::read(record).filter(|_| asked.len() < ASKED);
                unclear |= statement.is_none();
                asked.extend(statement);
                return;
            }
            let log = known(&|log| log.fits(record));
            match (&mut extract, log) {
                (Some(extract), _) => extract.take(record, wanted),
                (None, Some(log)) => {
                    let mut new = Self::new(log);
                    new.take(record, wanted);
                    extract = Some(new);
                }
                (None, None) => before += 1,
            }
        };
        let mut around = |list: &str, around: &Map<String, Value>| {
            shape = shape.or_else(|| known(&|log| log.holds(list, around)));
        };
        stream::each_record(input, &mut take, &mut around, &mut cut)?;
        // Nothing happened, in a log that the caller knows, or that the file itself names.
        let empty = || named.or(shape).or_else(|| asked.iter().find_map(|a| known(&|log| log.name() == a.log)));
        let mut extract = match extract.or_else(|| empty().filter(|_| before == 0).map(Self::new)) {
            Some(extract) => extract,
            None => return Err(Unreadable::Form),
        };
        asked.retain(|a| a.log == extract.log.name());
        extract.asked = asked;
        if unclear {
            let why = "from when to when it was asked for it does not say in a way that can be read";
            extract.incomplete.get_or_insert_with(|| why.to_owned());
        }
        extract.odd += before;
        extract.file = file;
        if extract.odd > 0 {
            extract.incomplete.get_or_insert_with(|| "records of another form are in it".to_owned());
        }
        extract.incomplete = cut.map(str::to_owned).or(extract.incomplete);
        Ok(extract)
    }

    fn new(log: &'static dyn Log) -> Self {
        Self {
            file: String::new(),
            log,
            from: None,
            to: None,
            events: 0,
            odd: 0,
            accounts: BTreeSet::new(),
            incomplete: None,
            parts: BTreeSet::new(),
            asked: Vec::new(),
            traces: BTreeMap::new(),
            callers: Callers::None,
            uses: None,
        }
    }

    /// The one credential that everything in it was done with: as where it was asked for by that.
    pub fn only(&self) -> Option<&str> {
        match &self.callers {
            Callers::One(by) => by.as_deref(),
            Callers::None | Callers::Several => None,
        }
    }

    /// Why none of its records can be known to be by a credential of the report.
    pub fn nameless(&self) -> Option<&'static str> {
        let unnamed = self.callers == Callers::One(None);
        self.log.nameless().or_else(|| self.log.unnamed().filter(|_| unnamed))
    }

    /// How far it runs, where it was not asked for by one credential.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.uses.filter(|_| self.only().is_none())
    }

    fn take(&mut self, record: &Value, wanted: &BTreeSet<String>) {
        let event = Some(record).filter(|record| self.log.fits(record)).and_then(|record| self.log.event(record));
        let Some(event) = event else {
            self.odd += 1;
            return;
        };
        self.events += 1;
        self.from = self.from.map_or(Some(event.at), |from| Some(from.min(event.at)));
        self.to = self.to.map_or(Some(event.at), |to| Some(to.max(event.at)));
        if let Some(account) = event.account
            && self.accounts.len() < ACCOUNTS
        {
            self.accounts.insert(account);
        }
        if let Some(part) = event.part
            && self.parts.len() < PARTS
        {
            self.parts.insert(part);
        }
        if !event.manages {
            let (from, to) = self.uses.unwrap_or((event.at, event.at));
            self.uses = Some((from.min(event.at), to.max(event.at)));
        }
        match &self.callers {
            _ if event.manages => {}
            Callers::None => self.callers = Callers::One(event.by.clone()),
            Callers::One(by) if *by != event.by => self.callers = Callers::Several,
            Callers::One(_) | Callers::Several => {}
        }
        if let Some(by) = event.by.filter(|by| wanted.contains(by)) {
            let uses = &mut self.traces.entry(by).or_default().uses;
            if uses.len() < USES {
                uses.push((event.at, event.refused));
            } else {
                self.incomplete = Some("it has more uses of one credential than are counted".to_owned());
            }
        }
        if let Some((id, how)) = event.changes.filter(|(id, _)| wanted.contains(id)) {
            let changes = &mut self.traces.entry(id).or_default().changes;
            if changes.len() < CHANGES {
                changes.push((event.at, how));
            } else {
                self.incomplete = Some("it has more changes of one credential than are counted".to_owned());
            }
        }
    }
}

/// A text below an object.
fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

/// A time below an object: RFC 3339, or milliseconds since 1970.
fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    match value.pointer(pointer)? {
        Value::String(text) => match text.parse() {
            Ok(time) => Some(time),
            Err(_) => Timestamp::from_millisecond(text.parse().ok()?).ok(),
        },
        Value::Number(n) => Timestamp::from_millisecond(n.as_i64()?).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
