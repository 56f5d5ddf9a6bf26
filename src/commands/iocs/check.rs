//! `dosimeter iocs check`: whether files of incidents and of kinds of credentials can be trusted.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;

use super::super::{Ending, input, output, sandbox};
use crate::{
    credential::lint as kind,
    ioc::{
        Database, Index, embedded,
        lint::{self, Problem},
        model::{Example, Incident},
    },
    replay::{looked_up, replay},
    text::{escape, printable},
};

/// Checks files and folders, or the indicators of this program.
///
/// # Errors
/// Where a file cannot be read, or has a fault.
pub fn run(paths: &[PathBuf]) -> anyhow::Result<Ending> {
    sandbox::begin("iocs check").enclose(&sandbox::with_neighbours(paths));
    let files = if paths.is_empty() {
        let own = ["", "incidents", "credentials"].into_iter().flat_map(embedded::files);
        own.map(|(n, t)| (n.to_owned(), t.to_owned())).collect()
    } else {
        files(paths)?
    };
    anyhow::ensure!(!files.is_empty(), "no incident file found\nhint: name a `.json` file or a folder that holds some");
    let (kinds, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|(_, text)| kind::is_kind(text));
    let pairs: Vec<(&str, &str)> = kinds.iter().map(|(f, t)| (f.as_str(), t.as_str())).collect();
    let (incidents, cases) = judged(&files, kind::check(&pairs))?;
    let kinds = match kinds.len() {
        0 => String::new(),
        n => format!("; {n} kinds of credentials are good"),
    };
    output::print(&format!("{incidents} incidents are good, {cases} examples and near misses replayed{kinds}"))?;
    Ok(Ending::Nothing)
}

/// How many incidents and cases there are, where all of them are good.
///
/// # Errors
/// Every fault of every file.
pub fn all_good(files: &[(String, String)]) -> anyhow::Result<(usize, usize)> {
    judged(files, Vec::new())
}

/// The same, with the faults of other files.
fn judged(files: &[(String, String)], mut problems: Vec<Problem>) -> anyhow::Result<(usize, usize)> {
    let pairs: Vec<(&str, &str)> = files.iter().map(|(f, t)| (f.as_str(), t.as_str())).collect();
    let (read, found) = lint::check(&pairs, Timestamp::now());
    problems.extend(found);
    let mut cases = 0;
    let frame = Database { incidents: Vec::new(), ..Database::embedded()? };
    for one in &read {
        cases += one.incident.examples.len() + one.incident.near_misses.len();
        problems.extend(replayed(&one.file, &frame, one.whole()));
    }
    if problems.is_empty() {
        return Ok((read.len(), cases));
    }
    let lines: Vec<String> = problems.iter().map(line).collect();
    let faults = if lines.len() == 1 { "1 fault".to_owned() } else { format!("{} faults", lines.len()) };
    anyhow::bail!("{faults}\n{}", lines.join("\n"))
}

fn line(p: &Problem) -> String {
    let (place, what, hint) = (printable(&p.place), escape(p.what.as_bytes()), printable(&p.hint));
    format!("{}: {place}: {what}\n  hint: {hint}", escape(p.file.as_bytes()))
}

/// Each example must give what it expects, each near miss nothing, with this incident alone.
fn replayed(file: &str, frame: &Database, incident: Incident) -> Vec<Problem> {
    let cases: Vec<(String, Example)> =
        named("examples", &incident.examples).chain(named("near_misses", &incident.near_misses)).collect();
    let index = Index::new(Database { incidents: vec![incident], ..frame.clone() }, &[]);
    let mut faults = Vec::new();
    for (place, example) in cases {
        let place = format!("{place} ({})", escape(example.title.as_bytes()));
        let mut fault = |what| {
            let hint = "mend the indicator, or the example".to_owned();
            faults.push(Problem { file: file.to_owned(), place: place.clone(), what, hint });
        };
        let mut expected = example.expect.clone();
        expected.sort();
        let found = replay(&index, &example);
        if found != expected {
            fault(format!("expected [{}], found [{}]", expected.join(", "), found.join(", ")));
        }
        let looked_up = looked_up(&index, &example);
        for text in &example.lookups {
            match (place.starts_with("examples"), looked_up.contains(&text.as_str())) {
                (true, false) => fault(format!("looking up `{text}` finds nothing")),
                (false, true) => fault(format!("looking up `{text}` finds an indicator")),
                _ => {}
            }
        }
    }
    faults
}

fn named<'e>(list: &'e str, examples: &'e [Example]) -> impl Iterator<Item = (String, Example)> + 'e {
    examples.iter().enumerate().map(move |(n, e)| (format!("{list}[{n}]"), e.clone()))
}

/// Every `.json` and its list below the folders, and the files named. A folder of the whole database has its incidents in `incidents`.
pub fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in paths {
        for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
            let entry = entry.with_context(|| format!("cannot read `{}`", output::shown(path)))?;
            let beside = match entry.path().extension() {
                Some(e) if e == "csv" => entry.path().with_extension("json"),
                _ => entry.path().with_extension("csv"),
            };
            if entry.depth() == 0 && entry.file_type().is_file() && beside.is_file() {
                files.push((beside.to_string_lossy().into_owned(), input::text(&beside, input::LIST)?));
            }
            if entry.file_type().is_file() && (entry.depth() == 0 || is_incident(path, entry.path())) {
                files.push((entry.path().to_string_lossy().into_owned(), input::text(entry.path(), input::LIST)?));
            }
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn is_incident(root: &Path, path: &Path) -> bool {
    let below = path.strip_prefix(root).unwrap_or(path);
    let other = ["schema", "lists"];
    let elsewhere = below.components().any(|c| other.iter().any(|o| c.as_os_str() == *o));
    path.extension().is_some_and(|e| e == "json" || e == "csv") && !elsewhere
}
