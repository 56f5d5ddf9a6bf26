//! The companion of an incident with many packages: `<id>.csv` beside `<id>.json`, one row per package, so that a change of it reads
//! well.
//!
//! ```text
//! ecosystem,name,versions
//! npm,@ctrl/tinycolor,4.1.1 4.1.2
//! ```

use super::model::{PackageIndicator, PackageList};
use crate::fact::Ecosystem;

/// Rows of a list; the largest wave so far had 800 packages.
const ROWS: usize = 200_000;
/// Faults that are reported.
const FAULTS: usize = 1000;

/// The first line.
pub const HEADER: &str = "ecosystem,name,versions";

/// One row, before the incident says what all have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Line in the file, from 1.
    pub line: usize,
    /// Its ecosystem.
    pub ecosystem: Ecosystem,
    /// As the registry spells it.
    pub name: String,
    /// Exact versions, or `*`.
    pub versions: Vec<String>,
}

/// What is wrong with a row: line and words.
pub type Fault = (usize, String);

/// Every row of a list.
///
/// # Errors
/// Every row that is none, with its line.
pub fn parse(text: &str) -> Result<Vec<Row>, Vec<Fault>> {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    for (n, record) in (1..).zip(reader.records()) {
        if rows.len() >= ROWS || faults.len() >= FAULTS {
            faults.push((n, format!("more than {ROWS} rows, or {FAULTS} faults: the rest is not read")));
            break;
        }
        match record {
            Ok(r) if n == 1 && r.iter().collect::<Vec<_>>().join(",") == HEADER => {}
            _ if n == 1 => faults.push((1, format!("the first line must be `{HEADER}`"))),
            Ok(r) => match row(n, &r) {
                Ok(row) => rows.push(row),
                Err(what) => faults.push((n, what)),
            },
            Err(_) => faults.push((n, "not comma-separated values".to_owned())),
        }
    }
    if faults.is_empty() { Ok(rows) } else { Err(faults) }
}

fn row(line: usize, record: &csv::StringRecord) -> Result<Row, String> {
    let [ecosystem, name, versions] = record.iter().collect::<Vec<_>>()[..] else {
        return Err(format!("{} fields, not 3", record.len()));
    };
    let known = Ecosystem::ALL.into_iter().find(|e| e.purl_type() == ecosystem);
    let ecosystem = known.ok_or_else(|| format!("`{ecosystem}` is no ecosystem"))?;
    let versions: Vec<String> = versions.split(' ').filter(|v| !v.is_empty()).map(str::to_owned).collect();
    if name.is_empty() || versions.is_empty() {
        return Err("no name, or no version".to_owned());
    }
    Ok(Row { line, ecosystem, name: name.to_owned(), versions })
}

/// The rows as indicators.
pub fn indicators(rows: Vec<Row>, common: &PackageList) -> impl Iterator<Item = PackageIndicator> + '_ {
    rows.into_iter().map(|row| PackageIndicator {
        ecosystem: row.ecosystem,
        name: row.name,
        versions: row.versions,
        triggers: common.triggers.clone(),
        runs: common.runs.clone(),
        safe: Vec::new(),
        standing: common.standing.clone(),
        sources: common.sources.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_say_their_fault_and_line() {
        let good = parse("ecosystem,name,versions\nnpm,@a/b,1.0.0 1.0.1\npypi,x,*\n").unwrap();
        assert_eq!(good[0].versions, ["1.0.0", "1.0.1"]);
        assert_eq!((good[1].line, good[1].ecosystem), (3, Ecosystem::Pypi));
        let faults = parse("name\nnpm,a\nwhat,a,1\nnpm,,1\nnpm,a,\n").unwrap_err();
        assert_eq!(faults.iter().map(|f| f.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    }
}
