//! What the indicators ask surfaces to look for, as plain data: a surface sees names and texts, never an incident.

use std::collections::{BTreeSet, HashSet};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::fact::{Ecosystem, TextId};

/// Names and texts worth opening files for.
#[derive(Debug, Default)]
pub struct Interest {
    /// Base names of files to report with their hash and texts; at most one `*`.
    pub file_names: BTreeSet<String>,
    /// Python modules whose bytecode matters, by base name without ending.
    pub modules: BTreeSet<String>,
    /// Packages that have a malicious version.
    pub packages: HashSet<(Ecosystem, Box<str>)>,
    /// Hosts and addresses, lower case.
    pub hosts: BTreeSet<String>,
    texts: Vec<String>,
    finder: Option<AhoCorasick>,
}

impl Interest {
    /// With the texts to search for.
    pub fn with_texts(texts: Vec<String>) -> Self {
        let finder = AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(&texts).ok();
        Self { texts, finder, ..Self::default() }
    }

    /// Which texts these bytes hold, sorted, each once.
    pub fn texts_in(&self, bytes: &[u8]) -> Vec<TextId> {
        let Some(finder) = &self.finder else {
            return Vec::new();
        };
        let found: BTreeSet<TextId> = finder.find_overlapping_iter(bytes).map(|m| m.pattern().as_u32()).collect();
        found.into_iter().collect()
    }

    /// The text behind an id.
    pub fn text(&self, id: TextId) -> &str {
        usize::try_from(id).ok().and_then(|i| self.texts.get(i)).map_or("", String::as_str)
    }

    /// Whether a base name is asked for.
    pub fn wants_file(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name)
            .is_ok_and(|n| self.file_names.contains(n) || self.file_names.iter().any(|p| p.contains('*') && glob(p, n)))
    }
}

/// Whether `name` fits `pattern`; `*` stands for any run of bytes but `/`.
pub fn glob(pattern: &str, name: &str) -> bool {
    fn fits(p: &[u8], n: &[u8]) -> bool {
        // Iterative, with one point to come back to: linear in `n` for each `*`.
        let (mut i, mut j, mut back) = (0, 0, None);
        while let Some(b) = n.get(j) {
            match p.get(i) {
                Some(b'*') => {
                    back = Some((i, j));
                    i += 1;
                }
                Some(c) if c == b => {
                    i += 1;
                    j += 1;
                }
                _ => match back {
                    Some((star, from)) if n.get(from) != Some(&b'/') => {
                        back = Some((star, from + 1));
                        i = star + 1;
                        j = from + 1;
                    }
                    _ => return false,
                },
            }
        }
        p.get(i..).is_some_and(|rest| rest.iter().all(|b| *b == b'*'))
    }
    fits(pattern.as_bytes(), name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn a_star_stops_at_a_slash() {
        assert!(glob("cook.cpython-*.pyc", "cook.cpython-311.pyc"));
        assert!(!glob("cook.cpython-*.pyc", "cookies.cpython-311.pyc"));
        assert!(glob("a/*/c", "a/b/c") && !glob("a/*/c", "a/b/b/c"));
        assert!(glob("*", "x") && glob("*.pem", ".pem") && !glob("x*", "yx"));
        assert!(glob("a*b*c", "axxbxxbc") && !glob("a*b*c", "axxbxx"));
    }
}
