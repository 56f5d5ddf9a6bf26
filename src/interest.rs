//! What the indicators ask surfaces to look for, as plain data: a surface sees names and texts, never an incident.

use std::{
    collections::BTreeSet,
    fmt::Debug,
    sync::{Arc, OnceLock},
};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use rustc_hash::{FxHashMap, FxHashSet};

mod everywhere;
mod traces;

pub use self::everywhere::Search;
pub use self::traces::{Traces, begins, is_address};
use crate::fact::{Ecosystem, TextId, TraceKind, ends_in, split};

/// A list of packages that is too long to copy.
pub trait KnownPackages: Debug + Send + Sync {
    /// Whether any version of this package is malicious. The name is normalised.
    fn knows(&self, ecosystem: Ecosystem, name: &str) -> bool;
}

/// Names of packages, normalised. What is looked up is never put in, so that a fast hash serves.
#[derive(Debug, Default)]
pub struct PackageNames(FxHashMap<Ecosystem, FxHashSet<Box<str>>>);

impl PackageNames {
    /// Adds one.
    pub fn insert(&mut self, ecosystem: Ecosystem, name: &str) {
        self.0.entry(ecosystem).or_default().insert(name.into());
    }

    /// Whether it is one of them.
    pub fn contains(&self, ecosystem: Ecosystem, name: &str) -> bool {
        self.0.get(&ecosystem).is_some_and(|names| names.contains(name))
    }
}

/// The folder that must hold a wanted file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum WantedFolder {
    /// Any.
    Any,
    /// One whose path ends with these components.
    Tail(String),
    /// This one, from the root.
    Root(String),
}

/// A file worth opening.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WantedFile {
    /// Base name; at most one `*`.
    pub name: String,
    /// Where.
    pub folder: WantedFolder,
    /// In bytes, where nothing but these very bytes counts.
    pub size: Option<u64>,
    /// Whether a text that it holds is asked for.
    pub holds: bool,
}

impl WantedFolder {
    /// Whether a file of this folder may be meant; `folder` from any folder above it on.
    fn fits(&self, folder: &[u8]) -> bool {
        match self {
            // Where the tree begins is not known here.
            Self::Any | Self::Root(_) => true,
            Self::Tail(tail) => ends_in(folder, tail.as_bytes()),
        }
    }
}

#[derive(Debug, Default)]
struct Asked {
    exact: FxHashMap<String, Vec<WantedFile>>,
    /// Those with a `*`.
    patterns: Vec<WantedFile>,
}

/// Names and texts worth opening files for.
#[derive(Debug, Default)]
pub struct Interest {
    /// Files to report with their hash and texts.
    pub files: BTreeSet<WantedFile>,
    /// Paths of these files, with `*`.
    pub paths: BTreeSet<String>,
    /// Python modules whose bytecode matters: base name without ending; with the folders above, where others are called so too.
    pub modules: BTreeSet<String>,
    /// Folders of packages that hold such a module, `litellm/proxy`: of the modules beside it, whether each was compiled matters.
    pub module_folders: BTreeSet<String>,
    /// Packages that have a malicious version.
    pub packages: PackageNames,
    /// Longer lists of such packages, asked one name at a time.
    pub feeds: Vec<Arc<dyn KnownPackages>>,
    /// Addresses, texts of payloads and marks in repositories.
    pub traces: Traces,
    /// Repositories of malicious images, as `oci::repository` writes them.
    pub images: BTreeSet<String>,
    /// Somebody named the folders: what lies in them may be logs of jobs under any name.
    pub named: bool,
    /// `files` by name, once they were asked for.
    asked: OnceLock<Asked>,
    texts: Vec<String>,
    finder: Option<AhoCorasick>,
}

impl Interest {
    /// With the texts to search for.
    pub fn with_texts(texts: Vec<String>) -> Self {
        let finder = AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(&texts).ok();
        Self { texts, finder, ..Self::default() }
    }

    /// With traces to look for, and nothing else.
    pub fn with_traces(values: &[(TraceKind, &str)]) -> Self {
        let values = values.iter().map(|(kind, value)| (*kind, (*value).to_owned()));
        Self { traces: Traces::new(values), ..Self::default() }
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

    /// All texts with their ids.
    pub fn all_texts(&self) -> impl Iterator<Item = (TextId, &str)> {
        (0..).zip(self.texts.iter().map(String::as_str))
    }

    /// Whether a base name is asked for.
    pub fn wants_file(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|n| self.named(n).next().is_some())
    }

    /// Whether a path, from any folder on, is asked for.
    pub fn wants_path(&self, path: &[u8]) -> bool {
        let (folder, name) = split(path);
        std::str::from_utf8(name).is_ok_and(|n| self.named(n).any(|f| f.folder.fits(folder)))
    }

    /// Whether a text is asked for in a file of this name.
    pub fn wants_texts(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|n| self.named(n).any(|f| f.holds))
    }

    /// Whether bytecode in this folder, of a module of this name, is asked for; the folder from any folder above it on, without its
    /// `__pycache__`.
    pub fn wants_module(&self, folder: &[u8], module: &str) -> bool {
        let with_folder = || {
            let mut tails = self.modules.iter().filter_map(|m| m.strip_suffix(module)?.strip_suffix('/'));
            tails.any(|tail| ends_in(folder, tail.as_bytes()))
        };
        self.modules.contains(module) || with_folder() || self.is_module_folder(folder)
    }

    /// Whether a folder holds a module that is asked for; from any folder above it on.
    pub fn is_module_folder(&self, folder: &[u8]) -> bool {
        self.module_folders.iter().any(|tail| ends_in(folder, tail.as_bytes()))
    }

    /// Whether a file of this name could have the bytes that are asked for.
    pub fn wants_size(&self, name: &[u8], size: u64) -> bool {
        std::str::from_utf8(name).is_ok_and(|n| self.named(n).any(|f| f.size.is_none_or(|s| s == size)))
    }

    /// What is asked for under a base name. There are hundreds of names, and few patterns.
    fn named<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n WantedFile> {
        let asked = self.asked.get_or_init(|| {
            let mut asked = Asked::default();
            for file in self.files.iter().cloned() {
                let list = match file.name.contains('*') {
                    true => &mut asked.patterns,
                    false => asked.exact.entry(file.name.clone()).or_default(),
                };
                list.push(file);
            }
            asked
        });
        let exact = asked.exact.get(name).into_iter().flatten();
        exact.chain(asked.patterns.iter().filter(move |f| glob(&f.name, name)))
    }

    /// Whether any version of this package is malicious. The name is normalised.
    pub fn knows_package(&self, ecosystem: Ecosystem, name: &str) -> bool {
        self.packages.contains(ecosystem, name) || self.feeds.iter().any(|f| f.knows(ecosystem, name))
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
    use super::*;

    #[test]
    fn a_name_is_asked_for_by_itself_or_by_a_pattern() {
        let wanted = |name: &str, folder, size| WantedFile { name: name.to_owned(), folder, size, holds: false };
        let files = [
            wanted("cook.py", WantedFolder::Tail("x".into()), Some(7)),
            wanted("cook.py", WantedFolder::Any, Some(9)),
            wanted("cook.*.pyc", WantedFolder::Any, None),
        ];
        let interest = Interest { files: files.into(), ..Interest::default() };
        for (name, size, named, sized) in [
            ("cook.py", 7, true, true),
            ("cook.py", 9, true, true),
            ("cook.py", 8, true, false),
            ("cook.311.pyc", 8, true, true),
            ("cook.p", 7, false, false),
            ("cook.pyx", 7, false, false),
        ] {
            let name = name.as_bytes();
            assert_eq!((interest.wants_file(name), interest.wants_size(name, size)), (named, sized), "{name:?}");
        }
        assert!(!interest.wants_file(b"\xff"));
    }

    #[test]
    fn a_common_name_is_asked_for_in_its_folder() {
        let tail = WantedFolder::Tail("cook".into());
        let wanted = |name: &str, folder, holds| WantedFile { name: name.to_owned(), folder, size: None, holds };
        let files = [wanted("__init__.py", tail, true), wanted("x_init.pth", WantedFolder::Any, false)];
        let modules = ["oven", "cook/__init__"].map(str::to_owned);
        let interest = Interest { files: files.into(), modules: modules.into(), ..Interest::default() };
        for (path, is) in [
            ("cook/__init__.py", true),
            ("v/lib/cook/__init__.py", true),
            ("x_init.pth", true),
            ("a/x_init.pth", true),
            ("overcook/__init__.py", false),
            ("cook/sub/__init__.py", false),
            ("__init__.py", false),
            ("", false),
        ] {
            assert_eq!(interest.wants_path(path.as_bytes()), is, "{path}");
        }
        assert!(interest.wants_texts(b"__init__.py") && !interest.wants_texts(b"x_init.pth"));
        for (folder, module, is) in [
            ("", "oven", true),
            ("any/where", "oven", true),
            ("cook", "__init__", true),
            ("v/site-packages/cook", "__init__", true),
            ("overcook", "__init__", false),
            ("cook/sub", "__init__", false),
            ("", "__init__", false),
            ("cook", "init__", false),
            ("", "", false),
        ] {
            assert_eq!(interest.wants_module(folder.as_bytes(), module), is, "{folder} {module}");
        }
    }

    #[test]
    fn a_star_stops_at_a_slash() {
        assert!(glob("cook.cpython-*.pyc", "cook.cpython-311.pyc"));
        assert!(!glob("cook.cpython-*.pyc", "cookies.cpython-311.pyc"));
        assert!(glob("a/*/c", "a/b/c") && !glob("a/*/c", "a/b/b/c"));
        assert!(glob("*", "x") && glob("*.pem", ".pem") && !glob("x*", "yx"));
        assert!(glob("a*b*c", "axxbxxbc") && !glob("a*b*c", "axxbxx"));
    }
}
