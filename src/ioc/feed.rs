//! Malicious packages by the hundred thousand: looked up where they lie, never loaded as a whole.

use std::fmt::Debug;

use super::model::{Incident, PackageIndicator, Source, Standing, Trigger};
use crate::fact::Ecosystem;

/// A list of malicious packages that answers one question at a time.
pub trait Feed: Debug + Send + Sync {
    /// Where it comes from, in reports: the file's name, and its title.
    fn label(&self) -> &str;

    /// Whether any version of this package is malicious. The name is normalised.
    fn knows(&self, ecosystem: Ecosystem, name: &str) -> bool;

    /// What it says of a package.
    fn rows(&self, ecosystem: Ecosystem, name: &str) -> Vec<FeedRow>;

    /// How many packages and versions it holds, for the report.
    fn size(&self) -> (usize, usize);
}

impl<F: Feed + ?Sized> Feed for std::sync::Arc<F> {
    fn label(&self) -> &str {
        (**self).label()
    }

    fn knows(&self, ecosystem: Ecosystem, name: &str) -> bool {
        (**self).knows(ecosystem, name)
    }

    fn rows(&self, ecosystem: Ecosystem, name: &str) -> Vec<FeedRow> {
        (**self).rows(ecosystem, name)
    }

    fn size(&self) -> (usize, usize) {
        (**self).size()
    }
}

/// What a feed says of one package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedRow {
    /// `MAL-2026-3103`.
    pub advisory: String,
    /// Exact versions, ranges, or `*`.
    pub versions: Vec<String>,
}

/// A row as an incident, so that it is judged and reported like every other.
pub fn incident(label: &str, ecosystem: Ecosystem, name: &str, row: FeedRow) -> Incident {
    let purl = format!("{}/{name}", ecosystem.purl_type());
    let title = format!("Malicious package {name} ({})", ecosystem.purl_type());
    let url = row.advisory.starts_with("MAL-").then(|| format!("https://osv.dev/vulnerability/{}", row.advisory));
    let relayed = url.is_none().then(|| label.to_owned());
    let source = Source { title: format!("{} in {label}", row.advisory), url, relayed };
    let package = PackageIndicator {
        ecosystem,
        name: name.to_owned(),
        versions: row.versions,
        triggers: vec![Trigger::InstallHook, Trigger::Import],
        runs: "the record does not say what runs, or when".to_owned(),
        safe: Vec::new(),
        standing: Standing::default(),
        sources: vec!["feed".to_owned()],
    };
    Incident {
        id: row.advisory,
        title,
        summary: format!("A record of a public list of malicious packages names {purl}."),
        sources: [("feed".to_owned(), source)].into(),
        packages: vec![package],
        origin: label.into(),
        ..Incident::default()
    }
}
