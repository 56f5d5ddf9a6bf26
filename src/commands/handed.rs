//! Files that are handed in to `dosimeter verify`: listings of providers and extracts of logs. They are opened before the kernel
//! takes everything but the target away, and read after that.

use std::{collections::BTreeSet, io::Read, path::PathBuf};

use anyhow::{Context as _, ensure};
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use serde_json::Value;

use super::{input, output};
use crate::verify::{
    listing::{Document, FORMS, Form, Listing},
    log::{Extract, LOGS, Log},
};

/// Bytes of a listing.
const LISTING: u64 = 16 << 20;
/// Bytes of an extract, as it is and unpacked.
const EXTRACT: u64 = 1 << 30;
/// Values of a listing, and of an extract: each record has some sixty.
const VALUES: (u64, u64) = (500_000, 6_000_000);
/// Files that are open at once.
const FILES: usize = 500;

/// A file with the name that the caller gives its form.
struct Named<F: ?Sized + 'static> {
    form: Option<&'static F>,
    shown: String,
    input: input::Input,
}

/// All of them, open.
pub struct Handed {
    listings: Vec<Named<dyn Form>>,
    logs: Vec<Named<dyn Log>>,
}

/// The path of `NAME=PATH`, where the name is one of a form.
fn path<F: ?Sized>(
    argument: &str,
    forms: &'static [&'static F],
    name: impl Fn(&F) -> &str,
) -> (Option<&'static F>, PathBuf) {
    let named = argument.split_once('=').and_then(|(own, path)| {
        let form = forms.iter().copied().find(|form| name(form) == own)?;
        Some((Some(form), PathBuf::from(path)))
    });
    named.unwrap_or((None, PathBuf::from(argument)))
}

/// The files that these arguments name.
pub fn paths(listings: &[String], logs: &[String]) -> Vec<PathBuf> {
    let listings = listings.iter().map(|l| path(l, FORMS, |f| f.name()).1);
    listings.chain(logs.iter().map(|l| path(l, LOGS, |f| f.name()).1)).collect()
}

impl Handed {
    /// Opens them.
    ///
    /// # Errors
    /// Where one cannot be opened, or there are too many.
    pub fn open(listings: &[String], logs: &[String]) -> anyhow::Result<Self> {
        ensure!(
            listings.len() + logs.len() <= FILES,
            "more than {FILES} files are handed in\nhint: documents and lines may stand in one file, one after the other"
        );
        let listings = listings.iter().map(|argument| {
            let (form, path) = path(argument, FORMS, |f| f.name());
            Ok(Named { form, shown: output::shown(&path), input: input::open(&path)? })
        });
        let listings = listings.collect::<anyhow::Result<_>>()?;
        let logs = logs.iter().map(|argument| {
            let (form, path) = path(argument, LOGS, |f| f.name());
            Ok(Named { form, shown: output::shown(&path), input: input::open(&path)? })
        });
        Ok(Self { listings, logs: logs.collect::<anyhow::Result<_>>()? })
    }

    /// Reads them. `wanted` are the identifiers to look for in logs.
    ///
    /// # Errors
    /// Where one is of no form that is known here, or damaged.
    pub fn read(self, wanted: &BTreeSet<String>, now: Timestamp) -> anyhow::Result<(Vec<Listing>, Vec<Extract>)> {
        let listings = self.listings.into_iter().map(|named| listing(named, now)).collect::<anyhow::Result<_>>()?;
        let extracts = self.logs.into_iter().map(|named| extract(named, wanted)).collect::<anyhow::Result<_>>()?;
        Ok((listings, extracts))
    }
}

fn listing(named: Named<dyn Form>, now: Timestamp) -> anyhow::Result<Listing> {
    let shown = named.shown;
    let mut bytes = Vec::new();
    let read = input::Bounded::new(named.input, LISTING, VALUES.0).read_to_end(&mut bytes);
    read.with_context(|| format!("cannot read `{shown}`"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| anyhow::anyhow!("`{shown}` is no listing: it is no text"))?;
    let text = text.trim_start_matches('\u{feff}');
    let json = text.trim_start().starts_with(['{', '[']);
    let values: Vec<Value> = if json {
        // Pages are often written one after the other.
        let stream = serde_json::Deserializer::from_str(text).into_iter();
        let values = stream.collect::<Result<_, _>>();
        // The parser's own words may quote the file.
        values.map_err(|e: serde_json::Error| {
            anyhow::anyhow!("`{shown}` is no listing: not JSON, line {} column {}", e.line(), e.column())
        })?
    } else {
        Vec::new()
    };
    let documents = if json { values.iter().map(Document::Json).collect() } else { vec![Document::Text(text)] };
    Listing::read(shown.clone(), &documents, named.form, now).map_err(|error| {
        let forms: Vec<String> = FORMS.iter().map(|f| format!("`{}` ({})", f.name(), f.command())).collect();
        anyhow::anyhow!(
            "`{shown}`: {error}\nhint: an empty one needs a name, `NAME=FILE`; read are {}",
            forms.join(", ")
        )
    })
}

fn extract(named: Named<dyn Log>, wanted: &BTreeSet<String>) -> anyhow::Result<Extract> {
    let shown = named.shown;
    let mut start = Vec::new();
    let mut input = named.input;
    (&mut input).take(2).read_to_end(&mut start).with_context(|| format!("cannot read `{shown}`"))?;
    let packed = start == [0x1f, 0x8b];
    let whole = std::io::Cursor::new(start).chain(input);
    let mut plain: Box<dyn Read> = match packed {
        true => Box::new(input::Bounded::new(MultiGzDecoder::new(whole), EXTRACT, VALUES.1)),
        false => Box::new(input::Bounded::new(whole, EXTRACT, VALUES.1)),
    };
    Extract::read(shown.clone(), &mut plain, named.form, wanted).map_err(|error| {
        let logs: Vec<String> = LOGS.iter().map(|l| format!("`{}` ({})", l.name(), l.title())).collect();
        anyhow::anyhow!(
            "`{shown}`: {error}\nhint: an empty one needs a name, `NAME=FILE`; read are {}",
            logs.join(", ")
        )
    })
}
