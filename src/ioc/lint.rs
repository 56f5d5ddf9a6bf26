//! What is wrong with an indicator file, told so that its author can mend it.

use std::collections::BTreeSet;

use super::model::{Completeness, Incident};
use crate::ecosystem::same_version;

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

/// Reads an incident file and checks it.
///
/// # Errors
/// Every fault, in the order of the file.
pub fn check(file: &str, text: &str) -> Result<Incident, Vec<Problem>> {
    let incident: Incident = serde_json::from_str(text).map_err(|e| {
        let (line, column) = (e.line(), e.column());
        let what = e.to_string();
        let what = what.split(" at line ").next().unwrap_or(&what).to_owned();
        vec![Problem {
            file: file.to_owned(),
            place: format!("line {line}, column {column}"),
            what,
            hint: "`iocs/README.md` lists every field and its values".to_owned(),
        }]
    })?;
    let mut lint = Lint { file, incident: &incident, problems: Vec::new() };
    lint.identity();
    lint.sources();
    lint.windows();
    lint.packages();
    lint.files();
    lint.network();
    lint.harvest();
    lint.examples();
    let problems = lint.problems;
    if problems.is_empty() { Ok(incident) } else { Err(problems) }
}

struct Lint<'l> {
    file: &'l str,
    incident: &'l Incident,
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

    fn identity(&mut self) {
        let i = self.incident;
        if i.schema != "dosimeter.incident/1" {
            self.say("schema", format!("`{}` is not a known format", i.schema), "write `dosimeter.incident/1`");
        }
        let stem = self.file.rsplit('/').next().unwrap_or(self.file);
        let stem = stem.strip_suffix(".json").unwrap_or(stem);
        if i.id != stem {
            self.say("id", format!("`{}` is not the file's name", i.id), format!("write `{stem}`, or rename the file"));
        }
        if !i.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c)) {
            self.say(
                "id",
                "only lower-case letters, digits, `-` and `.` are allowed",
                "use a form like `litellm-2026-03`",
            );
        }
        if i.date.parse::<jiff::civil::Date>().is_err() {
            self.say("date", format!("`{}` is not a date", i.date), "write YYYY-MM-DD");
        }
        if i.packages.is_empty()
            && i.files.is_empty()
            && i.network.is_empty()
            && i.images.is_empty()
            && i.artifacts.is_empty()
            && i.actions.is_empty()
            && i.git.is_empty()
            && i.strings.is_empty()
            && i.package_list.is_none()
        {
            self.say(
                "packages",
                "the incident has no indicator",
                "add packages, files, artifacts, network names, images, actions or traces in git",
            );
        }
    }

    fn sources(&mut self) {
        let incident = self.incident;
        for (key, source) in &incident.sources {
            let place = format!("sources.{key}");
            match (&source.url, &source.relayed) {
                (None, None) => {
                    self.say(place, "neither an address nor a description", "give `url`, or `relayed` with what it was")
                }
                (Some(_), Some(_)) => self.say(place, "both `url` and `relayed`", "keep `url`"),
                (Some(url), None) if !(url.starts_with("https://") || url.starts_with("http://")) => {
                    self.say(place, format!("`{url}` is not an address"), "write it in full, with https://");
                }
                _ => {}
            }
        }
        let known: BTreeSet<&str> = incident.sources.keys().map(String::as_str).collect();
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for (place, keys) in sourced(incident) {
            if keys.is_empty() {
                self.say(format!("{place}.sources"), "no source", "name at least one key of `sources`");
            }
            for key in keys {
                used.insert(key);
                if !known.contains(key.as_str()) {
                    self.say(
                        format!("{place}.sources"),
                        format!("`{key}` is not in `sources`"),
                        "add it there, or mend the key",
                    );
                }
            }
        }
    }

    fn windows(&mut self) {
        for (n, w) in self.incident.windows.iter().enumerate() {
            if w.end.is_some_and(|end| w.start >= end) {
                self.say(format!("windows[{n}]"), "the start is not before the end", "exchange them, or mend the date");
            }
        }
    }

    fn packages(&mut self) {
        let incident = self.incident;
        let mut met = BTreeSet::new();
        for (n, p) in incident.packages.iter().enumerate() {
            let place = format!("packages[{n}]");
            if p.versions.is_empty() {
                self.say(format!("{place}.versions"), "no version", "list exact versions, or `*` for every one");
            }
            if p.triggers.is_empty() {
                self.say(format!("{place}.triggers"), "no trigger", "say when its code runs");
            }
            for v in &p.versions {
                if !met.insert((p.ecosystem, p.name.clone(), v.clone())) {
                    self.say(format!("{place}.versions"), format!("`{v}` is listed twice"), "remove one");
                }
                if p.safe.iter().any(|s| same_version(p.ecosystem, v, s)) {
                    self.say(
                        format!("{place}.safe"),
                        format!("`{v}` is also listed as malicious"),
                        "remove it from one list",
                    );
                }
            }
        }
    }

    fn files(&mut self) {
        let incident = self.incident;
        for (n, a) in incident.artifacts.iter().enumerate() {
            if let Some(hash) = &a.sha256 {
                self.hash(&format!("artifacts[{n}].sha256"), hash);
            }
        }
        for (n, f) in incident.files.iter().enumerate() {
            if let Some(hash) = &f.sha256 {
                self.hash(&format!("files[{n}].sha256"), hash);
            }
            if f.paths.is_empty() {
                self.say(format!("files[{n}].paths"), "no path", "give `~/…`, `/…`, `site:…` or `any:…`");
            }
            for path in &f.paths {
                let rooted = ["~/", "/", "site:", "any:"].iter().any(|start| path.starts_with(start));
                if !rooted || path.ends_with('/') || path.contains("/../") {
                    self.say(
                        format!("files[{n}].paths"),
                        format!("`{path}` is not a pattern"),
                        "start it with `~/`, `/`, `site:` or `any:`",
                    );
                }
            }
        }
    }

    fn hash(&mut self, place: &str, hash: &str) {
        let hex = hash.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
        if hash.len() != 64 || !hex {
            let what = format!("not a SHA-256: {} characters", hash.len());
            self.say(place, what, "64 lower-case hex digits; leave it out where the source has another number");
        }
        if hash == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
            self.say(place, "the SHA-256 of an empty file", "leave it out: it fits every empty file");
        }
    }

    fn network(&mut self) {
        for (n, name) in self.incident.network.iter().enumerate() {
            if name.value.contains("[.]") || name.value.starts_with("hxxp") {
                self.say(format!("network[{n}].value"), "defanged", "write the exact name");
            }
        }
    }

    fn harvest(&mut self) {
        let harvest = &self.incident.harvest;
        if harvest.completeness == Completeness::Exact && harvest.paths.is_empty() {
            self.say("harvest.paths", "an exact list without paths", "list them, or write `partial` or `unknown`");
        }
        for (n, rule) in harvest.paths.iter().enumerate() {
            if rule.depth.is_none() && !rule.unlimited {
                self.say(
                    format!("harvest.paths[{n}]"),
                    "neither `depth` nor `unlimited`",
                    "say how many folders below are searched",
                );
            }
        }
    }

    fn examples(&mut self) {
        let incident = self.incident;
        if incident.examples.is_empty() {
            self.say("examples", "none", "add an input that must be found");
        }
        if incident.near_misses.is_empty() {
            self.say("near_misses", "none", "add a look-alike that must not be found");
        }
        for (n, e) in incident.examples.iter().enumerate() {
            if e.expect.is_empty() && e.lookups.is_empty() {
                let hint = "list `exposure/confidence` of each finding of `files`, or give `lookups`";
                self.say(format!("examples[{n}]"), "nothing to find", hint);
            }
        }
        for (n, e) in incident.near_misses.iter().enumerate() {
            if !e.expect.is_empty() {
                self.say(format!("near_misses[{n}].expect"), "a near miss that is found", "move it to `examples`");
            }
        }
    }
}

/// Every value that names sources, with its place.
pub fn sourced(i: &Incident) -> Vec<(String, &[String])> {
    fn list<'i, T>(name: &str, items: &'i [T], of: fn(&'i T) -> &'i [String]) -> Vec<(String, &'i [String])> {
        items.iter().enumerate().map(|(n, item)| (format!("{name}[{n}]"), of(item))).collect()
    }
    let mut all = list("windows", &i.windows, |w| &w.sources);
    all.extend(list("packages", &i.packages, |p| &p.sources));
    all.extend(list("artifacts", &i.artifacts, |a| &a.sources));
    all.extend(list("files", &i.files, |f| &f.sources));
    all.extend(list("network", &i.network, |n| &n.sources));
    all.extend(list("processes", &i.processes, |p| &p.sources));
    all.extend(list("images", &i.images, |x| &x.sources));
    all.extend(list("kubernetes", &i.kubernetes, |k| &k.sources));
    all.extend(list("git", &i.git, |g| &g.sources));
    all.extend(list("actions", &i.actions, |a| &a.sources));
    all.extend(list("strings", &i.strings, |s| &s.sources));
    all.extend(list("not_indicators", &i.not_indicators, |n| &n.sources));
    all.extend(i.package_list.iter().map(|p| ("package_list".to_owned(), p.sources.as_slice())));
    all.extend(list("dead_man_switches", &i.dead_man_switches, |d| &d.sources));
    all.extend(i.attribution.iter().map(|a| ("attribution".to_owned(), a.sources.as_slice())));
    for (n, d) in i.disagreements.iter().enumerate() {
        all.extend(list(&format!("disagreements[{n}].claims"), &d.claims, |c| &c.sources));
    }
    for (n, w) in i.windows.iter().enumerate() {
        all.extend(list(&format!("windows[{n}].published"), &w.published, |c| &c.sources));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ioc::embedded;

    #[test]
    fn the_embedded_incidents_have_no_fault() {
        for (file, text) in embedded::files("incidents") {
            assert_eq!(check(file, text).err(), None, "{file}");
        }
    }

    #[test]
    fn faults_name_their_place_and_mend() {
        let (file, text) = embedded::files("incidents").into_iter().find(|(f, _)| f.contains("2026-03")).unwrap();
        let broken = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            let problems = check(file, &text.replacen(from, to, 1)).err().unwrap_or_default();
            assert!(problems.iter().all(|p| !p.hint.is_empty()));
            problems.into_iter().map(|p| p.place).next().unwrap_or_default()
        };
        assert_eq!(broken("dosimeter.incident/1", "dosimeter.incident/2"), "schema");
        assert_eq!(broken("\"id\": \"litellm-2026-03\"", "\"id\": \"other\""), "id");
        assert_eq!(broken("2026-03-24\"", "24 March\""), "date");
        assert_eq!(broken("71e35aef", "71e35ae"), "files[0].sha256");
        assert_eq!(broken("\"safe\": [\n    \"1.82.6\"", "\"safe\": [\n    \"1.82.7\""), "packages[0].safe");
        assert!(broken("\"interpreter_start\"", "\"sometimes\"").starts_with("line "));
        assert_eq!(
            broken("models.litellm.cloud\",\n   \"what\"", "models[.]litellm.cloud\",\n   \"what\""),
            "network[0].value"
        );
    }
}
