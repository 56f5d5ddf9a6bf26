//! Logs of CI runs: what installers, container engines and the runner of GitHub wrote about what they fetched, chose and ran.
//!
//! ```text
//! block of the file ──▶ does it hold a marker word? ──▶ line ──▶ without time, colours, prefixes ──▶ what it says
//! ```
//!
//! A log stands on this disk, and what it says happened on the machine of its job, which is called `ci:<system>/<run>`: nothing of what
//! is examined here was there. Most blocks hold no marker and no line of them is looked at.

include!(concat!(env!("OUT_DIR"), "/surface_ci_log.rs"));
surface_modules!();

mod blocks;
mod engine;
mod line;
mod node;
mod packages;
mod rust;
mod said;
#[cfg(test)]
mod tests;

use std::{collections::HashSet, io::Read, sync::Arc};

use blocks::Blocks;
use line::Form;
use said::Said;

use crate::{
    fact::{At, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Opened, Sink},
};

/// Bytes by which a log is recognised.
const HEAD: usize = 8 << 10;
/// Unpacked bytes of one log.
const LOG: u64 = 4 << 30;
/// Letters of the name of a run.
const NAME: usize = 80;
/// Names that say nothing of which run a log is.
const COMMON: &[&str] = &[
    "log",
    "trace",
    "console",
    "consoleText",
    "output",
    "build",
    "job",
    "system",
    "stdout",
    "out",
    "ci",
    "run",
    "logs",
];

/// The files that may be logs: where somebody named the folder, or where its name says so.
fn anywhere(interest: &Interest) -> Vec<Claim> {
    if !interest.named {
        let folders = ["ci-log", "ci_log"];
        return folders.iter().flat_map(|f| [".log", ".txt"].map(|end| Claim::suffix(end).within_holding(f))).collect();
    }
    let ends = [".log", ".txt", ".trace", ".out"].map(Claim::suffix);
    ends.into_iter().chain([Claim::no_ending().in_own_work()]).collect()
}

/// Reads a whole log of one form, as one of the machine `machine` where that is another one than this. Whether anything was said.
fn read(file: &mut Opened<'_, '_>, form: Form, machine: Option<&str>, out: &mut Sink<'_>) -> Result<bool, Flaw> {
    let written = file.mtime("mtime of the log, whose lines have no time");
    if let Some(machine) = machine {
        out.on_machine(Arc::from(machine));
    }
    read_lines(&mut *file.reader(), form, (None, None), written.as_ref(), out)
}

/// Reads lines of a log; of a part of one what the file calls it, and what other parts said.
fn read_lines(
    input: &mut dyn Read,
    form: Form,
    (part, known): (Option<&str>, Option<&mut HashSet<String>>),
    written: Option<&At>,
    out: &mut Sink<'_>,
) -> Result<bool, Flaw> {
    let mut said = Said::new(form, part, known, written);
    let mut blocks = Blocks::default();
    let ended = blocks.each_line(input, LOG, &mut |line, before, number| said.line(line, before, number, out));
    said.end(out);
    if blocks.skipped {
        out.gap(part, &Flaw::TooLarge(u64::try_from(blocks::LINE).unwrap_or(u64::MAX)));
    }
    let whole = ended.map_err(Flaw::from)?;
    if whole { Ok(said.count() > 0) } else { Err(Flaw::TooLarge(LOG)) }
}

/// What a run is called: the name of its log, or of the folder around it where that says nothing.
fn run_of(path: &TreePath) -> String {
    let name = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut stem = text.as_str();
        while let Some(shorter) =
            [".log", ".txt", ".zip", ".trace", ".out"].iter().find_map(|end| stem.strip_suffix(end))
        {
            stem = shorter;
        }
        stem.to_owned()
    };
    let own = name(path.name());
    let folder = name(path.parent().name());
    let is_part = own.split_once('_').is_some_and(|(n, _)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let above = name(path.parent().parent().name());
    let run = match () {
        // A folder that was unpacked from GitHub's archive.
        () if is_part && above.starts_with("logs_") => above,
        () if is_part && !folder.is_empty() => folder,
        () if COMMON.contains(&own.as_str()) && !folder.is_empty() => format!("{folder}-{own}"),
        () => own,
    };
    plain(run.strip_prefix("logs_").unwrap_or(&run))
}

/// As a part of a label: no more than letters, digits and a few signs.
fn plain(name: &str) -> String {
    let one = |c: char| if c.is_ascii_alphanumeric() || "._-#".contains(c) { c } else { '_' };
    let text: String = name.chars().take(NAME).map(one).collect();
    if text.is_empty() { "unnamed".to_owned() } else { text }
}
