//! `dosimeter iocs`: working with the indicators.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{Ending, input, output};
use crate::{
    cli::{Iocs, IocsCommand},
    ioc::{
        Database, Index, embedded,
        lint::{self, Problem},
        model::{Example, Incident},
    },
    replay::replay,
    text::escape,
};

/// Runs one of them.
///
/// # Errors
/// Where a file cannot be read, or has a fault.
pub fn run(command: IocsCommand) -> anyhow::Result<Ending> {
    match command.command {
        Iocs::Check { paths } => check(&paths),
    }
}

fn check(paths: &[PathBuf]) -> anyhow::Result<Ending> {
    let files = if paths.is_empty() {
        embedded::files("incidents").into_iter().map(|(n, t)| (n.to_owned(), t.to_owned())).collect()
    } else {
        read(paths)?
    };
    anyhow::ensure!(!files.is_empty(), "no incident file found\nhint: name a `.json` file or a folder that holds some");
    let mut problems = Vec::new();
    let mut good = Vec::new();
    for (file, text) in &files {
        match lint::check(file, text) {
            Ok(incident) => good.push((file.clone(), incident)),
            Err(found) => problems.extend(found),
        }
    }
    let mut cases = 0;
    for (file, incident) in good {
        cases += incident.examples.len() + incident.near_misses.len();
        problems.extend(replayed(&file, incident)?);
    }
    if problems.is_empty() {
        output::print(&format!("{} incident files are good, {cases} examples and near misses replayed", files.len()))?;
        return Ok(Ending::Nothing);
    }
    let told: Vec<String> = problems.iter().map(told).collect();
    anyhow::bail!("{} faults\n{}", problems.len(), told.join("\n"))
}

fn told(p: &Problem) -> String {
    format!("{}: {}: {}\n  hint: {}", escape(p.file.as_bytes()), p.place, escape(p.what.as_bytes()), p.hint)
}

/// Each example must give what it expects, each near miss nothing, with this incident alone.
fn replayed(file: &str, incident: Incident) -> anyhow::Result<Vec<Problem>> {
    let cases: Vec<(String, Example)> =
        named("examples", &incident.examples).chain(named("near_misses", &incident.near_misses)).collect();
    let mut database = Database::embedded()?;
    database.incidents = vec![incident];
    let index = Index::new(database, &[]);
    let faults = cases.into_iter().filter_map(|(place, example)| {
        let mut expected = example.expect.clone();
        expected.sort();
        let found = replay(&index, &example);
        (found != expected).then(|| Problem {
            file: file.to_owned(),
            place: format!("{place} ({})", escape(example.title.as_bytes())),
            what: format!("expected [{}], found [{}]", expected.join(", "), found.join(", ")),
            hint: "mend the indicator, or the example".to_owned(),
        })
    });
    Ok(faults.collect())
}

fn named<'e>(list: &'e str, examples: &'e [Example]) -> impl Iterator<Item = (String, Example)> + 'e {
    examples.iter().enumerate().map(move |(n, e)| (format!("{list}[{n}]"), e.clone()))
}

/// Every `.json` below the folders, and the files named. A folder of the whole database has its incidents in `incidents`.
fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in paths {
        for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
            let entry = entry.with_context(|| format!("cannot read `{}`", path.display()))?;
            if entry.file_type().is_file() && (entry.depth() == 0 || is_incident(path, entry.path())) {
                files.push((entry.path().to_string_lossy().into_owned(), input::text(entry.path())?));
            }
        }
    }
    Ok(files)
}

fn is_incident(root: &Path, path: &Path) -> bool {
    let below = path.strip_prefix(root).unwrap_or(path);
    let other = ["credentials", "schema", "lists"];
    let elsewhere = below.components().any(|c| other.iter().any(|o| c.as_os_str() == *o));
    path.extension().is_some_and(|e| e == "json")
        && path.file_name().is_some_and(|n| n != "database.json")
        && !elsewhere
}
