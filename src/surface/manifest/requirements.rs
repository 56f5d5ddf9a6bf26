//! Requirement and constraint files of pip, uv and pip-tools.
//!
//! ```text
//! project/
//! ├── requirements*.txt, *requirements.txt, requirements*.in     one requirement a logical line
//! ├── constraints*.txt, *constraints.txt
//! └── requirements/*.txt, requirements/*.in
//!
//! litellm==1.82.8 ; python_version > "3.8" \      `\` at the end joins lines
//!     --hash=sha256:…                             each hash is one file of that version
//! litellm @ https://…/litellm-1.82.8-py3-none-any.whl#sha256=…
//! -r other.txt                                    options: nothing to find here; the other file is read on its own
//! ```
//!
//! Written by people, `pip freeze`, `pip-compile`, `uv export`, `poetry export`; in UTF-8, or UTF-16 when PowerShell redirected.
//! A hit proves that the file pins the version (`==`, `===` or a package file's URL); not that it was installed. Documented as
//! "Requirements File Format" of pip.

use super::{
    FILE,
    listing::{Listing, numbered, text},
    pin::{Asked, asked, sha256},
};
use crate::{
    fact::{Artifact, Ecosystem},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// A joined line may have so many bytes; hundreds of hashes fit.
const LINE: usize = 1 << 20;

/// `requirements*.txt` and their kin.
pub struct Requirements;

static META: Meta = Meta {
    id: "python/requirements",
    title: "requirement and constraint files",
    proves: "the file pins the version; not that it was installed",
};

impl Surface for Requirements {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::affix("requirements", ".txt"),
            Claim::affix("requirements", ".in"),
            Claim::suffix("requirements.txt"),
            Claim::suffix("requirements.in"),
            Claim::affix("constraints", ".txt"),
            Claim::suffix("constraints.txt"),
            Claim::suffix(".txt").in_tail("requirements"),
            Claim::suffix(".in").in_tail("requirements"),
        ]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the requirement file");
        let interest = file.interest;
        let text = text(file.all(FILE)?);
        let mut listing = Listing::new(out, at);
        let mut flaw = None;
        logical_lines(&text, |number, line| match line {
            Some(line) => {
                if unreadable_pin(line, number, interest, &mut listing) {
                    flaw.get_or_insert(Flaw::malformed("requirement file", "a pin without a readable version"));
                }
            }
            None => flaw = Some(Flaw::malformed("requirement file", "a line is too long")),
        });
        flaw.map_or(Ok(()), Err)
    }
}

/// Hands on each logical line as pip joins them, without comments, with the number of its first line; `None` for one that is
/// too long.
fn logical_lines(text: &str, mut each: impl FnMut(u32, Option<&str>)) {
    let mut joined = String::new();
    let mut first = None;
    let mut too_long = false;
    for (number, line) in numbered(text) {
        let comment = line.trim_start().starts_with('#');
        let (part, goes_on) = match line.strip_suffix('\\') {
            Some(part) if !comment => (part, true),
            _ => (line, false),
        };
        let start = *first.get_or_insert(number);
        too_long |= joined.len().saturating_add(part.len()) > LINE;
        if !too_long {
            // A comment line ends a joined line, and the blank makes it a comment there too.
            joined.push_str(if comment && start != number { " " } else { "" });
            joined.push_str(part);
        }
        if !goes_on {
            each(start, (!too_long).then(|| without_comment(&joined)));
            (first, too_long) = (None, false);
            joined.clear();
        }
    }
    if let Some(start) = first {
        each(start, (!too_long).then(|| without_comment(&joined)));
    }
}

/// `#` starts a comment at the start of a line or after white space only: elsewhere it is part of a URL.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (i, c) in line.char_indices() {
        if c == '#' && before.is_whitespace() {
            return line.get(..i).unwrap_or_default();
        }
        before = c;
    }
    line
}

/// Lists what a line pins; `true` where it pins a package that somebody asks about to something that is no version.
fn unreadable_pin(line: &str, number: u32, interest: &Interest, listing: &mut Listing<'_, '_>) -> bool {
    let (wanted, hashes) = split_options(line);
    match asked(wanted) {
        Asked::Exactly(mut pin) => {
            let known: Vec<_> = pin.artifacts.iter().filter_map(|a| a.sha256.clone()).collect();
            let new = hashes.filter_map(sha256).filter(|h| !known.contains(h));
            pin.artifacts.extend(new.map(|sha256| Artifact { sha256: Some(sha256), ..Artifact::default() }));
            listing.push(pin, Some(number));
            false
        }
        Asked::Unclear(name) => interest.packages.contains(&(Ecosystem::Pypi, name.into())),
        Asked::Other => false,
    }
}

/// The requirement of a line, and the values of its `--hash` options. `-e` and other options have no requirement.
fn split_options(line: &str) -> (&str, impl Iterator<Item = &str>) {
    let line = line.trim();
    let end = match line.starts_with('-') {
        true => 0,
        false => line.find(" --").or_else(|| line.find("\t--")).unwrap_or(line.len()),
    };
    let (wanted, options) = line.split_at_checked(end).unwrap_or((line, ""));
    let options = if wanted.is_empty() { "" } else { options };
    let values = options.split_whitespace().filter_map(|o| {
        let value = o.strip_prefix("--hash=").unwrap_or(o);
        value.starts_with("sha256:").then_some(value)
    });
    (wanted, values)
}
