//! Which inventories `dosimeter match` was given: files, folders of them, a list on standard input.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    io::{Cursor, Read},
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};

use super::{input, output};
use crate::{
    inventory::{self, v1::Head},
    stop,
    text::{escape, start},
};

/// Bytes that show whether standard input holds an inventory or a list.
const START: u64 = 64 << 10;
/// Files of one run.
const FILES: usize = 200_000;
/// Characters of a name that a file gives itself.
const NAME: usize = 120;
/// Endings of files that are meant to be inventories or bills of materials.
const ENDINGS: &[&str] = &[".ndjson", ".zst", ".gz", ".cdx.json", ".spdx.json", ".jsonld"];

/// What is to be judged.
pub enum Inputs {
    /// One file, which gives the report of one machine.
    One(PathBuf, Box<dyn Read>),
    /// Several machines, or what may be several.
    Many(Many),
}

/// Several files.
#[derive(Default)]
pub struct Many {
    /// By label.
    pub files: Vec<Named>,
    /// Files of folders that are no inventories, and why they were left alone.
    pub others: Vec<(PathBuf, String)>,
}

/// One of several files.
#[derive(Debug)]
pub struct Named {
    /// Where it lies.
    pub path: PathBuf,
    /// What its machine is called: no other one is called so.
    pub label: String,
}

/// Looks at what the command line names.
///
/// # Errors
/// Where a place cannot be opened, or holds no inventory.
pub fn inputs(named: &[PathBuf]) -> anyhow::Result<Inputs> {
    let stdin = Path::new("-");
    if let [one] = named {
        if one == stdin {
            return of_stdin();
        }
        if !one.is_dir() {
            return Ok(Inputs::One(one.clone(), Box::new(input::open(one)?)));
        }
    }
    ensure!(
        !named.iter().any(|n| n == stdin),
        "`-` and files exclude each other\nhint: put all of them into the list that standard input holds"
    );
    many(named).map(Inputs::Many)
}

/// An inventory, or a list of files and folders: one path per line, or between zero bytes.
fn of_stdin() -> anyhow::Result<Inputs> {
    let mut input = input::open(Path::new("-"))?;
    let mut start = Vec::new();
    (&mut input).take(START).read_to_end(&mut start).context("cannot read standard input")?;
    if inventory::may_be(&start) {
        return Ok(Inputs::One("-".into(), Box::new(Cursor::new(start).chain(input))));
    }
    (&mut input).take(input::LIST).read_to_end(&mut start).context("cannot read standard input")?;
    ensure!(u64::try_from(start.len()).is_ok_and(|n| n < input::LIST), "the list on standard input is too long");
    let zeros = start.contains(&0);
    let lines = start.split(|b| *b == if zeros { 0 } else { b'\n' });
    let lines = lines.map(|l| if zeros { l } else { l.trim_ascii_end() }).filter(|l| !l.is_empty());
    let paths: Vec<PathBuf> = lines.map(|l| PathBuf::from(OsStr::from_bytes(l))).collect();
    ensure!(
        !paths.is_empty(),
        "standard input is empty\nhint: it holds an inventory, or a list of them, a path a line"
    );
    many(&paths).map(Inputs::Many)
}

/// These files, and those of these folders.
///
/// # Errors
/// Where one cannot be read, or none is an inventory.
pub fn many(named: &[PathBuf]) -> anyhow::Result<Many> {
    let (mut found, mut others) = (Vec::new(), Vec::new());
    let mut known: BTreeSet<(u64, u64)> = BTreeSet::new();
    for path in named {
        if path.is_dir() {
            of_folder(path, &mut found, &mut others)?;
        } else {
            found.push((path.clone(), true));
        }
        ensure!(found.len() <= FILES, "more than {FILES} files\nhint: judge them in parts");
    }
    // Whatever links and spellings lead to it, a file is judged once.
    #[allow(clippy::disallowed_methods)] // the user named it
    found.retain(|(path, _)| std::fs::metadata(path).map_or(true, |m| known.insert((m.dev(), m.ino()))));
    let mut files: Vec<(PathBuf, Option<String>)> = Vec::new();
    for (path, by_hand) in found {
        stop::check()?;
        match look(&path) {
            Look::Is(name) => files.push((path, name)),
            Look::Ours if !by_hand => others.push((path, "it is a report of this program".to_owned())),
            Look::Ours => files.push((path, None)),
            Look::Unclear if by_hand || is_meant(&path) => files.push((path, None)),
            Look::Unclear => others.push((path, "it is neither an inventory nor a bill of materials".to_owned())),
        }
    }
    if files.is_empty() {
        let places: Vec<String> = named.iter().take(3).map(|n| format!("`{}`", output::shown(n))).collect();
        bail!(
            "no inventory and no bill of materials in {}\nhint: `dosimeter scan --inventory FILE` writes one",
            places.join(", ")
        );
    }
    Ok(Many { files: labelled(files), others })
}

/// The files of a folder, at any depth; no link to a folder is followed.
fn of_folder(
    folder: &Path,
    found: &mut Vec<(PathBuf, bool)>,
    others: &mut Vec<(PathBuf, String)>,
) -> anyhow::Result<()> {
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        stop::check()?;
        match entry {
            Ok(entry) if entry.path().is_file() => found.push((entry.into_path(), false)),
            Ok(_) => {}
            Err(error) if error.depth() == 0 => {
                return Err(error).with_context(|| format!("cannot read `{}`", output::shown(folder)));
            }
            // What cannot be opened may hold inventories: it is read as one, and the failure is reported.
            Err(error) => match error.path() {
                Some(path) => found.push((path.to_owned(), true)),
                None => others.push((folder.to_owned(), "a part of it cannot be listed".to_owned())),
            },
        }
        ensure!(found.len() <= FILES, "more than {FILES} files\nhint: judge them in parts");
    }
    Ok(())
}

/// What the start of a file says.
pub enum Look {
    /// An inventory, with the machine's own name for itself, or a bill of materials.
    Is(Option<String>),
    /// A report or the like of this program.
    Ours,
    /// Nothing that is known here.
    Unclear,
}

fn look(path: &Path) -> Look {
    let Ok(mut input) = input::open(path) else { return Look::Unclear };
    // What can be read once only is read later.
    if input.regular().is_none() {
        return Look::Is(None);
    }
    let mut bytes = Vec::new();
    if (&mut input).take(START).read_to_end(&mut bytes).is_err() {
        return Look::Unclear;
    }
    look_at(&bytes)
}

/// What these bytes say, with which a file starts.
pub fn look_at(bytes: &[u8]) -> Look {
    match inventory::begins(bytes) {
        inventory::Begins::Inventory(head) => Look::Is(own_name(&head)),
        inventory::Begins::Newer | inventory::Begins::Sbom => Look::Is(None),
        inventory::Begins::Neither => Look::Unclear,
        inventory::Begins::Ours => Look::Ours,
    }
}

/// What a machine calls itself; of a disk or a folder the path says little.
fn own_name(head: &Head) -> Option<String> {
    let name = start(&head.target.id, NAME);
    (head.target.kind == "host" && !name.is_empty()).then(|| name.to_owned())
}

fn is_meant(path: &Path) -> bool {
    let name = path.file_name().map(OsStr::to_ascii_lowercase).unwrap_or_default();
    ENDINGS.iter().any(|ending| name.as_bytes().ends_with(ending.as_bytes()))
}

/// The shortest names that distinguish them: of the machine, else of the file, else the whole path.
fn labelled(files: Vec<(PathBuf, Option<String>)>) -> Vec<Named> {
    let stem = |path: &Path| {
        let name = escape(path.file_name().map_or(&b"-"[..], OsStr::as_bytes));
        let mut short = name.as_str();
        while let Some(rest) = [".zst", ".gz", ".ndjson", ".json"].iter().find_map(|e| short.strip_suffix(e)) {
            if rest.is_empty() {
                break;
            }
            short = rest;
        }
        short.to_owned()
    };
    let first: Vec<String> = files.iter().map(|(path, own)| own.clone().unwrap_or_else(|| stem(path))).collect();
    let second: Vec<String> = files
        .iter()
        .zip(&first)
        .map(
            |((path, own), first)| {
                if own.is_some() { format!("{first} ({})", stem(path)) } else { output::shown(path) }
            },
        )
        .collect();
    let count = |labels: &[String]| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        labels.iter().for_each(|l| *counts.entry(l.clone()).or_default() += 1);
        counts
    };
    let (firsts, seconds) = (count(&first), count(&second));
    let once = |counts: &BTreeMap<String, usize>, label: &str| counts.get(label) == Some(&1);
    let mut named: Vec<Named> = Vec::new();
    for (((path, own), first), second) in files.into_iter().zip(first).zip(second) {
        let label = if once(&firsts, &first) {
            first
        } else if once(&seconds, &second) && !firsts.contains_key(&second) {
            second
        } else {
            own.map_or_else(|| output::shown(&path), |own| format!("{own} ({})", output::shown(&path)))
        };
        named.push(Named { path, label });
    }
    named.sort_by(|a, b| (&a.label, &a.path).cmp(&(&b.label, &b.path)));
    // Names that files give themselves may still be alike.
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for file in &mut named {
        let own = file.label.clone();
        let mut n = 2;
        while !taken.insert(file.label.clone()) {
            file.label = format!("{own} [{n}]");
            n += 1;
        }
    }
    named.sort_by(|a, b| a.label.cmp(&b.label));
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(files: &[(&str, Option<&str>)]) -> Vec<String> {
        let files = files.iter().map(|(path, own)| (PathBuf::from(path), own.map(str::to_owned))).collect();
        labelled(files).into_iter().map(|n| n.label).collect()
    }

    #[test]
    fn machines_are_told_apart_by_the_shortest_name() {
        assert_eq!(labels(&[("a/x.ndjson.zst", Some("web1")), ("b/bom.cdx.json", None)]), ["bom.cdx", "web1"]);
        assert_eq!(
            labels(&[("a/mon.ndjson", Some("web1")), ("a/tue.ndjson", Some("web1"))]),
            ["web1 (mon)", "web1 (tue)"]
        );
        assert_eq!(
            labels(&[("a/i.ndjson", Some("web1")), ("b/i.ndjson", Some("web1"))]),
            ["web1 (a/i.ndjson)", "web1 (b/i.ndjson)"]
        );
        assert_eq!(labels(&[("a/i.ndjson", None), ("b/i.ndjson", None)]), ["a/i.ndjson", "b/i.ndjson"]);
        // A machine that takes the name that another file would have.
        assert_eq!(labels(&[("a/i", Some("b/i")), ("b/i", None), ("c/i", None)]), ["b/i", "b/i [2]", "c/i"]);
        assert_eq!(labels(&[(".zst", None)]), [".zst"]);
    }
}
