//! What a text that no parser understands could hold: a known name as a whole token together with one of its bad versions or a range
//! that admits one, or a host, hash or text of an indicator. Never says "nothing" where it cannot know.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::OnceLock,
};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::{
    Index,
    decode::{decoded, is_sealed},
    model::{FileRole, Incident, Standing},
    pattern,
    token::{Text, loose, names_in},
};
use crate::{
    coverage::Weight,
    ecosystem::normal_name,
    fact::{Ecosystem, TreePath},
};

/// Questions that are asked of one text: more of them, and nobody can say.
const QUESTIONS: usize = 200_000;
/// Different words of one text that are looked up in long lists.
const WORDS: usize = 50_000;
/// Shorter texts of indicators stand in every file.
const SHORTEST: usize = 5;

/// Weighs files with the indicators of one run.
#[derive(Debug)]
pub struct Weigher<'i> {
    index: &'i Index,
    /// Made when the first file has to be weighed, which on most machines is never.
    known: OnceLock<Known>,
}

#[derive(Debug)]
struct Known {
    finder: Option<AhoCorasick>,
    /// What each text of the finder means.
    meanings: Vec<Vec<Meaning>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Meaning {
    /// A package, which counts with one of these versions.
    Package(Ecosystem, Vec<String>),
    /// An action or an image, which counts with one of these tags or commits.
    Tagged(Vec<String>),
    /// It counts by itself.
    Alone,
}

impl<'i> Weigher<'i> {
    /// For the indicators of a run.
    pub fn new(index: &'i Index) -> Self {
        Self { index, known: OnceLock::new() }
    }

    /// What a file of this path and these bytes could hide.
    pub fn weigh(&self, path: &TreePath, bytes: &[u8]) -> Weight {
        let place = String::from_utf8_lossy(path.as_bytes());
        if self.stands_for_a_package(&place) {
            return Weight::Names;
        }
        let Some(text) = decoded(bytes).filter(|_| !is_sealed(bytes)) else {
            return Weight::Unknown;
        };
        let last: Vec<&str> = place.rsplit('/').take(2).collect();
        let text = Text::new(format!("{text}\n{}", last.join("\n")));
        match self.named(&text) {
            Some(true) => Weight::Names,
            Some(false) => Weight::Nothing,
            None => Weight::Unknown,
        }
    }

    /// Whether a file stands where only a package of a known name would, in a version that its place does not say.
    fn stands_for_a_package(&self, place: &str) -> bool {
        let parts: Vec<&str> = place.split('/').collect();
        let info =
            |part: &&str| [".dist-info", ".egg-info"].iter().find_map(|end| part.strip_suffix(end).map(str::to_owned));
        let package = || match parts.as_slice() {
            [.., "node_modules", scope, name, _] if scope.starts_with('@') => Some(format!("{scope}/{name}")),
            [.., "node_modules" | "site-packages" | "dist-packages", name, _] => Some((*name).to_owned()),
            _ => None,
        };
        let name = parts.iter().rev().take(2).find_map(info).or_else(package);
        let knows = |name: &str, e: &Ecosystem| self.index.knows_package(*e, &normal_name(*e, name));
        name.is_some_and(|name| Ecosystem::ALL.iter().any(|e| knows(&name, e)))
    }

    /// Whether the text names what an indicator knows; `None` where that cannot be known.
    fn named(&self, text: &Text) -> Option<bool> {
        let known = self.known.get_or_init(|| Known::new(&self.index.database.incidents));
        Some(known.is_in(text)? || self.is_fed(text)?)
    }

    /// Whether a feed knows a package that the text names with a version.
    fn is_fed(&self, text: &Text) -> Option<bool> {
        let mut names = BTreeSet::new();
        for word in text.words().filter(|_| !self.index.feeds().is_empty()) {
            names.extend(names_in(word));
            if names.len() > WORDS {
                return None;
            }
        }
        let mut questions = QUESTIONS;
        for (name, ecosystem) in names.iter().flat_map(|n| Ecosystem::ALL.map(|e| (n, e))) {
            let normal = normal_name(ecosystem, name);
            for feed in self.index.feeds().iter().filter(|f| f.knows(ecosystem, &normal)) {
                let versions: Vec<String> =
                    feed.rows(ecosystem, &normal).into_iter().flat_map(|r| r.versions).collect();
                if text.has_version(ecosystem, &versions, &mut questions)? {
                    return Some(true);
                }
                let name = loose(name);
                for end in memchr::memmem::find_iter(text.loose(), name.as_bytes()).map(|at| at + name.len()) {
                    questions = questions.checked_sub(1)?;
                    if text.admits_behind(end, ecosystem, &versions) {
                        return Some(true);
                    }
                }
            }
        }
        Some(false)
    }
}

impl Known {
    fn new(incidents: &[Incident]) -> Self {
        let mut by: HashMap<String, Vec<Meaning>> = HashMap::new();
        let mut add = |text: &str, meaning: Meaning| {
            let meanings = by.entry(loose(text.trim())).or_default();
            if !meanings.contains(&meaning) {
                meanings.push(meaning);
            }
        };
        for i in incidents {
            for p in i.packages.iter().filter(|p| live(&p.standing)) {
                let meaning = Meaning::Package(p.ecosystem, p.versions.clone());
                add(&normal_name(p.ecosystem, &p.name), meaning.clone());
                // A project of Maven has the group in an element of its own.
                if let Some((group, _)) = p.name.split_once(':').filter(|_| p.ecosystem == Ecosystem::Maven) {
                    add(group, meaning.clone());
                }
                add(&p.name, meaning);
            }
            for a in i.actions.iter().filter(|a| live(&a.standing)) {
                let tags = a.tags.iter().chain(&a.moved_tags).chain(&a.commits);
                add(&a.repository, Meaning::Tagged(tags.cloned().collect()));
            }
            for m in i.images.iter().filter(|m| live(&m.standing)) {
                add(&m.repository, Meaning::Tagged(m.tags.iter().chain(&m.floating_tags).cloned().collect()));
            }
            alone(i).filter(|t| t.len() >= SHORTEST).for_each(|text| add(text, Meaning::Alone));
        }
        by.remove("");
        let mut all: Vec<(String, Vec<Meaning>)> = by.into_iter().collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let (texts, meanings): (Vec<String>, Vec<Vec<Meaning>>) = all.into_iter().unzip();
        Self { finder: AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(&texts).ok(), meanings }
    }

    /// Whether a text names something; `None` where that cannot be known.
    fn is_in(&self, text: &Text) -> Option<bool> {
        let mut questions = QUESTIONS;
        let mut asked = HashSet::new();
        for found in self.finder.as_ref()?.find_overlapping_iter(text.loose()) {
            questions = questions.checked_sub(1)?;
            let first = asked.insert(found.pattern());
            for meaning in self.meanings.get(found.pattern().as_usize())? {
                let whole = || text.is_name(found.start(), found.end());
                let counts = match meaning {
                    Meaning::Alone => true,
                    Meaning::Tagged(tags) => whole() && tags.iter().any(|t| t == "*" || text.has(t)),
                    Meaning::Package(ecosystem, versions) if whole() => {
                        first && text.has_version(*ecosystem, versions, &mut questions)?
                            || text.admits_behind(found.end(), *ecosystem, versions)
                    }
                    Meaning::Package(..) => {
                        // It may stand alone further on.
                        asked.remove(&found.pattern());
                        false
                    }
                };
                if counts {
                    return Some(true);
                }
            }
        }
        Some(false)
    }
}

fn live(standing: &Standing) -> bool {
    standing.withdrawn.is_none()
}

/// What counts wherever it stands.
fn alone(i: &Incident) -> impl Iterator<Item = &str> {
    let network = i.network.iter().filter(|n| live(&n.standing) && !n.context_only).map(|n| n.value.as_str());
    let strings = i.strings.iter().filter(|s| live(&s.standing) && !s.context_only).map(|s| s.value.as_str());
    let git = i.git.iter().filter(|g| live(&g.standing) && !g.context_only).map(|g| g.value.as_str());
    let processes = i.processes.iter().filter(|p| live(&p.standing)).map(|p| p.holds.as_str());
    let artifacts = i.artifacts.iter().filter(|a| live(&a.standing));
    let artifacts = artifacts
        .flat_map(|a| [Some(&a.name), a.sha256.as_ref(), a.sha512.as_ref(), a.sha1.as_ref(), a.md5.as_ref()])
        .flatten();
    let files = || i.files.iter().filter(|f| live(&f.standing));
    let hashes = files().flat_map(|f| [&f.sha256, &f.sha1, &f.md5]).flatten();
    let holds = files().flat_map(|f| &f.holds);
    let own = files().filter(|f| matches!(f.role, FileRole::Hook | FileRole::Payload)).flat_map(|f| &f.paths);
    let own = own.map(|p| pattern::base(p)).filter(|name| !name.contains('*'));
    let digests = i.images.iter().filter(|m| live(&m.standing)).flat_map(|m| &m.digests);
    let digests = digests.map(|d| d.strip_prefix("sha256:").unwrap_or(d));
    let owned = artifacts.chain(hashes).chain(holds).map(String::as_str);
    network.chain(strings).chain(git).chain(processes).chain(owned).chain(own).chain(digests)
}

#[cfg(test)]
mod tests;
