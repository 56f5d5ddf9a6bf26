//! Packages: names and versions that their ecosystems have, each once, and not good and bad at the same time.

use std::{cmp::Ordering, collections::HashMap};

use super::{Lint, names};
use crate::{
    ecosystem::{is_range, is_version, normal_name, order, same_version},
    fact::Ecosystem,
};

impl Lint<'_> {
    pub(super) fn packages(&mut self) {
        let incident = self.incident;
        for (n, p) in incident.packages.iter().enumerate() {
            let place = format!("packages[{n}]");
            if let Some(form) = names::fault(p.ecosystem, &p.name) {
                let what = format!("`{}` is no name of {}", p.name, p.ecosystem.purl_type());
                self.say(format!("{place}.name"), what, format!("write {form}"));
            }
            if p.versions.is_empty() {
                self.say(format!("{place}.versions"), "no version", "list exact versions, or `*` for every one");
            }
            if p.triggers.is_empty() {
                self.say(format!("{place}.triggers"), "no trigger", "say when its code runs");
            }
            self.text(format!("{place}.runs"), &p.runs);
            for (m, version) in p.versions.iter().enumerate() {
                if let Some((what, hint)) = version_fault(p.ecosystem, version) {
                    self.say(format!("{place}.versions[{m}]"), what, hint);
                }
            }
            for (m, version) in p.safe.iter().enumerate() {
                if is_range(version) || version == "*" {
                    self.say(format!("{place}.safe[{m}]"), format!("`{version}` is no version"), "list exact versions");
                } else if let Some((what, hint)) = version_fault(p.ecosystem, version) {
                    self.say(format!("{place}.safe[{m}]"), what, hint);
                }
            }
            for (field, versions) in [("versions", &p.versions), ("safe", &p.safe)] {
                if let Some((m, before)) = unsorted(p.ecosystem, versions) {
                    let place = format!("{place}.{field}[{m}]");
                    self.say(
                        place,
                        format!("stands behind `{before}`"),
                        "sort the list, oldest first: changes of it read well",
                    );
                }
            }
        }
        let keys: Vec<_> = incident.packages.iter().map(|p| (p.ecosystem.purl_type(), &p.name)).collect();
        if let Some(n) = keys.windows(2).position(|w| matches!(w, [a, b] if a > b)) {
            let hint = "sort packages by ecosystem and name: changes of the list read well";
            self.say(format!("packages[{}]", n + 1), "not in order", hint);
        }
        if let Some(list) = &incident.package_list {
            self.text("package_list.runs", &list.runs);
            if list.triggers.is_empty() {
                self.say("package_list.triggers", "no trigger", "say when their code runs");
            }
        }
        self.each_once();
    }

    /// Every version of a package is listed once, over all entries and the list, and is not safe too.
    fn each_once(&mut self) {
        let incident = self.incident;
        let mut bad: HashMap<(Ecosystem, Box<str>), Vec<&String>> = HashMap::new();
        let mut safe: Vec<(String, Ecosystem, Box<str>, &String)> = Vec::new();
        for (n, p) in incident.packages.iter().enumerate() {
            let name = normal_name(p.ecosystem, &p.name);
            let known = bad.entry((p.ecosystem, name.clone())).or_default();
            let mut twice = Vec::new();
            for (m, v) in p.versions.iter().enumerate() {
                if known.iter().any(|k| equal(p.ecosystem, k, v)) {
                    twice.push((format!("packages[{n}].versions[{m}]"), v));
                }
                known.push(v);
            }
            safe.extend(p.safe.iter().enumerate().map(|(m, v)| {
                let place = format!("packages[{n}].safe[{m}]");
                (place, p.ecosystem, name.clone(), v)
            }));
            for (place, v) in twice {
                self.say(place, format!("`{v}` is listed twice"), "remove one");
            }
        }
        for row in self.rows {
            let known = bad.entry((row.ecosystem, normal_name(row.ecosystem, &row.name))).or_default();
            if let Some(v) = row.versions.iter().find(|v| known.iter().any(|k| equal(row.ecosystem, k, v))) {
                let hint = format!("`{} {}` also stands in `packages` or in another row: remove one", row.name, v);
                self.say("package_list", format!("line {} of the list: listed twice", row.line), hint);
            }
            known.extend(&row.versions);
        }
        for (place, ecosystem, name, v) in safe {
            let listed = bad.get(&(ecosystem, name)).is_some_and(|known| known.iter().any(|k| equal(ecosystem, k, v)));
            if listed {
                self.say(place, format!("`{v}` is also listed as malicious"), "remove it from one list");
            }
        }
    }
}

/// The same version, whichever of the two names it more closely.
pub fn equal(ecosystem: Ecosystem, a: &str, b: &str) -> bool {
    a == b || (same_version(ecosystem, a, b) && same_version(ecosystem, b, a))
}

/// What is wrong with a version or a range, and the mend.
pub fn version_fault(ecosystem: Ecosystem, version: &str) -> Option<(String, String)> {
    let word = ecosystem.purl_type();
    let no_version = |v: &str| {
        let hint = format!("write it as {word} does; a range is `>=1.2,<1.4`, every version `*`");
        Some((format!("`{v}` is no version of {word}"), hint))
    };
    if version == "*" {
        return None;
    }
    if !is_range(version) {
        let odd = version.is_empty() || version.contains(|c: char| c.is_whitespace() || ",*^=|<>".contains(c));
        return if odd || !is_version(ecosystem, version) { no_version(version) } else { None };
    }
    let mut bounds = Vec::new();
    for clause in version.split(',').map(str::trim) {
        let bound = clause.trim_start_matches(['<', '>', '=']);
        let operator = clause.strip_suffix(bound).unwrap_or_default();
        if ![">=", ">", "<=", "<"].contains(&operator) {
            return Some((
                format!("`{clause}` is no bound"),
                "use `>=`, `>`, `<=`, `<`, and commas between".to_owned(),
            ));
        }
        if !is_version(ecosystem, bound.trim()) {
            return no_version(bound.trim());
        }
        bounds.push((operator, bound.trim()));
    }
    let lower = bounds.iter().filter(|(o, _)| o.starts_with('>'));
    let empty = lower.into_iter().any(|(from, low)| {
        bounds.iter().filter(|(o, _)| o.starts_with('<')).any(|(to, high)| match order(ecosystem, low, high) {
            Some(Ordering::Greater) => true,
            Some(Ordering::Equal) => !(from.ends_with('=') && to.ends_with('=')),
            _ => false,
        })
    });
    empty.then(|| (format!("`{version}` admits no version"), "exchange its ends, or mend them".to_owned()))
}

/// The first version that stands behind a later one, in the order of the ecosystem or of the numbers in it.
pub fn unsorted(ecosystem: Ecosystem, versions: &[String]) -> Option<(usize, &String)> {
    let wrong = |later: fn(Ecosystem, &str, &str) -> bool| {
        versions.windows(2).position(|w| matches!(w, [a, b] if later(ecosystem, a, b)))
    };
    let own = wrong(|e, a, b| order(e, a, b).map_or_else(|| numbers(a) > numbers(b), |o| o == Ordering::Greater))?;
    wrong(|_, a, b| numbers(a) > numbers(b))?;
    versions.get(own).map(|before| (own + 1, before))
}

/// A text with its numbers as numbers: `1.10` stands behind `1.9`, and `v1` with `1`.
fn numbers(text: &str) -> Vec<(u128, &str)> {
    let mut parts = Vec::new();
    let mut rest = text.strip_prefix('v').unwrap_or(text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let words = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (word, after) = after.split_at(words);
        parts.push((number.parse().unwrap_or(0), word));
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_admit_something() {
        let fault = |v: &str| version_fault(Ecosystem::Pypi, v).map(|(what, _)| what);
        for good in ["*", "1.0", "1.0.post1+local", ">=1.2,<1.4", ">=1.2,<=1.2", "<2"] {
            assert_eq!(fault(good), None, "{good}");
        }
        assert_eq!(fault(">=1.4,<1.2").as_deref(), Some("`>=1.4,<1.2` admits no version"));
        assert_eq!(fault(">1.10,<1.10").as_deref(), Some("`>1.10,<1.10` admits no version"));
        assert_eq!(fault(">=1.2,!=1.3").as_deref(), Some("`!=1.3` is no bound"));
        assert_eq!(fault(">=x").as_deref(), Some("`x` is no version of pypi"));
        for bad in ["", "^1.2", "1.*", "1.0 1.1", "one"] {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn versions_are_sorted_as_numbers() {
        let wrong = |v: &[&str]| {
            let versions: Vec<String> = v.iter().map(|v| (*v).to_owned()).collect();
            unsorted(Ecosystem::Npm, &versions).map(|(n, _)| n)
        };
        assert_eq!(wrong(&["1.9.0", "v1.10.0", "1.10.1"]), None);
        assert_eq!(wrong(&["1.10.0", "1.9.0"]), Some(1));
    }
}
