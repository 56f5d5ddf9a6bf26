//! Packages of a file that is no bundle, in memory.

use std::collections::HashMap;

use super::feed::{Feed, FeedRow};
use crate::{ecosystem::normal_name, fact::Ecosystem, work};

/// What a file says of packages.
#[derive(Debug)]
pub struct Rows {
    label: String,
    rows: HashMap<(Ecosystem, Box<str>), Vec<FeedRow>>,
    versions: usize,
}

impl Rows {
    /// Rows of one advisory and package are joined.
    pub fn new(label: &str, rows: Vec<(Ecosystem, String, FeedRow)>) -> Self {
        let mut rows: Vec<(Ecosystem, Box<str>, FeedRow)> =
            rows.into_iter().map(|(ecosystem, name, row)| (ecosystem, normal_name(ecosystem, &name), row)).collect();
        work::done(rows.len());
        rows.sort_by(|a, b| (a.0, &a.1, &a.2.advisory).cmp(&(b.0, &b.1, &b.2.advisory)));
        let mut by: HashMap<(Ecosystem, Box<str>), Vec<FeedRow>> = HashMap::new();
        let mut count = 0;
        for (ecosystem, name, row) in rows {
            let known = by.entry((ecosystem, name)).or_default();
            match known.last_mut().filter(|last| last.advisory == row.advisory) {
                Some(last) => last.versions.extend(row.versions),
                None => known.push(row),
            }
        }
        for row in by.values_mut().flatten() {
            row.versions.sort();
            row.versions.dedup();
            row.versions.shrink_to_fit();
            count += row.versions.len();
        }
        by.values_mut().for_each(Vec::shrink_to_fit);
        let rows = by;
        Self { label: label.to_owned(), rows, versions: count }
    }

    /// How many packages.
    pub fn packages(&self) -> usize {
        self.rows.len()
    }
}

impl Feed for Rows {
    fn label(&self) -> &str {
        &self.label
    }

    fn knows(&self, ecosystem: Ecosystem, name: &str) -> bool {
        self.rows.contains_key(&(ecosystem, name.into()))
    }

    fn rows(&self, ecosystem: Ecosystem, name: &str) -> Vec<FeedRow> {
        self.rows.get(&(ecosystem, name.into())).cloned().unwrap_or_default()
    }

    fn size(&self) -> (usize, usize) {
        (self.rows.len(), self.versions)
    }
}
