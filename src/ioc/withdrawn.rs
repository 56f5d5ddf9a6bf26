//! Advisories of malicious packages that were withdrawn or are false, and still stand in copies of databases: `iocs/withdrawn.json`.
//!
//! Imports and feeds leave out what such an advisory says. What a user names with `--ioc` or in a file after `--iocs` stays: the
//! user answers for it, and gets a notice.

use serde::Deserialize;

use super::{
    database::DatabaseError,
    embedded,
    feed::{Feed, FeedRow},
    model::Source,
    query::Query,
};
use crate::{
    ecosystem::{is_range, normal_name, same_version},
    fact::Ecosystem,
};

/// The value of `schema`.
pub const SCHEMA: &str = "dosimeter.withdrawn/1";

/// The name of the file.
pub const FILE: &str = "withdrawn.json";

/// Whether a path is that of the list.
pub fn is_list(path: &str) -> bool {
    path.rsplit('/').next() == Some(FILE)
}

/// The list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawals {
    /// `dosimeter.withdrawn/1`.
    pub schema: String,
    /// Sorted by ecosystem and name.
    pub advisories: Vec<Withdrawal>,
}

/// One advisory that does not hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// Its numbers in all databases.
    pub ids: Vec<String>,
    /// Of the package.
    pub ecosystem: Ecosystem,
    /// Of the package.
    pub name: String,
    /// What it called malicious: exact versions, or `*`.
    pub versions: Vec<String>,
    /// How it fell.
    pub state: Fall,
    /// The day it was withdrawn, `YYYY-MM-DD`; `None` where nobody says.
    pub on: Option<String>,
    /// In words.
    pub why: String,
    /// Where that is said.
    pub sources: Vec<Source>,
}

/// Why an advisory does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fall {
    /// Its publisher took it back.
    Withdrawn,
    /// It is contested with evidence, and still published somewhere.
    False,
    /// It was true of an earlier package of that name.
    NameReused,
}

impl Fall {
    fn words(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn advisory",
            Self::False => "false advisory",
            Self::NameReused => "advisory of an earlier package of that name",
        }
    }
}

impl Withdrawal {
    fn is_of(&self, ecosystem: Ecosystem, name: &str) -> bool {
        self.ecosystem == ecosystem && normal_name(ecosystem, &self.name) == normal_name(ecosystem, name)
    }

    fn numbered(&self, id: &str) -> bool {
        self.ids.iter().any(|own| own.eq_ignore_ascii_case(id.trim()))
    }

    /// Whether it called this version malicious; `open` where `*` counts as every one.
    fn covers(&self, version: &str, open: bool) -> bool {
        let exact = |known: &String| !is_range(version) && same_version(self.ecosystem, known, version);
        self.versions.iter().any(|known| if known == "*" { open || version == "*" } else { exact(known) })
    }

    /// The option that looks for it all the same.
    pub fn hint(&self) -> String {
        let version = self.versions.first().filter(|v| *v != "*").map(|v| format!("@{v}")).unwrap_or_default();
        format!("`--ioc {}:{}{version}`", self.ecosystem.purl_type(), self.name)
    }

    /// One line: which, of what, since when, why, where that is said.
    pub fn line(&self) -> String {
        let day = self.on.as_ref().map(|d| format!(" ({d})")).unwrap_or_default();
        let versions =
            if self.versions.iter().any(|v| v == "*") { "every version".to_owned() } else { self.versions.join(", ") };
        let source = self.sources.iter().find_map(|s| s.url.as_deref()).unwrap_or_default();
        format!(
            "{} {}{day} on {}/{}, {versions}: {}; {source}",
            self.state.words(),
            self.ids.join(", "),
            self.ecosystem.purl_type(),
            self.name,
            self.why
        )
    }
}

impl Withdrawals {
    /// The list of the binary.
    ///
    /// # Errors
    /// Only where the build put a broken file in.
    pub fn embedded() -> Result<Self, DatabaseError> {
        let (file, text) = embedded::files("").into_iter().find(|(n, _)| *n == FILE).unwrap_or((FILE, ""));
        Self::parse(file, text)
    }

    /// From the text of the file.
    ///
    /// # Errors
    /// Where it is not of the documented shape.
    pub fn parse(file: &str, text: &str) -> Result<Self, DatabaseError> {
        serde_json::from_str(text).map_err(|error| DatabaseError::Malformed { file: file.to_owned(), error })
    }

    /// The withdrawn advisory that a row of a public list is: by its number, and where it has none by the exact version.
    pub fn of_row(&self, ecosystem: Ecosystem, name: &str, version: &str, advisory: &str) -> Option<&Withdrawal> {
        let numbered = is_number(advisory);
        let mut own = self.advisories.iter().filter(|w| w.is_of(ecosystem, name));
        own.find(|w| if numbered { w.numbered(advisory) } else { w.covers(version, false) })
    }

    /// What a user should know of a package that was named with `--ioc` or `--iocs`.
    pub fn of_package(&self, ecosystem: Ecosystem, name: &str, version: &str) -> Option<&Withdrawal> {
        self.advisories.iter().find(|w| w.is_of(ecosystem, name) && w.covers(version, true))
    }

    /// What is to be said to somebody who asks for a package.
    pub fn of_query(&self, query: &Query) -> Vec<String> {
        let Query::Package { ecosystem, name, version } = query else {
            return Vec::new();
        };
        let fits = |w: &&Withdrawal| {
            ecosystem.is_none_or(|e| e == w.ecosystem)
                && (w.is_of(w.ecosystem, name) || w.is_of(w.ecosystem, &name.to_lowercase()))
                && version.as_ref().is_none_or(|v| w.covers(v, true))
        };
        self.advisories.iter().filter(fits).map(Withdrawal::line).collect()
    }

    /// What is to be said to somebody who asks for a number.
    pub fn of_number(&self, text: &str) -> Vec<String> {
        self.advisories.iter().filter(|w| w.numbered(text)).map(Withdrawal::line).collect()
    }
}

/// Whether an advisory has a number of a public database.
fn is_number(advisory: &str) -> bool {
    ["MAL-", "GHSA-", "CVE-", "PYSEC-", "RUSTSEC-", "GO-", "SNYK-"]
        .iter()
        .any(|p| advisory.get(..p.len()).is_some_and(|start| start.eq_ignore_ascii_case(p)))
}

/// A feed without what was withdrawn.
#[derive(Debug)]
pub struct Respecting<F> {
    feed: F,
    withdrawn: Withdrawals,
}

impl<F: Feed> Respecting<F> {
    /// A feed, and what does not hold of it.
    pub fn new(feed: F, withdrawn: Withdrawals) -> Self {
        Self { feed, withdrawn }
    }

    /// What it leaves out.
    pub fn left_out(&self) -> Vec<&Withdrawal> {
        let mut all = Vec::new();
        for w in &self.withdrawn.advisories {
            let name = normal_name(w.ecosystem, &w.name);
            let held = self.feed.rows(w.ecosystem, &name).iter().map(|r| r.versions.len()).sum::<usize>();
            let kept = self.rows(w.ecosystem, &name).iter().map(|r| r.versions.len()).sum::<usize>();
            all.extend((held > kept).then_some(w));
        }
        all
    }
}

impl<F: Feed> Feed for Respecting<F> {
    fn label(&self) -> &str {
        self.feed.label()
    }

    fn knows(&self, ecosystem: Ecosystem, name: &str) -> bool {
        let concerned = self.withdrawn.advisories.iter().any(|w| w.is_of(ecosystem, name));
        self.feed.knows(ecosystem, name) && !(concerned && self.rows(ecosystem, name).is_empty())
    }

    fn rows(&self, ecosystem: Ecosystem, name: &str) -> Vec<FeedRow> {
        let mut rows = self.feed.rows(ecosystem, name);
        for row in &mut rows {
            row.versions.retain(|v| self.withdrawn.of_row(ecosystem, name, v, &row.advisory).is_none());
        }
        rows.retain(|r| !r.versions.is_empty());
        rows
    }

    fn size(&self) -> (usize, usize) {
        self.feed.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ioc::rows::Rows;

    fn list() -> Withdrawals {
        Withdrawals::embedded().unwrap()
    }

    #[test]
    fn a_number_that_was_withdrawn_falls_and_another_one_stands() {
        let list = list();
        let of = |name, version, advisory| list.of_row(Ecosystem::Npm, name, version, advisory).is_some();
        assert!(of("react-hook-form", "7.73.0", "MAL-2026-2853"));
        assert!(of("react-hook-form", "*", "ghsa-w8j3-qvc3-h56f"));
        assert!(of("supabase", "2.0.0", "MAL-2026-5187"));
        // Without a number the exact version decides; `*` was never somebody's own finding.
        assert!(of("react-hook-form", "7.73.0", "my-list"));
        assert!(!of("supabase", "2.0.0", "my-list") && of("supabase", "*", "my-list"));
        // Another advisory, version, package or ecosystem.
        assert!(!of("react-hook-form", "7.73.0", "MAL-2027-1"));
        assert!(!of("react-hook-form", "7.73.1", "my-list"));
        assert!(!of("react-hook-forms", "7.73.0", "MAL-2026-2853"));
        assert!(list.of_row(Ecosystem::Pypi, "react-hook-form", "7.73.0", "MAL-2026-2853").is_none());
    }

    #[test]
    fn a_feed_keeps_what_holds() {
        let row = |advisory: &str, v: &str| FeedRow { advisory: advisory.to_owned(), versions: vec![v.to_owned()] };
        let rows = vec![
            (Ecosystem::Npm, "flipper-plugin-core".to_owned(), row("MAL-2022-3075", "*")),
            (Ecosystem::Npm, "hls.js".to_owned(), row("MAL-2026-3019", "1.7.0-alpha.1.0.canary.11764")),
            (Ecosystem::Npm, "hls.js".to_owned(), row("MAL-2099-1", "9.9.9")),
            (Ecosystem::Npm, "evil".to_owned(), row("MAL-2099-2", "*")),
        ];
        let feed = Respecting::new(Rows::new("x", rows), list());
        let knows = |name| feed.knows(Ecosystem::Npm, name);
        assert!(!knows("flipper-plugin-core") && knows("hls.js") && knows("evil") && !knows("unheard"));
        assert_eq!(feed.rows(Ecosystem::Npm, "hls.js"), [row("MAL-2099-1", "9.9.9")]);
        let left = feed.left_out();
        assert_eq!(left.len(), 2);
        assert!(left.iter().any(|l| l.line().contains("MAL-2022-3075") && l.line().contains("earlier package")));
    }

    #[test]
    fn a_user_is_warned_of_every_version_that_it_named() {
        let list = list();
        let is_listed = |name, version| list.of_package(Ecosystem::Npm, name, version).is_some();
        assert!(is_listed("supabase", "1.0.0") && is_listed("astro", "7.1.0") && is_listed("astro", "v7.1.0"));
        assert!(!is_listed("astro", "7.1.1") && !is_listed("astro", "*") && !is_listed("evil", "1.0.0"));
    }
}
