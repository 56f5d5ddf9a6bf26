//! What the raw text of a lock file or manifest names, where it cannot be parsed: a package that an indicator knows, and its version.
//!
//! ```text
//! "axios": "1.14.1"   axios@1.14.1   "axios@npm:1.14.1"   /axios/1.14.1   https://registry.example/axios/-/axios-1.14.1.tgz
//! "node_modules/axios": { "version": "1.14.1"
//! axios@^1.0.0:
//!   version "1.14.1"
//! ```
//!
//! A range and a comment name no version that anybody gets.

use super::listing::{is_name, is_version, package};
use crate::{
    ecosystem::npm::reference::{Reference, Target, locator, read},
    fact::{Ecosystem, Package},
    interest::Interest,
    surface::{Opened, content::text},
};

/// The part of a file that is searched.
const SEARCHED: usize = 16 << 20;
/// What is taken from one file.
const PAIRS: usize = 200;
/// How many words behind a name its version may stand.
const BEHIND: u32 = 40;
/// Longer words are neither names nor addresses of packages.
const WORD: usize = 2000;
/// What git leaves in a conflict.
const MARKERS: &[&str] = &["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// Each known package with its version and its line, each once.
pub fn pairs(file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
    let interest = file.interest;
    file.head(SEARCHED).map(|bytes| pairs_in(&text(bytes), interest)).unwrap_or_default()
}

fn pairs_in(text: &str, interest: &Interest) -> Vec<(Package, u32)> {
    let mut search = Search { interest, found: Vec::new(), name: None, behind: 0, is_version_next: false };
    for (number, line) in (1..).zip(text.lines()) {
        let start = line.trim_start();
        if start.starts_with('#') || start.starts_with("//") || MARKERS.iter().any(|m| start.starts_with(m)) {
            continue;
        }
        if start.is_empty() {
            search.name = None;
        }
        // What ends an object ends what is said of its name.
        for (at, part) in line.split('}').enumerate() {
            if at > 0 {
                search.name = None;
            }
            for word in part.split(|c: char| c.is_whitespace() || "\"'`,{[]();".contains(c)) {
                search.word(word.trim_end_matches([':', '.']), number);
            }
        }
    }
    search.found
}

struct Search<'i> {
    interest: &'i Interest,
    found: Vec<(Package, u32)>,
    /// The known package whose version may follow.
    name: Option<String>,
    /// Words since then.
    behind: u32,
    /// The last word was `version`.
    is_version_next: bool,
}

impl Search<'_> {
    fn word(&mut self, word: &str, line: u32) {
        if word.is_empty() || word.len() > WORD || word == ":" {
            return;
        }
        if let Some(named) = self.known(word) {
            self.is_version_next = false;
            let name = named.name.clone().unwrap_or_default();
            match named.version() {
                Some(version) => self.push(&name, version, line),
                None => {
                    self.name = matches!(named.target, Target::Range(_) | Target::Tag(_)).then_some(name);
                    self.behind = 0;
                }
            }
            return;
        }
        let Some(name) = self.name.clone() else {
            return;
        };
        self.behind += 1;
        let reads = self.is_version_next || self.behind == 1;
        self.is_version_next = word == "version";
        if reads && !self.is_version_next {
            match read(word).target {
                Target::Exact(version) => self.push(&name, &version, line),
                // `"axios": "^1.0.0"` says nothing of what comes behind it.
                _ if self.behind == 1 && word.starts_with(['^', '~', '<', '>', '=', '*']) => self.name = None,
                _ => {}
            }
        }
        if self.behind > BEHIND {
            self.name = None;
        }
    }

    /// The reference that a word is, where it is one of a known package.
    fn known(&self, word: &str) -> Option<Reference> {
        if word.contains("://") {
            let named = read(word);
            return named.name.as_deref().is_some_and(|name| self.knows(name)).then_some(named);
        }
        let placed = word.rfind("node_modules/").and_then(|at| word.get(at + "node_modules/".len()..)).unwrap_or(word);
        let placed = placed.strip_prefix("npm:").unwrap_or(placed);
        let bare = placed.trim_start_matches('/');
        let at = bare.char_indices().skip(1).find(|(_, c)| *c == '@').map_or(bare.len(), |(at, _)| at);
        let before = bare.get(..at)?;
        let parts = if before.starts_with('@') { 2 } else { 1 };
        let end = before.match_indices('/').nth(parts - 1).map_or(before.len(), |(at, _)| at);
        self.knows(before.get(..end)?).then(|| locator(placed))
    }

    fn knows(&self, name: &str) -> bool {
        is_name(name) && self.interest.knows_package(Ecosystem::Npm, name)
    }

    fn push(&mut self, name: &str, version: &str, line: u32) {
        let package = package(name, version, Vec::new());
        let is_new = || !self.found.iter().any(|(p, _)| *p == package);
        if self.found.len() < PAIRS && is_version(version) && is_new() {
            self.found.push((package, line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut interest = Interest::default();
        ["axios", "@s/x"].iter().for_each(|name| interest.packages.insert(Ecosystem::Npm, name));
        pairs_in(text, &interest).into_iter().map(|(p, line)| format!("{} {}@{line}", p.name, p.version)).collect()
    }

    #[test]
    fn a_name_and_its_version_in_every_form() {
        for text in [
            "\"axios\": \"1.14.1\",",
            "{\"axios\":\"1.14.1\"}",
            "axios@1.14.1",
            "'axios@1.14.1(react@18.0.0)':",
            "\"axios@npm:1.14.1\"",
            "\"my\": \"npm:axios@1.14.1\"",
            "/axios/1.14.1:",
            "/axios@1.14.1:",
            "resolved \"https://registry.example/axios/-/axios-1.14.1.tgz#abc\"",
            "\"node_modules/a/node_modules/axios\": {\"resolved\": \"x\", \"version\": \"1.14.1\"",
            "\"axios\": {\"version\": \"1.14.1\"",
            "axios 1.14.1",
        ] {
            assert_eq!(found(text), ["axios 1.14.1@1"], "{text}");
        }
        assert_eq!(found("axios@^1.0.0, axios@~1:\n  version \"1.14.1\"\n"), ["axios 1.14.1@2"]);
        assert_eq!(found("\"axios@npm:^1.0.0\":\n  version: 1.14.1\n"), ["axios 1.14.1@2"]);
        assert_eq!(found("\"@s/x\": \"1.0.0\"\n/@s/x/2.0.0:"), ["@s/x 1.0.0@1", "@s/x 2.0.0@2"]);
    }

    #[test]
    fn look_alikes_name_nothing() {
        for text in [
            "\"axios\": \"^1.14.1\"",
            "\"axios\": \">=1.14.1\"",
            "\"axios\": \"{{ version }}\"",
            "\"axios\": {}, \"version\": \"1.14.1\"",
            "\"axios\": \"^1\", \"version\": \"1.14.1\"",
            "# axios@1.14.1",
            "  // \"axios\": \"1.14.1\"",
            "@types/axios@1.14.1",
            "axios-mock@1.14.1",
            "\"node_modules/axios/node_modules/b\": {\"version\": \"1.14.1\"",
            "axios@workspace:packages/axios",
            "axios@https://host.example/axios/1.14.1.git",
            "axios@^1:\n\nother@^1:\n  version \"1.14.1\"",
            "",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_flood_of_names_is_searched_in_one_pass() {
        assert_eq!(found(&"\"axios\": {".repeat(200_000)), [""; 0]);
        let many: String = (0..1000).map(|n| format!("axios@1.0.{n}\n")).collect();
        assert_eq!(found(&many).len(), PAIRS);
    }
}
