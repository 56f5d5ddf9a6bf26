//! What is wrong with indicator files, reported so that their authors can mend it.
//!
//! ```text
//! mod.rs      the files of one run, and one file after another
//! shape.rs    JSON, and the place of what does not fit in it
//! identity.rs id, date, title, aliases
//! sources.rs  where values come from
//! time.rs     windows, and how far a value may be trusted
//! packages.rs names, versions, ranges; names.rs, what each ecosystem allows
//! list.rs     the companion list
//! files.rs    hashes, paths, texts
//! network.rs  domains, addresses, URLs; hosts.rs, those that are not the attacker's
//! forge.rs    actions, images, git
//! command.rs  what a printed command may not do; shell.rs, what its words may not be
//! harvest.rs  what is taken
//! remedy.rs   cleaning up, disagreements, examples
//! across.rs   one file against the others
//! fallen.rs   the list of withdrawn advisories
//! ```

mod across;
mod command;
mod fallen;
mod files;
mod forge;
mod harvest;
mod hosts;
mod identity;
mod list;
mod names;
mod network;
mod packages;
mod remedy;
mod shape;
mod shell;
mod sources;
mod time;

pub use sources::sourced;

use jiff::Timestamp;

use super::{
    list::{Row, indicators},
    model::Incident,
    withdrawn,
};

/// One fault, with its place and its mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// File name.
    pub file: String,
    /// Where in it: a JSON path, or line and column.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// A file that has the shape of an incident, whatever else is wrong with it.
#[derive(Debug, Clone)]
pub struct Read {
    /// File name.
    pub file: String,
    /// What it says.
    pub incident: Incident,
    /// Its companion list.
    pub rows: Vec<Row>,
}

impl Read {
    /// The incident with the packages of its list.
    pub fn whole(&self) -> Incident {
        let mut incident = self.incident.clone();
        if let Some(common) = &self.incident.package_list {
            incident.packages.extend(indicators(self.rows.clone(), common));
        }
        incident
    }
}

/// Checks the files of one run: `database.json`, `withdrawn.json`, incidents and their lists, as names and texts. `now` is what nothing may
/// be later than.
pub fn check(files: &[(&str, &str)], now: Timestamp) -> (Vec<Read>, Vec<Problem>) {
    let (mut read, mut problems) = (Vec::new(), Vec::new());
    for (file, text) in files {
        if let Some(stem) = file.strip_suffix(".csv") {
            if !files.iter().any(|(f, _)| f.strip_suffix(".json") == Some(stem)) {
                problems.push(list::orphan(file));
            }
        } else if name(file) == "database.json" {
            problems.extend(shape::header(file, text, now));
        } else if withdrawn::is_list(file) {
            problems.extend(fallen::check(file, text, now));
        } else {
            match shape::incident(file, text) {
                Err(problem) => problems.push(problem),
                Ok(incident) => {
                    let stem = file.strip_suffix(".json").unwrap_or(file);
                    let list = files.iter().find(|(f, _)| f.strip_suffix(".csv") == Some(stem));
                    let (one, found) = lint_incident(file, incident, list.copied(), now);
                    read.push(one);
                    problems.extend(found);
                }
            }
        }
    }
    let fallen = files.iter().filter(|(file, _)| withdrawn::is_list(file));
    fallen.for_each(|(file, text)| problems.extend(fallen::against(file, text, &read)));
    problems.extend(across::check(&read));
    (read, problems)
}

fn name(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

fn lint_incident(file: &str, incident: Incident, list: Option<(&str, &str)>, now: Timestamp) -> (Read, Vec<Problem>) {
    let (rows, faults) = list::rows(file, incident.package_list.as_ref(), list);
    let mut lint = Lint { file, incident: &incident, rows: &rows, now, problems: Vec::new() };
    lint.identity();
    lint.sources();
    lint.time();
    lint.packages();
    lint.files();
    lint.network();
    lint.forge();
    lint.remedy();
    let mut problems = lint.problems;
    problems.extend(faults);
    (Read { file: file.to_owned(), incident, rows }, problems)
}

struct Lint<'l> {
    file: &'l str,
    incident: &'l Incident,
    rows: &'l [Row],
    now: Timestamp,
    problems: Vec<Problem>,
}

impl Lint<'_> {
    fn say(&mut self, place: impl Into<String>, what: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem {
            file: self.file.to_owned(),
            place: place.into(),
            what: what.into(),
            hint: hint.into(),
        });
    }

    /// A text that is empty, or none to be read.
    fn text(&mut self, place: impl Into<String>, text: &str) {
        if text.trim().is_empty() {
            self.say(place, "empty", "say it in words");
        } else if text.trim() != text {
            self.say(place, "blanks at its ends", "remove them");
        }
    }

    /// Values that stand twice in one list.
    fn twice<'v>(&mut self, place: &str, values: impl IntoIterator<Item = &'v str>) {
        let mut met = std::collections::HashSet::new();
        for (n, value) in values.into_iter().enumerate() {
            if !met.insert(value) {
                self.say(format!("{place}[{n}]"), format!("`{value}` is listed twice"), "remove one");
            }
        }
    }
}

/// What is wrong with a command that a person is to copy, and what to write instead. `on_host` where it is for the examined machine.
pub fn command_faults(command: &str, blanks: &[&str], on_host: bool) -> Vec<(String, &'static str)> {
    let host = if on_host { command::on_a_host(command) } else { None };
    command::prints_secret(command).into_iter().chain(host).chain(shell::faults(command, blanks)).collect()
}

/// Whether a command would put a secret on a screen; for the tests of whoever prints commands.
#[cfg(test)]
pub fn prints_a_secret(command: &str) -> Option<String> {
    command::prints_secret(command).map(|(what, _)| what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ioc::embedded;

    #[test]
    fn the_embedded_incidents_have_no_fault() {
        let (read, problems) = check(&embedded::files("incidents"), Timestamp::now());
        assert!(read.len() > 100, "{}", read.len());
        let lines: Vec<String> =
            problems.iter().map(|p| format!("{}: {}: {} ({})", p.file, p.place, p.what, p.hint)).collect();
        assert!(lines.is_empty(), "{} faults\n{}", lines.len(), lines.join("\n"));
    }
}
