//! The lock file of pnpm, and that of aube, which has its form.
//!
//! ```text
//! lockfileVersion: '9.0'
//! importers:                      what the projects ask for
//! packages:
//!   'axios@1.14.1':               version 9
//!   /axios@1.14.1(peer@2.0.0):    version 6; /axios/1.14.1_peer@2.0.0: version 5; registry.example/axios/1.14.1: of another registry
//!     resolution: {integrity: sha512-…, tarball: …}
//!     name: axios                 where the key is an address
//!     version: 1.14.1
//!     dependencies:               up to version 6
//!       plain-crypto-js: 4.2.1
//! snapshots:                      version 9: the same keys with their peers
//!   axios@1.14.1(peer@2.0.0):
//!     dependencies: …
//! ```
//!
//! Written by pnpm 3 and later; `pnpm-lock.<branch>.yaml` where it keeps one for each branch, `shrinkwrap.yaml` before; by aube as
//! `aube-lock.yaml`. Written by a
//! program, a key a line, so it is read by line: a conflict that git left shows both sides. Repositories, folders and links are left
//! out. A hit proves that the project resolves to the version; not that it was installed. Documented by pnpm's lockfile
//! specifications only.

use std::collections::BTreeMap;

use super::{
    listing::{FILE, Listing, is_of_dependency, is_source_tree, require},
    raw,
};
use crate::{
    ecosystem::npm::reference::{Reference, locator, read},
    fact::{Package, Requirement},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::text,
        content::{has_line, line_starts},
    },
};

const WHAT: &str = "pnpm-lock.yaml";

/// `pnpm-lock.yaml`, `pnpm-lock.<branch>.yaml`, `shrinkwrap.yaml`, `aube-lock.yaml`.
pub struct PnpmLock;

static META: Meta = Meta {
    id: "node/pnpm-lock",
    title: "the lock file of pnpm and of aube",
    proves: "the project resolves to the version; not that it was installed",
};

impl Surface for PnpmLock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let branches = ["pnpm-lock.", "aube-lock."].map(|name| Claim::affix(name, "yaml"));
        branches.into_iter().chain([Claim::name("shrinkwrap.yaml")]).collect()
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        let named = line_starts(&text, "lockfileVersion:") || line_starts(&text, "shrinkwrapVersion:");
        let parts = ["packages:", "importers:", "dependencies:", "devDependencies:"];
        (named && parts.iter().any(|part| has_line(&text, part))).then_some("pnpm-lock.yaml")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if is_of_dependency(&file.entry.path) {
            return Ok(());
        }
        let at = file.mtime("mtime of the lock file");
        let text = text(file.all(FILE)?);
        let mut reader = Reader { listing: Listing::new(out, at), edges: BTreeMap::new() };
        // The edges of version 9 stand behind the packages.
        reader.edges = edges(&text);
        let understood = reader.run(&text);
        reader.rest();
        if !understood {
            return Err(Flaw::malformed(WHAT, "it has no entry of that form"));
        }
        reader.listing.end(WHAT)
    }
}

/// A line that is no comment and no blank.
struct Line<'t> {
    number: u32,
    indent: usize,
    key: &'t str,
    value: &'t str,
}

/// The lines of the file with the section of each. A mark of a conflict has no section.
fn lines(text: &str) -> impl Iterator<Item = (Option<&str>, Line<'_>)> {
    let mut section = "";
    (1_u32..).zip(text.lines()).filter_map(move |(number, line)| {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') || content == "---" {
            return None;
        }
        if ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|m| line.starts_with(m)) {
            return Some((None, Line { number, indent: 0, key: "", value: "" }));
        }
        let indent = line.len() - line.trim_start().len();
        // A long key has a mark, and its value stands on the next line.
        let (key, value) = key_and_value(content.strip_prefix("? ").unwrap_or(content));
        if indent == 0 {
            section = key;
        }
        Some((Some(section), Line { number, indent, key, value }))
    })
}

/// `'@s/b@1.0.0': {}`; the value may be on the lines below.
fn key_and_value(text: &str) -> (&str, &str) {
    for quote in ['\'', '"'] {
        if let Some((key, rest)) = text.strip_prefix(quote).and_then(|quoted| quoted.split_once(quote)) {
            return (key, rest.trim_start_matches(':').trim());
        }
    }
    match text.split_once(": ") {
        Some((key, value)) => (key, value.trim()),
        None => (text.strip_suffix(':').unwrap_or(text), ""),
    }
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['\'', '"'])
}

/// The name and version of a key, without its peers: `axios@1.14.1`.
fn identity(key: &str) -> Reference {
    let key = key.split_once('(').map_or(key, |(before, _)| before);
    // Of another registry: its host stands first.
    let first = key.split('/').next().unwrap_or_default();
    let is_host = first.contains('.') && !first.contains('@') && key.contains('/');
    if is_host && let Some((_, path)) = key.split_once('/') {
        return locator(&format!("/{path}"));
    }
    locator(key)
}

/// What the entries of `snapshots` ask for, by name and version, with the line of the first.
type Edges = BTreeMap<(String, String), (u32, Vec<Requirement>)>;

fn edges(text: &str) -> Edges {
    let mut found = Edges::new();
    let (mut entry, mut group) = (None, "");
    for (_, line) in lines(text).filter(|(section, _)| *section == Some("snapshots")) {
        match line.indent {
            2 => {
                let named = identity(line.key);
                entry = named.version().map(str::to_owned).and_then(|version| Some((named.name?, version)));
                group = "";
                if let Some(entry) = &entry {
                    found.entry(entry.clone()).or_insert_with(|| (line.number, Vec::new()));
                }
            }
            4 => group = line.key,
            6 => {
                if let Some((_, requires)) = entry.as_ref().and_then(|e| found.get_mut(e)) {
                    edge(requires, group, &line);
                }
            }
            _ => {}
        }
    }
    found
}

/// One line below `dependencies`: `plain-crypto-js: 4.2.1(peer@2)`, `my-axios: axios@1.14.1`, `my-axios: /axios@1.14.1`.
fn edge(into: &mut Vec<Requirement>, group: &str, line: &Line<'_>) {
    let marker = match group {
        "dependencies" => None,
        "optionalDependencies" => Some("optional"),
        "peerDependencies" => Some("peer"),
        _ => return,
    };
    let value = unquoted(line.value);
    let plain = value.split(['(', '_']).next().unwrap_or(value);
    let aliased = plain.starts_with('/') || plain.get(1..).is_some_and(|rest| rest.contains('@'));
    let real = aliased.then(|| identity(plain));
    match real.as_ref().and_then(|r| Some((r.name.as_deref()?, r.version()?))) {
        Some((name, version)) => require(into, line.key, &format!("npm:{name}@{version}"), marker),
        None => require(into, line.key, plain, marker),
    }
}

struct Reader<'o, 's> {
    listing: Listing<'o, 's>,
    edges: Edges,
}

/// What is read of one entry.
#[derive(Default)]
struct Entry<'t> {
    key: &'t str,
    line: u32,
    name: Option<&'t str>,
    version: Option<&'t str>,
    /// What `resolution` says.
    tarball: Option<&'t str>,
    integrity: Option<&'t str>,
    is_source_tree: bool,
    group: &'t str,
    requires: Vec<Requirement>,
}

impl Reader<'_, '_> {
    /// Whether there was anything of the form.
    fn run(&mut self, text: &str) -> bool {
        let (mut entry, mut understood) = (Entry::default(), text.trim().is_empty());
        for (section, line) in lines(text) {
            understood |= matches!(section, Some("lockfileVersion" | "shrinkwrapVersion" | "packages" | "importers"));
            let Some(section) = section else {
                self.listing.mark_odd();
                continue;
            };
            if section != "packages" {
                continue;
            }
            match line.indent {
                2 => {
                    self.end(std::mem::take(&mut entry));
                    entry = Entry { key: line.key, line: line.number, ..Entry::default() };
                }
                4 => {
                    entry.group = line.key;
                    match line.key {
                        "name" => entry.name = Some(unquoted(line.value)),
                        "version" => entry.version = Some(unquoted(line.value)),
                        "resolution" => line.value.split([',', '{', '}']).for_each(|part| entry.resolution(part)),
                        _ => {}
                    }
                }
                6 if entry.group == "resolution" => entry.resolve(line.key, line.value),
                6 => edge(&mut entry.requires, entry.group, &line),
                _ => {}
            }
        }
        self.end(entry);
        understood
    }

    fn end(&mut self, entry: Entry<'_>) {
        if entry.key.is_empty() || entry.is_source_tree {
            return;
        }
        let named = identity(entry.key);
        let name = entry.name.or(named.name.as_deref()).unwrap_or_default().to_owned();
        let tree = is_source_tree(&named.target) && entry.name.is_none();
        let address = entry.tarball.map(read);
        if tree || address.as_ref().is_some_and(|a| is_source_tree(&a.target)) {
            return;
        }
        let said = entry.version.or(named.version()).map(str::to_owned);
        let Some(version) = said.or_else(|| address.and_then(|a| a.version().map(str::to_owned))) else {
            return;
        };
        let mut requires = entry.requires;
        if let Some((_, more)) = self.edges.remove(&(name.clone(), version.clone())) {
            requires.extend(more);
        }
        self.listing.has_bytes(entry.integrity.unwrap_or_default(), "");
        self.listing.push(&name, &version, Some(entry.line), requires);
        if let Some(tarball) = entry.tarball {
            self.listing.push_fetched(tarball, &name, &version, Some(entry.line));
        }
    }

    /// Snapshots of what `packages` does not list.
    fn rest(&mut self) {
        for ((name, version), (line, requires)) in std::mem::take(&mut self.edges) {
            self.listing.push(&name, &version, Some(line), requires);
        }
    }
}

impl<'t> Entry<'t> {
    fn resolution(&mut self, part: &'t str) {
        if let Some((key, value)) = part.split_once(':') {
            self.resolve(key.trim(), value);
        }
    }

    fn resolve(&mut self, key: &str, value: &'t str) {
        match key {
            "tarball" => self.tarball = Some(unquoted(value)),
            "integrity" => self.integrity = Some(unquoted(value)),
            "repo" | "commit" | "directory" => self.is_source_tree = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::listed::{Read, listed},
        *,
    };

    fn packages(text: &str) -> (Vec<String>, Vec<Vec<String>>, usize) {
        let read = listed(&PnpmLock, "p/pnpm-lock.yaml", text.as_bytes());
        (read.packages, read.requires, read.gaps.len())
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|t| (*t).to_owned()).collect()
    }

    #[test]
    fn version_9_has_its_edges_in_snapshots() {
        let text = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      axios:\n        specifier: ^1.0.0\n        version: 1.14.1(d@4.0.0)\n
packages:

  '@s/b@1.0.0':
    resolution: {integrity: sha512-xx==}

  axios@1.14.1:
    resolution: {integrity: sha512-yy==}
    peerDependencies:
      d: ^4.0.0

  g@https://codeload.github.com/a/g/tar.gz/0123456789abcdef0123456789abcdef01234567:
    resolution: {tarball: https://codeload.github.com/a/g/tar.gz/0123456789abcdef0123456789abcdef01234567}
    version: 1.0.0

  l@file:../l:
    resolution: {directory: ../l, type: directory}

  t@https://host.example/t.tgz:
    resolution: {tarball: https://host.example/t.tgz}
    version: 3.0.0

snapshots:

  '@s/b@1.0.0': {}

  axios@1.14.1(d@4.0.0):
    dependencies:
      '@s/b': 1.0.0
      d: 4.0.0
      my: plain-crypto-js@4.2.1
    optionalDependencies:
      o: 1.0.0

  left@2.0.0: {}
";
        let (found, requires, gaps) = packages(text);
        assert_eq!(found, owned(&["@s/b 1.0.0@13", "axios 1.14.1@16", "t 3.0.0@28", "left 2.0.0@44"]));
        assert_eq!(
            requires[1],
            ["d@^4.0.0 peer", "@s/b@1.0.0", "d@4.0.0", "my@npm:plain-crypto-js@4.2.1", "o@1.0.0 optional"]
        );
        assert_eq!(gaps, 0);
    }

    #[test]
    fn versions_5_and_6_have_them_beside_the_package() {
        let five = "lockfileVersion: 5.4\n\ndependencies:\n  axios: 1.14.1_d@4.0.0\n\npackages:\n
  /@s/b/1.0.0:
    resolution: {integrity: sha512-xx==}
    dev: false

  /axios/1.14.1_d@4.0.0:
    resolution: {integrity: sha512-yy==}
    dependencies:
      '@s/b': 1.0.0
      my: /plain-crypto-js/4.2.1
    dev: false

  registry.example/chalk/5.6.1:
    resolution: {integrity: sha512-zz==}

  github.com/a/g/0123456789abcdef:
    resolution: {tarball: https://codeload.github.com/a/g/tar.gz/0123456789abcdef}
    name: g
    version: 1.0.0
";
        let (found, requires, gaps) = packages(five);
        assert_eq!(found, owned(&["@s/b 1.0.0@8", "axios 1.14.1@12", "chalk 5.6.1@19"]));
        assert_eq!((requires[1].clone(), gaps), (owned(&["@s/b@1.0.0", "my@npm:plain-crypto-js@4.2.1"]), 0));
        let six = "lockfileVersion: '6.0'\npackages:\n\n  /@s/b@1.0.0(react@18.0.0)(x@1.0.0):\n    dev: false\n
  ? /axios@1.14.1(a@1.0.0)\n  : resolution:\n      integrity: sha512-xx==\n
  '@host.example/t.tgz':\n    resolution: {tarball: 'https://host.example/t.tgz'}\n    name: t\n    version: 3.0.0
  /lodash@4.0.0:\n    resolution:\n      tarball: https://registry.example/chalk/-/chalk-5.6.1.tgz\n";
        let (found, _, gaps) = packages(six);
        let expected = ["@s/b 1.0.0@4", "axios 1.14.1@7", "t 3.0.0@11", "lodash 4.0.0@15", "chalk 5.6.1@15"];
        assert_eq!((found, gaps), (owned(&expected), 0));
    }

    #[test]
    fn both_sides_of_a_conflict_are_read() {
        let text = "lockfileVersion: '9.0'\npackages:\n<<<<<<< HEAD\n  axios@1.14.1:\n    resolution: {}\n=======\n  axios@1.14.0:\n>>>>>>> b\n";
        assert_eq!((packages(text).0, packages(text).2), (owned(&["axios 1.14.1@4", "axios 1.14.0@7"]), 1));
    }

    #[test]
    fn hostile_files_cost_nothing_else() {
        for text in [
            "packages:\n  a\u{1b}[2J@1.0.0:\n    dev: false\n",
            "packages:\n  a@1.0.0:\n    version: 1\u{202e}\n",
            "{{ x }}",
            "<html>\n  <a>",
            "\0\0",
        ] {
            let (found, _, gaps) = packages(text);
            assert_eq!((found.len(), gaps), (0, 1), "{text}");
        }
        assert_eq!(listed(&PnpmLock, "p/node_modules/x/pnpm-lock.yaml", b"packages:\n  a@1.0.0:\n"), Read::default());
        assert_eq!(listed(&PnpmLock, "pnpm-lock.yaml", b""), Read::default());
        let many: String = (0..100_000).map(|n| format!("  a@1.0.{n}:\n")).collect();
        assert_eq!(packages(&format!("packages:\n{many}")).0.len(), 100_000);
    }
}
