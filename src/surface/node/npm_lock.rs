//! The lock file of npm.
//!
//! ```text
//! project/
//! ├── package-lock.json       lockfileVersion 1: dependencies {name: {version, resolved, requires, dependencies {…}}}
//! └── npm-shrinkwrap.json     lockfileVersion 2, 3: packages {"node_modules/a/node_modules/@s/b": {name?, version, resolved, …}};
//!                             2 has both
//! ```
//!
//! Written by npm 5 and later; older ones write `npm-shrinkwrap.json` of version 1. The name of an entry is the end of its key; of an
//! alias the entry itself says it. Links, members of the workspace, and what is built from a repository are not a registry's
//! file and are left out. A hit proves that the project resolves to the version; not that it was installed: an optional package of
//! another system never is. Those that lie in a `node_modules` were published with a package, and nobody reads them. Documented in
//! npm's `package-lock.json` page.

use std::collections::HashSet;

use super::{
    json::{Lines, Node, flaw, stream},
    listing::{FILE, Listing, is_of_dependency, is_source_tree, require},
    raw,
};
use crate::{
    ecosystem::npm::reference::{Target, read},
    fact::{Package, Requirement},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

const WHAT: &str = "package-lock.json";

/// `package-lock.json`, `npm-shrinkwrap.json`.
pub struct NpmLock;

static META: Meta = Meta {
    id: "node/npm-lock",
    title: "the lock file of npm",
    proves: "the project resolves to the version; not that it was installed",
};

impl Surface for NpmLock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("package-lock.json"), Claim::name("npm-shrinkwrap.json")]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        let has = |word: &str| text.contains(word);
        let parts = has("\"node_modules/") || has("\"packages\"") || has("\"dependencies\"");
        // bun's and Deno's have no such entry for the project itself.
        let npm = has("\"lockfileVersion\"") && !has("\"workspaces\": {\n    \"\"");
        (text.trim_start().starts_with('{') && npm && parts).then_some("package-lock.json")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if is_of_dependency(&file.entry.path) {
            return Ok(());
        }
        let at = file.mtime("mtime of the lock file");
        let text = text(file.all(FILE)?);
        let mut reader = Reader { listing: Listing::new(out, at), lines: Lines::new(&text), read: HashSet::new() };
        let outcome = stream(&text, &["packages", "dependencies"], &mut |section, key, node| match section {
            "packages" => reader.package(&key, &node),
            _ => reader.dependency(&key, &node),
        });
        outcome.map_err(|error| flaw(&error, WHAT))?;
        reader.listing.end(WHAT)
    }
}

struct Reader<'o, 's, 't> {
    listing: Listing<'o, 's>,
    lines: Lines<'t>,
    /// What `packages` has, so that the older form beside it says nothing twice.
    read: HashSet<(Box<str>, Box<str>)>,
}

impl<'t> Reader<'_, '_, 't> {
    /// Of version 2 and later.
    fn package(&mut self, key: &str, node: &Node<'t>) {
        let line = self.lines.line_of(key);
        // The project itself and the members of its workspace.
        let Some(at) = key.rfind("node_modules/") else {
            return;
        };
        let resolved = node.text_of("resolved").unwrap_or_default();
        if node.flag("link") || is_source_tree(&read(resolved).target) && !resolved.is_empty() {
            return;
        }
        let placed = key.get(at + "node_modules/".len()..).unwrap_or_default();
        let name = node.text_of("name").unwrap_or(placed);
        let Some(version) = node.text_of("version") else {
            return;
        };
        self.read.insert((name.into(), version.into()));
        self.listing.has_bytes(node.text_of("integrity").unwrap_or_default(), "");
        self.listing.push(name, version, line, requires(node));
        self.listing.push_fetched(resolved, name, version, line);
    }

    /// Of version 1, with those that lie in it.
    fn dependency(&mut self, key: &str, node: &Node<'t>) {
        let line = self.lines.line_of(key);
        if let Some(version) = node.text_of("version") {
            let said = read(version);
            let resolved = node.text_of("resolved").unwrap_or_default();
            let name = said.name.as_deref().unwrap_or(key);
            // What stands in place of a version is an address of no registry: its version is not known.
            let unknown = matches!(said.target, Target::Tarball { version: None, .. });
            let version = said.version().unwrap_or(version);
            let is_new = || !self.read.contains(&(name.into(), version.into()));
            if !is_source_tree(&said.target) && !matches!(said.target, Target::Local(_)) && !unknown && is_new() {
                self.listing.has_bytes(node.text_of("integrity").unwrap_or_default(), "");
                self.listing.push(name, version, line, requires(node));
                self.listing.push_fetched(resolved, name, version, line);
            }
        }
        for (key, node) in node.get("dependencies").map(Node::fields).unwrap_or_default() {
            // From version 2 on `dependencies` are requirements, and these are texts.
            self.dependency(key, node);
        }
    }
}

fn requires(node: &Node<'_>) -> Vec<Requirement> {
    let mut found = Vec::new();
    let optional = |name: &str| {
        node.get("peerDependenciesMeta").and_then(|m| m.get(name)).is_some_and(|meta| meta.flag("optional"))
    };
    for (section, marker) in [
        ("requires", None),
        ("dependencies", None),
        ("optionalDependencies", Some("optional")),
        ("peerDependencies", Some("peer")),
    ] {
        for (name, wanted) in node.get(section).map(Node::fields).unwrap_or_default() {
            let marker = if marker == Some("peer") && optional(name) { Some("optional peer") } else { marker };
            if let Some(wanted) = wanted.text() {
                require(&mut found, name, wanted, marker);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{
        super::listed::{listed, salvaged},
        *,
    };

    fn packages(text: &str) -> (Vec<String>, usize) {
        let read = listed(&NpmLock, "p/package-lock.json", text.as_bytes());
        (read.packages, read.gaps.len())
    }

    const V3: &str = r#"{"name": "demo", "lockfileVersion": 3, "packages": {
"": {"name": "axios", "version": "1.14.1", "dependencies": {"axios": "^1"}},
"node_modules/axios": {"version": "1.14.1", "resolved": "https://registry.example/axios/-/axios-1.14.1.tgz",
  "dependencies": {"plain-crypto-js": "^4.2.1"}, "optionalDependencies": {"o": "1"},
  "peerDependencies": {"p": "*", "q": "*"}, "peerDependenciesMeta": {"q": {"optional": true}}},
"node_modules/a/node_modules/@s/b": {"version": "1.0.0", "inBundle": true},
"node_modules/my-axios": {"name": "axios", "version": "0.30.4"},
"node_modules/web": {"resolved": "packages/web", "link": true},
"packages/web": {"name": "chalk", "version": "5.6.1"},
"node_modules/g": {"version": "1.0.0", "resolved": "git+ssh://git@host.example/g.git#0123456789abcdef"},
"node_modules/t": {"version": "2.0.0", "resolved": "file:vendor/t.tgz"},
"node_modules/lodash": {"version": "4.0.0", "resolved": "https://registry.example/chalk/-/chalk-5.6.1.tgz"}
}}"#;

    #[test]
    fn names_come_from_keys_aliases_and_addresses() {
        let read = listed(&NpmLock, "p/package-lock.json", V3.as_bytes());
        let expected =
            ["axios 1.14.1@3", "@s/b 1.0.0@6", "axios 0.30.4@7", "t 2.0.0@11", "lodash 4.0.0@12", "chalk 5.6.1@12"];
        assert_eq!((read.packages, read.gaps), (expected.map(str::to_owned).to_vec(), vec![]));
        assert_eq!(read.requires[0], ["plain-crypto-js@^4.2.1", "o@1 optional", "p@* peer", "q@* optional peer"]);
    }

    const V1: &str = r#"{"lockfileVersion": 1, "dependencies": {
"a": {"version": "1.0.0", "requires": {"axios": "^1.0.0"}, "dependencies": {
  "axios": {"version": "1.14.1", "bundled": true}}},
"my": {"version": "npm:@s/chalk@5.6.1"},
"g": {"version": "github:a/b#0123456789abcdef", "from": "github:a/b"},
"l": {"version": "file:../l"},
"t": {"version": "https://host.example/t-1.0.0.tgz"},
"u": {"version": "https://registry.example/u/-/u-1.2.3.tgz"},
"r": {"version": "^1.0.0"}
}}"#;

    #[test]
    fn the_older_form_nests_and_has_addresses_for_versions() {
        let expected = ["a 1.0.0@2", "axios 1.14.1@3", "@s/chalk 5.6.1@4", "u 1.2.3@8"].map(str::to_owned);
        // A range where a version should be is no package.
        assert_eq!(packages(V1), (expected.to_vec(), 1));
    }

    #[test]
    fn of_both_forms_in_one_file_each_version_is_reported_once() {
        let text = r#"{"lockfileVersion": 2,
"packages": {"node_modules/axios": {"version": "1.14.1", "dependencies": {"b": "1"}}},
"dependencies": {"axios": {"version": "1.14.1"}, "chalk": {"version": "5.6.1"}}}"#;
        assert_eq!(packages(text), (vec!["axios 1.14.1@2".to_owned(), "chalk 5.6.1@3".to_owned()], 0));
    }

    #[test]
    fn a_lock_file_that_a_package_brings_along_says_nothing() {
        for path in ["p/node_modules/x/package-lock.json", "p/node_modules/@s/x/npm-shrinkwrap.json"] {
            assert_eq!(listed(&NpmLock, path, V3.as_bytes()), super::super::listed::Read::default(), "{path}");
        }
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in [
            String::new(),
            "[]".into(),
            "null".into(),
            "{\"packages\": {\"node_modules/a\u{1b}[2J\": {\"version\": \"1.0.0\"}}}".into(),
            "{\"packages\": {\"node_modules/a\": {\"version\": \"1.0.0\u{202e}\"}}}".into(),
            "[".repeat(100_000),
            format!("{{\"packages\": {}", "{\"a\": ".repeat(100_000)),
            format!("{{\"dependencies\": {}", "{\"dependencies\": ".repeat(100_000)),
            "{{ template }}".into(),
        ] {
            assert_eq!(packages(&text), (vec![], 1), "{}", text.chars().take(40).collect::<String>());
        }
        for text in ["{}", "{\"packages\": [], \"dependencies\": 1}", "{\"packages\": {\"node_modules/a\": null}}"] {
            assert_eq!(packages(text), (vec![], 0), "{text}");
        }
        let (cut, _) = V3.split_at(V3.find("\"node_modules/my-axios").unwrap());
        assert_eq!(packages(cut), (vec!["axios 1.14.1@3".into(), "@s/b 1.0.0@6".into()], 1));
    }

    #[test]
    fn both_sides_of_a_conflict_are_salvaged() {
        let text = "{\"packages\": {\n\"node_modules/axios\": {\n<<<<<<< HEAD\n\"version\": \"1.14.1\",\n=======\n\
                    \"version\": \"1.14.0\",\n>>>>>>> b\n}}}";
        assert_eq!(packages(text), (vec![], 1));
        assert_eq!(salvaged(&NpmLock, text.as_bytes(), &["axios"]), ["axios 1.14.1@4", "axios 1.14.0@6"]);
        assert_eq!(salvaged(&NpmLock, text.as_bytes(), &["chalk"]), [""; 0]);
    }
}
