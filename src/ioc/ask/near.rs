//! What is known beside something unknown.

use std::{cmp::Ordering, collections::BTreeMap};

use crate::{
    ecosystem::{action, is_version, normal_name, order},
    fact::Ecosystem,
    ioc::{index::Index, model::PackageIndicator, query::Query},
};

/// How many versions or names are shown.
const SHOWN: usize = 6;
/// Longer names are not compared letter by letter.
const LONGEST: usize = 64;

impl Index {
    /// The versions known of a package that was asked for with another one, those next to it first.
    pub fn versions_near(&self, ecosystem: Ecosystem, name: &str, version: Option<&str>) -> Vec<String> {
        let mut notes = Vec::new();
        let known = self.package(ecosystem, &normal_name(ecosystem, name));
        let mut by: BTreeMap<&str, Vec<&PackageIndicator>> = BTreeMap::new();
        for ((incident, _), p) in known {
            let Some(incident) = self.incident(incident) else { continue };
            by.entry(&incident.id).or_default().push(p);
        }
        let purl = format!("{}/{name}", ecosystem.purl_type());
        for (incident, packages) in by {
            let mut versions: Vec<&str> = packages.iter().flat_map(|p| &p.versions).map(String::as_str).collect();
            let total = versions.len();
            if let Some(asked) = version {
                nearest(ecosystem, asked, &mut versions);
            }
            versions.truncate(SHOWN);
            let more = if total > SHOWN { format!(" and {} more", total - SHOWN) } else { String::new() };
            notes.push(format!("known of {purl}: {}{more} ({incident})", versions.join(", ")));
            let safe = |p: &&PackageIndicator| version.is_some_and(|v| p.safe.iter().any(|s| s == v));
            if packages.iter().any(safe) {
                notes.push(format!("{incident} names {} as a good version", version.unwrap_or_default()));
            }
        }
        notes
    }

    /// What is known of an action that was asked for with another tag, or for another time.
    pub fn references_near(&self, repository: &str) -> Vec<String> {
        let mut notes = Vec::new();
        for incident in &self.database.incidents {
            for a in &incident.actions {
                if action::repository(&a.repository) != action::repository(repository) {
                    continue;
                }
                let tags: Vec<&str> = a.tags.iter().chain(&a.moved_tags).take(SHOWN).map(String::as_str).collect();
                let tags =
                    if tags.contains(&"*") { "every tag".to_owned() } else { format!("tags {}", tags.join(", ")) };
                let from = a.from.map(|t| format!(" from {t}")).unwrap_or_default();
                let until = a.until.map(|t| format!(" until {t}")).unwrap_or_default();
                let commits = a.commits.len();
                let line = format!(
                    "known of action/{}: {tags}{from}{until}, {commits} commits ({})",
                    a.repository, incident.id
                );
                notes.push(line);
            }
        }
        notes
    }

    /// Known names that differ from one in a letter or two, or only by their ecosystem's spelling.
    pub fn names_near(&self, name: &str) -> Vec<String> {
        let asked = name.to_lowercase();
        let length = asked.chars().count();
        if !(3..=LONGEST).contains(&length) {
            return Vec::new();
        }
        let most = if length < 6 { 1 } else { 2 };
        let mut found: Vec<(usize, String)> = Vec::new();
        for (ecosystem, known) in self.package_names() {
            if let Some(distance) = distance(&asked, known, most) {
                found.push((distance, format!("{}/{known}", ecosystem.purl_type())));
            }
        }
        let actions = self.database.incidents.iter().flat_map(|i| &i.actions).map(|a| &a.repository);
        for repository in actions {
            let known = action::repository(repository);
            let last = known.rsplit('/').next().unwrap_or_default();
            let near = distance(&asked, &known, most).or_else(|| (last == asked).then_some(1));
            found.extend(near.map(|d| (d, format!("action/{repository}"))));
        }
        for host in self.host_names() {
            found.extend(distance(&asked, host, most).map(|d| (d, format!("host/{}", host.replace('.', "[.]")))));
        }
        // The last part of a scoped name or of a path.
        if !asked.contains('/') {
            let scope = format!("@{asked}/");
            let part = |n: &str| n.rsplit_once('/').is_some_and(|(_, last)| last == asked) || n.starts_with(&scope);
            let scoped = self.package_names().filter(|(_, n)| part(n));
            found.extend(scoped.map(|(e, n)| (most + 1, format!("{}/{n}", e.purl_type()))));
        }
        found.sort();
        found.dedup();
        found.into_iter().map(|(_, name)| name).take(SHOWN).collect()
    }

    /// The other ecosystems in which exactly this is known, as something to ask.
    pub fn elsewhere(&self, query: &Query) -> Vec<String> {
        let Query::Package { ecosystem: Some(asked), name, version } = query else {
            return Vec::new();
        };
        let others = Ecosystem::ALL.into_iter().filter(|e| e != asked);
        let known = others.filter(|e| {
            let query = Query::Package { ecosystem: Some(*e), name: name.clone(), version: version.clone() };
            !self.answer(&query, None).is_empty()
        });
        let version = version.as_ref().map(|v| format!("@{v}")).unwrap_or_default();
        known
            .map(|e| format!("known in {0}, not in {1}: ask `{0}:{name}{version}`", e.purl_type(), asked.purl_type()))
            .collect()
    }
}

/// Sorts known versions by how near they stand to one, in their order.
fn nearest(ecosystem: Ecosystem, asked: &str, versions: &mut Vec<&str>) {
    if !is_version(ecosystem, asked) {
        return;
    }
    let ordered = |a: &&str, b: &&str| order(ecosystem, a, b).unwrap_or(Ordering::Equal);
    versions.sort_by(ordered);
    let at =
        versions.iter().position(|v| order(ecosystem, v, asked) == Some(Ordering::Greater)).unwrap_or(versions.len());
    let from = at.saturating_sub(SHOWN / 2).min(versions.len().saturating_sub(SHOWN));
    versions.rotate_left(from);
}

/// How many letters differ, two that are exchanged counting one; `None` where more than `most`.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    if b.len() > LONGEST * 4 || a.len().abs_diff(b.len()) > most * 4 {
        return None;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let get = |r: &[usize], at: usize| r.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut least = (get(&row, j) + usize::from(x != y)).min(get(&row, j + 1) + 1).min(get(&next, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                least = least.min(get(&before, j - 1) + 1);
            }
            next.push(least);
        }
        if next.iter().min().is_some_and(|m| *m > most) {
            return None;
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().filter(|d| *d <= most)
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn letters_that_differ_are_counted() {
        let cases = [("axios", "axios", Some(0)), ("axois", "axios", Some(1)), ("axio", "axios", Some(1))];
        for (a, b, expected) in cases {
            assert_eq!(distance(a, b, 2), expected, "{a} {b}");
        }
        assert_eq!(distance("litellm", "lightellm", 2), Some(2));
        assert_eq!(distance("litellm", "lightlm", 1), None);
        assert_eq!(distance("é", "x", 2), Some(1));
        assert_eq!(distance("", "abc", 2), None);
    }
}
