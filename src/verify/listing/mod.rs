//! The second fact: listings of credentials that somebody fetched from a provider, on a clean machine, and handed in as files. One
//! file a provider; the forms are recognised by what they hold. Nothing is fetched here, and no found secret is ever tried.
//!
//! An entry that is there says alive or dead by itself. That one is *not* there shows something only where the listing is whole and
//! of the right account: where it holds the replacement that stands at the place now, or names the owner that the report names.

mod anthropic;
mod authorized_keys;
mod aws;
mod azure;
mod gcloud;
mod github;
mod gitlab;
mod kubernetes;
mod npm;
mod openai;
mod ssh_keys;
mod vault;

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::credential::form;

/// All forms, those that are recognised surely before those that look like others.
pub static FORMS: &[&dyn Form] = &[
    &aws::Keys,
    &gcloud::Keys,
    &anthropic::Keys,
    &openai::Keys,
    &kubernetes::Objects,
    &vault::Lookup,
    &azure::Credentials,
    &ssh_keys::Keys,
    &github::Tokens,
    &gitlab::Tokens,
    &npm::Tokens,
    &authorized_keys::Lines,
];

/// Entries that are kept of one file; no account has as many.
pub const ENTRIES: usize = 100_000;

/// Fields that hold the entries of a page.
const LISTS: &[&str] = &["AccessKeyMetadata", "data", "items"];

/// The output of one command.
pub trait Form: Sync {
    /// As `--listing NAME=FILE` has it.
    fn name(&self) -> &'static str;
    /// The command whose output it is.
    fn command(&self) -> &'static str;
    /// The kinds of credential that it lists.
    fn kinds(&self) -> &'static [&'static str];
    /// Whether a document is one.
    fn fits(&self, document: &Document<'_>) -> bool;
    /// Reads it.
    fn read(&self, document: &Document<'_>, now: Timestamp, out: &mut Entries);
    /// Why no entry can be known to be a credential of the report; `None` where the identifiers are the same.
    fn nameless(&self) -> Option<&'static str> {
        None
    }
    /// What an entry that is not there leaves open, even where the listing is whole and of the right account.
    fn leaves_open(&self) -> Option<&'static str> {
        None
    }
}

/// One document of a file.
#[derive(Debug, Clone, Copy)]
pub enum Document<'d> {
    /// JSON.
    Json(&'d Value),
    /// Lines.
    Text(&'d str),
}

impl<'d> Document<'d> {
    /// Where it is JSON.
    pub fn json(&self) -> Option<&'d Value> {
        match self {
            Self::Json(value) => Some(value),
            Self::Text(_) => None,
        }
    }

    /// The objects of an array whose every element is one.
    pub fn objects(&self) -> Option<&'d Vec<Value>> {
        let list = self.json()?.as_array()?;
        list.iter().all(Value::is_object).then_some(list)
    }

    /// Whether it holds no entry: an empty array, a page whose list is empty, nothing but comments.
    pub fn is_blank(&self) -> bool {
        let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
        match self {
            Self::Json(Value::Object(page)) => {
                page.is_empty() || LISTS.iter().any(|list| page.get(*list).is_some_and(empty))
            }
            Self::Json(value) => empty(value),
            Self::Text(text) => text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#')),
        }
    }

    /// Whether it is an array of objects, each with these fields.
    pub fn lists(&self, fields: &[&str]) -> bool {
        let has = |object: &Value| fields.iter().all(|field| object.get(*field).is_some());
        self.objects().is_some_and(|list| !list.is_empty() && list.iter().all(has))
    }
}

/// Whether it is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Active,
    /// No longer.
    Ended {
        /// In a word.
        how: &'static str,
        /// When, UTC, where the entry says it.
        at: Option<Timestamp>,
    },
}

/// One credential of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The provider's own public name for it.
    pub id: String,
    /// What people call it.
    pub label: Option<String>,
    /// Whose it is.
    pub account: Option<String>,
    /// Whether it is accepted.
    pub standing: Standing,
    /// UTC.
    pub created: Option<Timestamp>,
}

/// What a form reads.
#[derive(Debug, Default)]
pub struct Entries {
    /// All of them.
    pub list: Vec<Entry>,
    /// Why there are more than these.
    pub incomplete: Option<String>,
}

impl Entries {
    /// Takes one.
    pub fn push(&mut self, entry: Entry) {
        if self.list.len() < ENTRIES {
            self.list.push(entry);
        } else {
            self.is_cut("it has more entries than are read");
        }
    }

    /// Says that there is more.
    pub fn is_cut(&mut self, why: &str) {
        self.incomplete.get_or_insert_with(|| why.to_owned());
    }
}

/// One file, read.
pub struct Listing {
    /// Its name.
    pub file: String,
    /// What it is.
    pub form: &'static dyn Form,
    /// Its entries.
    pub entries: Entries,
    /// Whose they are; sorted, each once.
    pub accounts: Vec<String>,
    /// Positions of the entries, by id.
    by_id: HashMap<String, usize>,
}

/// Why a file cannot be used: the caller's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is none of the forms.
    #[error("no listing that is known here")]
    Form,
    /// It is another form than the caller says.
    #[error("not of that form")]
    Other,
}

impl Listing {
    /// From the documents of a file, all of one form. `named` is the form that the caller names.
    ///
    /// # Errors
    /// Where it is of none.
    pub fn read(
        file: String,
        documents: &[Document<'_>],
        named: Option<&'static dyn Form>,
        now: Timestamp,
    ) -> Result<Self, Unreadable> {
        // An empty array may be of any form; an empty page is of the one whose shape it has.
        let any = |d: &Document<'_>| d.is_blank() && !FORMS.iter().any(|form| form.fits(d));
        let fits = |form: &dyn Form| documents.iter().all(|d| form.fits(d) || any(d));
        let says = |form: &dyn Form| documents.iter().any(|d| form.fits(d));
        let form = match named {
            Some(form) if fits(form) => form,
            Some(_) => return Err(Unreadable::Other),
            None => FORMS.iter().copied().find(|form| says(*form) && fits(*form)).ok_or(Unreadable::Form)?,
        };
        let mut entries = Entries::default();
        documents.iter().for_each(|d| form.read(d, now, &mut entries));
        let mut accounts: Vec<String> = entries.list.iter().filter_map(|e| e.account.clone()).collect();
        accounts.sort();
        accounts.dedup();
        let mut by_id = HashMap::new();
        for (at, entry) in entries.list.iter().enumerate() {
            // Of two listings in one file an older one may have it still: alive weighs more.
            if entry.standing == Standing::Active || !by_id.contains_key(&entry.id) {
                by_id.insert(entry.id.clone(), at);
            }
        }
        Ok(Self { file, form, entries, accounts, by_id })
    }

    /// The entry of that name; of several one that is active.
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        self.by_id.get(id).and_then(|at| self.entries.list.get(*at))
    }
}

/// A text of an object, by its name.
fn text<'v>(object: &'v Value, field: &str) -> Option<&'v str> {
    object.get(field)?.as_str().filter(|text| !text.is_empty())
}

/// A time of an object, RFC 3339 or seconds since 1970.
fn time(object: &Value, field: &str) -> Option<Timestamp> {
    match object.get(field)? {
        Value::String(text) => text.parse().ok(),
        Value::Number(seconds) => Timestamp::from_second(seconds.as_i64()?).ok(),
        _ => None,
    }
}

/// An identifier that may be shown: printable, short, and no secret of a known form.
fn id(text: &str) -> Option<String> {
    let plain = text.len() <= 200 && text.bytes().all(|b| b.is_ascii_graphic());
    (plain && !form::has_token_start(text)).then(|| text.to_owned())
}

/// A name that people gave; where it looks like a secret it is withheld.
fn label(object: &Value, field: &str) -> Option<String> {
    form::label(text(object, field)?.as_bytes()).map(str::to_owned)
}

/// Active, unless the time has passed.
fn until(ends: Option<Timestamp>, now: Timestamp) -> Standing {
    match ends {
        Some(at) if at <= now => Standing::Ended { how: "expired", at: Some(at) },
        _ => Standing::Active,
    }
}

#[cfg(test)]
mod tests;
