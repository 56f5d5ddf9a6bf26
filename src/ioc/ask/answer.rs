//! The answer to a question: what is found, and what a person must know where nothing is.

use jiff::Timestamp;

use super::{Question, names::is_number};
use crate::{
    ecosystem::{admits, is_version},
    fact::Ecosystem,
    ioc::{
        index::Index,
        query::{Found, Query},
        withdrawn::Withdrawals,
    },
};

/// How a question was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Something is known.
    Known,
    /// Nothing is known, which is not the same as safe.
    Unknown,
    /// It cannot be asked like that.
    Unclear,
}

/// What is said to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How.
    pub state: State,
    /// The indicators and incidents.
    pub found: Vec<Found>,
    /// What is known besides, a line each: nearest versions, withdrawn advisories, how to ask.
    pub notes: Vec<String>,
}

impl Index {
    /// Answers a question. `at` is when an action or image was used.
    pub fn ask(&self, question: &Question, withdrawn: &Withdrawals, at: Option<Timestamp>) -> Answer {
        if let Some(why) = &question.unclear {
            return Answer { state: State::Unclear, found: Vec::new(), notes: vec![why.clone()] };
        }
        let mut found = self.incidents_called(&question.bare);
        let mut notes = Vec::new();
        for query in &question.readings {
            found.extend(self.answer(query, at));
            found.extend(self.in_part(query, &question.bare));
        }
        if found.is_empty() {
            for query in &question.readings {
                found.extend(self.loosely(query, at));
            }
        }
        found.sort();
        found.dedup();
        for query in &question.readings {
            notes.extend(withdrawn.of_query(query));
            notes.extend(self.no_indicators(query));
        }
        notes.extend(withdrawn.of_number(&question.bare));
        let mut state = State::Known;
        if found.is_empty() {
            state = State::Unknown;
            notes.extend(self.near(question));
            if notes.is_empty() && question.bare.contains(' ') && !structured(&question.readings) {
                state = State::Unclear;
                notes.extend(self.words(&question.bare));
            }
        }
        let mut once = std::collections::HashSet::new();
        notes.retain(|n| once.insert(n.clone()));
        Answer { state, found, notes }
    }

    /// As people write what an ecosystem writes otherwise: capitals, a range.
    fn loosely(&self, query: &Query, at: Option<Timestamp>) -> Vec<Found> {
        let Query::Package { ecosystem, name, version } = query else {
            return Vec::new();
        };
        let lower = name.to_lowercase();
        let as_written = Query::Package { ecosystem: *ecosystem, name: lower.clone(), version: version.clone() };
        let mut found = if lower == *name { Vec::new() } else { self.answer(&as_written, at) };
        found.extend(self.releases(*ecosystem, &lower, version.as_deref()));
        let digit = |v: &str| v.starts_with(|c: char| c.is_ascii_digit() || "<>~^!*".contains(c));
        let Some(range) = version.as_deref().filter(|v| digit(v)) else {
            return found;
        };
        for e in ecosystem.map_or_else(|| Ecosystem::ALL.to_vec(), |e| vec![e]) {
            for (place, p) in self.package(e, &crate::ecosystem::normal_name(e, &lower)) {
                for known in p.versions.iter().filter(|v| !is_version(e, range) && admits(e, range, v)) {
                    let indicator = format!("{}/{}@{known}", e.purl_type(), p.name);
                    let what = format!("the range admits it; {}", p.runs);
                    found.push(Found { incident: place.0, place: format!("packages[{}]", place.1), indicator, what });
                }
            }
        }
        found
    }

    /// Of a version without the release of a distribution: `5.6.1` where `5.6.1-1.fc40` is known. Of a program by its short name,
    /// where a forge's `owner/name` is known.
    fn releases(&self, ecosystem: Option<Ecosystem>, name: &str, version: Option<&str>) -> Vec<Found> {
        let mut found = Vec::new();
        let asked = |e: &Ecosystem| ecosystem.is_none_or(|own| own == *e);
        let plain = version.filter(|v| !v.contains('-'));
        for e in [Ecosystem::Deb, Ecosystem::Rpm, Ecosystem::Aur].into_iter().filter(asked) {
            for (place, p) in self.package(e, &crate::ecosystem::normal_name(e, name)) {
                let upstream = |known: &str| Some(known.rsplit_once('-')?.0.rsplit(':').next()?.to_owned());
                let fits = |v: &&String| plain.is_some() && upstream(v).as_deref() == plain;
                found.extend(p.versions.iter().filter(fits).map(|known| Found {
                    incident: place.0,
                    place: format!("packages[{}]", place.1),
                    indicator: format!("{}/{}@{known}", e.purl_type(), p.name),
                    what: p.runs.clone(),
                }));
            }
        }
        if ecosystem.is_none() && !name.contains('/') {
            let short = |known: &str| known.rsplit_once('/').is_some_and(|(_, last)| last == name);
            let names = self.package_names().filter(|(e, known)| *e == Ecosystem::Generic && short(known));
            let mut names: Vec<&str> = names.map(|(_, known)| known).collect();
            names.sort_unstable();
            found.extend(names.into_iter().flat_map(|known| {
                let version = version.map(str::to_owned);
                self.answer(
                    &Query::Package { ecosystem: Some(Ecosystem::Generic), name: known.to_owned(), version },
                    None,
                )
            }));
        }
        found
    }

    /// Values that were published as indicators and are none, and hosts that others use too.
    fn no_indicators(&self, query: &Query) -> Vec<String> {
        let value = match query {
            Query::Hash(v) | Query::Host(v) | Query::Text(v) | Query::File(v) => v,
            _ => return Vec::new(),
        };
        let mut notes = Vec::new();
        for i in &self.database.incidents {
            let none = i.not_indicators.iter().filter(|n| n.value.eq_ignore_ascii_case(value));
            notes.extend(none.map(|n| format!("published as an indicator, and none: {} ({})", n.what, i.id)));
            let shared = i.network.iter().filter(|n| n.context_only && n.value.eq_ignore_ascii_case(value));
            notes.extend(
                shared.map(|n| format!("others use it too, so it proves nothing alone: {} ({})", n.what, i.id)),
            );
        }
        notes
    }

    /// What is known beside something unknown.
    fn near(&self, question: &Question) -> Vec<String> {
        let mut notes = Vec::new();
        for query in &question.readings {
            match query {
                Query::Package { ecosystem, name, version } => {
                    notes.extend(self.elsewhere(query));
                    for e in ecosystem.map_or_else(|| Ecosystem::ALL.to_vec(), |e| vec![e]) {
                        let exact = self.versions_near(e, name, version.as_deref());
                        let lower = name.to_lowercase();
                        let loose = exact.is_empty() && lower != *name;
                        notes.extend(if loose { self.versions_near(e, &lower, version.as_deref()) } else { exact });
                    }
                }
                Query::Action { repository, .. } => notes.extend(self.references_near(repository)),
                _ => {}
            }
        }
        let nothing = notes.is_empty();
        notes.extend(self.mentioned(&question.bare).filter(|_| nothing));
        if nothing {
            let name = question.readings.iter().find_map(|q| match q {
                Query::Package { name, .. } | Query::Host(name) | Query::Action { repository: name, .. } => Some(name),
                _ => None,
            });
            let near = name.map(|n| self.names_near(n)).unwrap_or_default();
            if !near.is_empty() {
                notes.push(format!("known names like it: {}", near.join(", ")));
            }
        }
        let text = &question.bare;
        let begun = (7..40).contains(&text.len()) && text.len() != 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if begun && text.bytes().any(|b| b.is_ascii_digit()) {
            notes.push("of a commit the first 7 digits are enough; of a hash all are needed".to_owned());
        }
        if is_number(&question.bare) {
            notes.push(
                "numbers are known of curated incidents only: ask with the name and version of the package".to_owned(),
            );
        }
        notes
    }

    /// The incidents that have a word in their heading.
    fn mentioned(&self, text: &str) -> Option<String> {
        let asked = text.to_lowercase();
        let within = |t: &String| t.to_lowercase().contains(&asked);
        let named =
            |i: &&crate::ioc::model::Incident| within(&i.id) || within(&i.title) || i.aliases.iter().any(within);
        let ids: Vec<&str> = self.database.incidents.iter().filter(named).map(|i| i.id.as_str()).take(6).collect();
        (asked.len() > 3 && asked.len() < 64 && !ids.is_empty())
            .then(|| format!("in the headings of {}: `iocs list '{text}'`", ids.join(", ")))
    }

    /// Of a sentence: the words in it that are names of known packages.
    fn words(&self, text: &str) -> Vec<String> {
        let known = |w: &&str| {
            w.len() > 2
                && !super::NOISE.contains(w)
                && Ecosystem::ALL.iter().any(|e| self.knows_package(*e, &w.to_lowercase()))
        };
        let bare: Vec<String> = text.split_whitespace().take(100).map(super::clean::bare).collect();
        let words: Vec<&str> = bare.iter().map(String::as_str).filter(known).collect();
        let hint = "ask with one name and version, a hash, a host, or a number in one argument".to_owned();
        let named =
            (!words.is_empty()).then(|| format!("a name that is known: ask `iocs search {}`", words.join("`, `")));
        named.into_iter().chain([hint]).collect()
    }
}

/// Whether anything but a text was read.
fn structured(readings: &[Query]) -> bool {
    readings.iter().any(|q| !matches!(q, Query::File(_) | Query::Text(_)))
}
