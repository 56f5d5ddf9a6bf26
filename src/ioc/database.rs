//! The incidents of one run, from the copy in the binary and whatever is laid over it.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{embedded, list, model::Incident, withdrawn};
use crate::text::hex;

/// The incidents of one examination, with their date.
#[derive(Debug, Clone)]
pub struct Database {
    /// Counts releases of the database.
    pub sequence: u64,
    /// UTC.
    pub created: Timestamp,
    /// `sha256:` over all files.
    pub digest: String,
    /// By id.
    pub incidents: Vec<Incident>,
}

/// A database that cannot be used. The file's fault; where it is embedded, this program's.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A file is not what the format says.
    #[error("{}: {}", crate::text::printable(file), crate::text::printable(&error.to_string()))]
    Malformed {
        /// File name.
        file: String,
        /// Place and mend.
        error: serde_json::Error,
    },
    /// A companion list is not what the format says.
    #[error("{}:{line}: {}", crate::text::printable(file), crate::text::printable(what))]
    List {
        /// File name.
        file: String,
        /// From 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

/// `database.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Counts releases of the database.
    pub sequence: u64,
    /// UTC.
    pub created: Timestamp,
}

/// Where the incidents of the binary come from, in reports.
pub const BUILT_IN: &str = "built in";

impl Database {
    /// The copy in the binary.
    ///
    /// # Errors
    /// Only where the build put a broken file in.
    pub fn embedded() -> Result<Self, DatabaseError> {
        let header = embedded::files("").into_iter().find(|(n, _)| *n == "database.json");
        let (file, text) = header.unwrap_or(("database.json", ""));
        let Header { sequence, created } = read(file, text)?;
        let incidents = incidents(&embedded::files("incidents"), BUILT_IN)?;
        Ok(Self { sequence, created, digest: env!("INDICATORS_DIGEST").to_owned(), incidents })
    }

    /// From the header file, the list of withdrawn advisories if there is one, the incident files and their lists, as names and texts.
    ///
    /// # Errors
    /// Where one of them is not of the documented shape.
    pub fn parse(header: (&str, &str), files: &[(&str, &str)]) -> Result<Self, DatabaseError> {
        let Header { sequence, created } = read(header.0, header.1)?;
        let mut hash = Sha256::new_with_prefix(header.1);
        files.iter().for_each(|(_, text)| hash.update(text));
        let incidents = incidents(files, BUILT_IN)?;
        Ok(Self { sequence, created, digest: format!("sha256:{}", hex(&hash.finalize())), incidents })
    }

    /// Adds incidents. Those of one id stand side by side: what is not signed takes nothing away.
    pub fn add(&mut self, more: Vec<Incident>) {
        self.incidents.extend(more);
        self.incidents.sort_by(|a, b| (&a.id, &a.origin).cmp(&(&b.id, &b.origin)));
    }

    /// Puts the incidents of signed data in the place of those with the same id.
    pub fn replace(&mut self, newer: Vec<Incident>) {
        self.incidents.retain(|i| !newer.iter().any(|n| n.id == i.id));
        self.add(newer);
    }
}

/// Incident files with their lists: `<id>.json`, and beside it `<id>.csv` where the incident says so. `origin` is where they
/// come from, in reports.
///
/// # Errors
/// Where one of them is not of the documented shape.
pub fn incidents(files: &[(&str, &str)], origin: &str) -> Result<Vec<Incident>, DatabaseError> {
    let origin: Arc<str> = origin.into();
    let lists: BTreeMap<&str, &str> =
        files.iter().filter_map(|(name, text)| Some((name.strip_suffix(".csv")?, *text))).collect();
    let mut incidents = Vec::new();
    for (file, text) in files {
        let Some(stem) = file.strip_suffix(".json").filter(|_| !withdrawn::is_list(file)) else {
            continue;
        };
        let mut incident: Incident = read(file, text)?;
        incident.origin.clone_from(&origin);
        if let Some(common) = &incident.package_list {
            let file = format!("{stem}.csv");
            let fault = |(line, what)| DatabaseError::List { file: file.clone(), line, what };
            let text = lists.get(stem).ok_or_else(|| fault((0, "the list is missing".to_owned())))?;
            let rows = list::parse(text).map_err(|faults| {
                fault(faults.into_iter().next().unwrap_or((0, "the list cannot be read".to_owned())))
            })?;
            let rows: Vec<_> = list::indicators(rows, common).collect();
            incident.packages.extend(rows);
        }
        incidents.push(incident);
    }
    incidents.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(incidents)
}

fn read<'t, T: Deserialize<'t>>(file: &str, text: &'t str) -> Result<T, DatabaseError> {
    serde_json::from_str(text).map_err(|error| DatabaseError::Malformed { file: file.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_the_build_is_that_of_the_files() {
        let built = Database::embedded().unwrap();
        let header = embedded::files("").into_iter().find(|(n, _)| *n == "database.json").unwrap();
        let withdrawn = embedded::files("").into_iter().find(|(n, _)| *n == "withdrawn.json").unwrap();
        let read = Database::parse(header, &[vec![withdrawn], embedded::files("incidents")].concat()).unwrap();
        assert_eq!((built.digest, built.incidents.len()), (read.digest, read.incidents.len()));
    }
}
