//! The text lock file of Bun.
//!
//! ```text
//! {
//!   "lockfileVersion": 1,
//!   "workspaces": { "": { "name": "demo", "dependencies": { "axios": "^1.0.0", }, }, },
//!   "packages": {
//!     "axios": ["axios@1.14.1", "<address, or empty>", { "dependencies": { "plain-crypto-js": "^4.2.1" } }, "sha512-…"],
//!     "a/axios": ["axios@0.30.4", …],          below another package
//!     "my": ["axios@1.14.1", …],               an alias
//!     "web": ["web@workspace:packages/web"],
//!   }
//! }
//! ```
//!
//! Written by Bun 1.1.39 and later (by default since 1.2), as JSON with comments and last commas; older ones write `bun.lockb`.
//! Members of the workspace, folders and repositories are left out. A hit proves that the project resolves to the version; not that
//! it was installed. Documented in Bun's page on its lock file.

use super::{
    json::{Lines, Node, flaw, stream, without_comments},
    listing::{FILE, Listing, is_name, is_of_dependency, is_source_tree, require},
    raw,
};
use crate::{
    ecosystem::npm::reference::{locator, read},
    fact::{Fact, Package, Requirement},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

const WHAT: &str = "bun.lock";
/// Packages that are taken of the list of those that are trusted.
const TRUSTED: usize = 2000;

/// `bun.lock`.
pub struct BunLock;

static META: Meta = Meta {
    id: "node/bun-lock",
    title: "the text lock file of Bun",
    proves: "the project resolves to the version; not that it was installed",
};

impl Surface for BunLock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("bun.lock")]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        let has = |word: &str| text.contains(word);
        (text.trim_start().starts_with('{') && has("\"lockfileVersion\"") && has("\"workspaces\": {\n    \"\""))
            .then_some("bun.lock")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if is_of_dependency(&file.entry.path) {
            return Ok(());
        }
        let at = file.mtime("mtime of bun.lock");
        let root = file.entry.path.parent();
        let text = without_comments(&text(file.all(FILE)?));
        let allowed = trusted(&text);
        out.push(at.clone(), Fact::ScriptsBlocked { by: "bun", root, allowed });
        let (mut listing, mut lines) = (Listing::new(out, at), Lines::new(&text));
        let outcome = stream(&text, &["packages"], &mut |_, key, node| {
            let line = lines.line_of(&key);
            let items = node.items();
            let Some(named) = items.first().and_then(Node::text).map(locator) else {
                listing.mark_odd();
                return;
            };
            let name = named.name.as_deref().unwrap_or_default();
            if is_source_tree(&named.target) {
                return;
            }
            let address = items.get(1).and_then(Node::text).unwrap_or_default();
            let fetched = read(address);
            // A tarball that is no registry's says no version.
            let Some(version) = named.version().or_else(|| fetched.version()) else {
                return;
            };
            let about = items.iter().find(|item| matches!(item, Node::Map(_)));
            let bytes = items.last().and_then(Node::text).filter(|last| last.starts_with("sha"));
            listing.has_bytes(bytes.unwrap_or_default(), "");
            listing.push(name, version, line, about.map(requires).unwrap_or_default());
            listing.push_fetched(address, name, version, line);
        });
        outcome.map_err(|error| flaw(&error, WHAT))?;
        listing.end(WHAT)
    }
}

/// The packages whose scripts Bun runs; it runs no others, but for a list of its own where the project has none.
fn trusted(text: &str) -> Box<[Box<str>]> {
    let list = text.split_once("\"trustedDependencies\": [").and_then(|(_, rest)| rest.split_once(']'));
    let names = list.map_or("", |(list, _)| list).split(',').map(|name| name.trim().trim_matches('"'));
    names.filter(|name| is_name(name)).take(TRUSTED).map(Into::into).collect()
}

fn requires(about: &Node<'_>) -> Vec<Requirement> {
    let mut found = Vec::new();
    let optional = |name: &str| {
        about.get("optionalPeers").is_some_and(|list| list.items().iter().any(|item| item.text() == Some(name)))
    };
    for (section, marker) in
        [("dependencies", None), ("optionalDependencies", Some("optional")), ("peerDependencies", Some("peer"))]
    {
        for (name, wanted) in about.get(section).map(Node::fields).unwrap_or_default() {
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
        super::listed::{Read, listed},
        *,
    };

    const TEXT: &str = r#"{
  "lockfileVersion": 1, // a comment
  "workspaces": {
    "": { "name": "demo", "dependencies": { "axios": "^1.0.0", }, },
  },
  "packages": {
    "axios": ["axios@1.14.1", "", { "dependencies": { "plain-crypto-js": "^4.2.1" }, "peerDependencies": { "p": "*" }, "optionalPeers": ["p"] }, "sha512-xx=="],

    "a/@s/b": ["@s/b@1.0.0", "https://registry.example/@s/b/-/b-1.0.0.tgz", {}, "sha512-yy=="],
    "my": ["chalk@5.6.1", "", {}, "sha512-zz=="],
    "web": ["web@workspace:packages/web"],
    "g": ["g@github:a/g#0123456", {}, "a-g-0123456"],
    "lodash": ["lodash@4.0.0", "https://registry.example/chalk/-/chalk-5.6.1.tgz", {}, ""],
  },
}
"#;

    #[test]
    fn comments_and_last_commas_are_part_of_the_form() {
        let read = listed(&BunLock, "p/bun.lock", TEXT.as_bytes());
        let expected = ["axios 1.14.1@7", "@s/b 1.0.0@9", "chalk 5.6.1@10", "lodash 4.0.0@13", "chalk 5.6.1@13"];
        assert_eq!((read.packages, read.gaps), (expected.map(str::to_owned).to_vec(), vec![]));
        assert_eq!(read.requires[0], ["plain-crypto-js@^4.2.1", "p@* optional peer"]);
    }

    #[test]
    fn the_packages_whose_scripts_may_run_are_read() {
        let of = |text: &str| trusted(text).iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(of("\"trustedDependencies\": [\n    \"esbuild\",\n    \"@s/x\",\n  ],"), ["esbuild", "@s/x"]);
        for none in [TEXT, "", "\"trustedDependencies\": [", "\"trustedDependencies\": [\"\u{1b}x\", \"a b\"]"] {
            assert_eq!(of(none), [""; 0], "{none}");
        }
        assert_eq!(of(&format!("\"trustedDependencies\": [{}]", "\"a\",".repeat(9000))).len(), TRUSTED);
    }

    #[test]
    fn hostile_files_cost_nothing_else() {
        for text in ["", "[]", "{\"packages\": {\"a\": [\"a@1.0.0", "{\"packages\": {\"a\": 1}}", "{{ x }}", "/*"] {
            let read = listed(&BunLock, "bun.lock", text.as_bytes());
            assert_eq!((read.packages.len(), read.gaps.len()), (0, 1), "{text}");
        }
        assert_eq!(listed(&BunLock, "p/node_modules/x/bun.lock", TEXT.as_bytes()), Read::default());
    }
}
