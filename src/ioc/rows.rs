//! Packages of a file that is no bundle, in memory.

use std::collections::{BTreeMap, HashMap};

use super::feed::{Feed, FeedRow};
use crate::{ecosystem::normal_name, fact::Ecosystem};

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
        let mut by: HashMap<(Ecosystem, Box<str>), BTreeMap<String, Vec<String>>> = HashMap::new();
        for (ecosystem, name, row) in rows {
            let key = (ecosystem, normal_name(ecosystem, &name));
            by.entry(key).or_default().entry(row.advisory).or_default().extend(row.versions);
        }
        let mut count = 0;
        let mut settled = |(advisory, mut versions): (String, Vec<String>)| {
            versions.sort();
            versions.dedup();
            count += versions.len();
            FeedRow { advisory, versions }
        };
        let rows = by.into_iter().map(|(key, by)| (key, by.into_iter().map(&mut settled).collect())).collect();
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
