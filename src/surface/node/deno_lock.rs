//! The lock file of Deno, as far as it names packages of npm.
//!
//! ```text
//! version 4, 5    "npm": {"axios@1.14.1": {"integrity": "sha512-…", "dependencies": ["plain-crypto-js"]}}
//! version 3       "packages": {"npm": {"axios@1.14.1": {"integrity": …, "dependencies": {"plain-crypto-js": "plain-crypto-js@4.2.1"}}}}
//! version 2       "npm": {"specifiers": {…}, "packages": {"axios@1.14.1": …}}
//! ```
//!
//! Peers stand behind the version: `axios@1.14.1_react@18.0.0`. Packages of JSR and addresses are not read. A hit proves that the
//! project resolves to the version; not that it was fetched. Documented only by Deno's code.

use super::{
    json::{Lines, Node, flaw, stream},
    listing::{FILE, Listing, is_of_dependency, is_source_tree, require},
    raw,
};
use crate::{
    ecosystem::npm::reference::locator,
    fact::{Package, Requirement},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

const WHAT: &str = "deno.lock";

/// `deno.lock`.
pub struct DenoLock;

static META: Meta = Meta {
    id: "node/deno-lock",
    title: "the lock file of Deno",
    proves: "the project resolves to the version; not that it was fetched",
};

impl Surface for DenoLock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("deno.lock")]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        raw::pairs(file)
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if is_of_dependency(&file.entry.path) {
            return Ok(());
        }
        let at = file.mtime("mtime of deno.lock");
        let text = text(file.all(FILE)?);
        let (mut listing, mut lines) = (Listing::new(out, at), Lines::new(&text));
        let outcome = stream(&text, &["npm", "packages"], &mut |section, key, node| match (section, &*key) {
            ("packages", "npm") | ("npm", "packages") => {
                node.fields().iter().for_each(|(key, node)| package(key, node, &mut lines, &mut listing));
            }
            ("packages", _) | ("npm", "specifiers") => {}
            _ => package(&key, &node, &mut lines, &mut listing),
        });
        outcome.map_err(|error| flaw(&error, WHAT))?;
        listing.end(WHAT)
    }
}

fn package<'t>(key: &str, node: &Node<'t>, lines: &mut Lines<'t>, listing: &mut Listing<'_, '_>) {
    let line = lines.line_of(key);
    let (name, version) = parts(key);
    let named = locator(&format!("{name}@{version}"));
    if is_source_tree(&named.target) {
        return;
    }
    let real = named.name.as_deref().unwrap_or(name);
    let version = named.version().unwrap_or(version);
    listing.has_bytes(node.text_of("integrity").unwrap_or_default(), "");
    listing.push(real, version, line, requires(node));
    if let Some(address) = node.text_of("tarball") {
        listing.push_fetched(address, real, version, line);
    }
}

/// `@s/b_c@1.0.0_react@18.0.0` is `@s/b_c` in version `1.0.0`.
fn parts(key: &str) -> (&str, &str) {
    let at = key.char_indices().skip(1).find(|(_, c)| *c == '@').map_or(key.len(), |(at, _)| at);
    let (name, rest) = key.split_at_checked(at).unwrap_or((key, ""));
    (name, rest.trim_start_matches('@').split('_').next().unwrap_or_default())
}

fn requires(node: &Node<'_>) -> Vec<Requirement> {
    let mut found = Vec::new();
    for (section, marker) in [("dependencies", None), ("optionalDependencies", Some("optional"))] {
        let Some(section) = node.get(section) else {
            continue;
        };
        // A list of `name` or `name@version`, else the same by what the package calls it.
        let listed = section.items().iter().filter_map(Node::text).map(|text| (parts(text).0, text));
        let named = section.fields().iter().filter_map(|(name, to)| Some((&**name, to.text()?)));
        for (name, text) in listed.chain(named) {
            let (real, version) = parts(text);
            let wanted = if version.is_empty() { "*" } else { version };
            let aliased = format!("npm:{real}@{wanted}");
            require(&mut found, name, if real == name { wanted } else { &aliased }, marker);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{
        super::listed::{Read, listed},
        *,
    };

    #[test]
    fn every_version_of_the_form() {
        for (text, line) in [
            (
                "{\"version\": \"5\", \"specifiers\": {\"npm:axios@1\": \"1.14.1\"}, \"npm\": {\n\"axios@1.14.1_react@18.0.0\": {\"integrity\": \"x\", \"dependencies\": [\"b_c@1.0.0\", \"d\"]}}}",
                2,
            ),
            (
                "{\"version\": \"3\", \"packages\": {\"specifiers\": {\"npm:axios@1\": \"npm:axios@1.14.1\"}, \"npm\": {\"axios@1.14.1\": {\"dependencies\": {\"b_c\": \"b_c@1.0.0\", \"d\": \"d\"}}}}}",
                1,
            ),
            (
                "{\"version\": \"2\", \"npm\": {\"specifiers\": {\"axios\": \"axios@1.14.1\"}, \"packages\": {\"axios@1.14.1\": {\"dependencies\": {\"b_c\": \"b_c@1.0.0\", \"d\": \"d\"}}}}}",
                1,
            ),
        ] {
            let read = listed(&DenoLock, "p/deno.lock", text.as_bytes());
            assert_eq!((read.packages, read.gaps), (vec![format!("axios 1.14.1@{line}")], vec![]), "{text}");
            assert_eq!(read.requires[0], ["b_c@1.0.0", "d@*"], "{text}");
        }
    }

    #[test]
    fn other_sections_and_hostile_files() {
        let jsr =
            r#"{"version": "5", "jsr": {"axios@1.14.1": {}}, "remote": {"https://host.example/axios@1.14.1": "x"}}"#;
        assert_eq!(listed(&DenoLock, "deno.lock", jsr.as_bytes()), Read::default());
        let own = listed(&DenoLock, "node_modules/x/deno.lock", br#"{"npm": {"axios@1.14.1": {}}}"#);
        assert_eq!(own, Read::default());
        for text in ["", "{\"npm\": {\"axios\": {}}}", "{\"npm\": {\"a\u{1b}@1.0.0\": {}}}", "{\"npm\": {\"a@1.0.0\": "]
        {
            let read = listed(&DenoLock, "deno.lock", text.as_bytes());
            assert_eq!((read.packages.len(), read.gaps.len()), (0, 1), "{text}");
        }
    }
}
