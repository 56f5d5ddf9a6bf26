//! One file against the others of a run.

use std::collections::HashMap;

use super::{Problem, Read, packages::equal};
use crate::{ecosystem::normal_name, fact::Ecosystem, ioc::model::Incident};

/// Contradictions among the files of one run.
pub fn check(read: &[Read]) -> Vec<Problem> {
    let mut problems = ids(read);
    problems.extend(good_values(read));
    problems.extend(versions(read));
    problems
}

fn problem(file: &str, place: impl Into<String>, what: String, hint: impl Into<String>) -> Problem {
    Problem { file: file.to_owned(), place: place.into(), what, hint: hint.into() }
}

/// Two incidents of one id, and an alias that is another's id.
fn ids(read: &[Read]) -> Vec<Problem> {
    let mut first: HashMap<&str, &str> = HashMap::new();
    let mut problems = Vec::new();
    for r in read {
        if let Some(other) = first.insert(&r.incident.id, &r.file) {
            let what = format!("`{}` is also the id of `{other}`", r.incident.id);
            problems.push(problem(&r.file, "id", what, "merge the two, or give one another id"));
        }
    }
    for r in read {
        for (n, alias) in r.incident.aliases.iter().enumerate() {
            if let Some(other) = first.get(alias.as_str()).filter(|f| **f != r.file) {
                let what = format!("`{alias}` is the id of `{other}`");
                problems.push(problem(&r.file, format!("aliases[{n}]"), what, "remove it"));
            }
        }
    }
    problems
}

/// A value that a file of the run says is no indicator.
fn good_values(read: &[Read]) -> Vec<Problem> {
    let mut good: HashMap<String, (&str, usize)> = HashMap::new();
    for r in read {
        for (n, value) in r.incident.not_indicators.iter().enumerate() {
            good.insert(value.value.to_ascii_lowercase(), (&r.file, n));
        }
    }
    let mut problems = Vec::new();
    for r in read {
        for (place, value) in values(&r.incident) {
            if let Some((file, n)) = good.get(&value.to_ascii_lowercase()) {
                let what = format!("`{value}` is no indicator, by `not_indicators[{n}]` of `{file}`");
                problems.push(problem(&r.file, place, what, "remove it here, or there"));
            }
        }
    }
    problems
}

/// Every value that is matched or looked up, but for packages: they are distinguished by versions.
fn values(i: &Incident) -> Vec<(String, &str)> {
    let mut all = Vec::new();
    for (n, a) in i.artifacts.iter().enumerate() {
        for (field, hash) in [("sha256", &a.sha256), ("sha512", &a.sha512), ("sha1", &a.sha1), ("md5", &a.md5)] {
            all.extend(hash.iter().map(|h| (format!("artifacts[{n}].{field}"), h.as_str())));
        }
    }
    for (n, f) in i.files.iter().enumerate() {
        for (field, hash) in [("sha256", &f.sha256), ("sha1", &f.sha1), ("md5", &f.md5)] {
            all.extend(hash.iter().map(|h| (format!("files[{n}].{field}"), h.as_str())));
        }
    }
    all.extend(i.network.iter().enumerate().map(|(n, x)| (format!("network[{n}].value"), x.value.as_str())));
    all.extend(i.strings.iter().enumerate().map(|(n, x)| (format!("strings[{n}].value"), x.value.as_str())));
    all.extend(i.git.iter().enumerate().map(|(n, x)| (format!("git[{n}].value"), x.value.as_str())));
    for (n, a) in i.actions.iter().enumerate() {
        all.extend(a.commits.iter().enumerate().map(|(m, c)| (format!("actions[{n}].commits[{m}]"), c.as_str())));
    }
    for (n, x) in i.images.iter().enumerate() {
        all.extend(x.digests.iter().enumerate().map(|(m, d)| (format!("images[{n}].digests[{m}]"), d.as_str())));
    }
    all
}

/// A file, and a version that it lists.
type Listed<'r> = (&'r str, &'r String);

/// A version that one incident calls safe and another malicious.
fn versions(read: &[Read]) -> Vec<Problem> {
    let mut bad: HashMap<(Ecosystem, Box<str>), Vec<Listed<'_>>> = HashMap::new();
    for r in read {
        let own = r.incident.packages.iter().map(|p| (p.ecosystem, &p.name, &p.versions));
        let listed = r.rows.iter().map(|row| (row.ecosystem, &row.name, &row.versions));
        for (ecosystem, name, versions) in own.chain(listed) {
            let known = bad.entry((ecosystem, normal_name(ecosystem, name))).or_default();
            known.extend(versions.iter().map(|v| (r.file.as_str(), v)));
        }
    }
    let mut problems = Vec::new();
    for r in read {
        for (n, p) in r.incident.packages.iter().enumerate() {
            let Some(known) = bad.get(&(p.ecosystem, normal_name(p.ecosystem, &p.name))) else {
                continue;
            };
            for (m, safe) in p.safe.iter().enumerate() {
                let other = known.iter().find(|(file, v)| *file != r.file && equal(p.ecosystem, v, safe));
                if let Some((file, _)) = other {
                    let what = format!("`{safe}` is malicious by `{file}`");
                    let place = format!("packages[{n}].safe[{m}]");
                    problems.push(problem(&r.file, place, what, "remove it from `safe`, or mend the other file"));
                }
            }
        }
    }
    problems
}
