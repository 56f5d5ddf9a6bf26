//! `package.json` of a project: what it asks for in one version.
//!
//! ```text
//! project/package.json
//!   dependencies, devDependencies, optionalDependencies, peerDependencies   {"axios": "1.14.1", "my": "npm:axios@1.14.1"}
//!   overrides                 npm: {"axios": "1.14.1", "a": {".": "1.0.0", "axios": "1.14.1"}, "axios@^1": "1.14.1"}; bun
//!   resolutions               Yarn: {"axios": "1.14.1", "**/axios": …, "a/axios": …, "axios@npm:^1": …}
//!   pnpm.overrides            {"axios": "1.14.1", "a>axios": …, "axios@^1": …}
//!   catalog, catalogs, workspaces.catalog, workspaces.catalogs              Bun: {"axios": "1.14.1"}, {"name": {"axios": "1.14.1"}}
//!   packageManager            "pnpm@9.0.0+sha512.…"
//! ```
//!
//! Written by people and by `npm install --save-exact` and the like. Only an exact version is a fact: a range, a tag, a folder, a
//! repository, a member of the workspace name none. Those of installed packages are not read here, nor those in hidden folders and in
//! the system's own: they are somebody else's, stored or installed. A hit proves that the project asks for the version; not that it was
//! installed. Documented in the pages on `package.json` of npm, Yarn, pnpm and Bun.

use super::{
    json::{Lines, Node, flaw, stream},
    listing::{Listing, is_name, require},
    raw,
};
use crate::{
    ecosystem::npm::reference::{Target, locator, read},
    fact::{Ecosystem, Fact, Package},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

const WHAT: &str = "package.json";
/// No real one is as large; data of that name is.
const FILE: usize = 8 << 20;
/// Tables in tables of overrides.
const DEPTH: u32 = 20;

/// `package.json` of projects.
pub struct ProjectManifest;

static META: Meta = Meta {
    id: "node/manifest",
    title: "manifests of Node projects",
    proves: "the project asks for the version; not that it was installed",
};

impl Surface for ProjectManifest {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("package.json").in_own_work()]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        let has = |word: &str| text.contains(word);
        let asks = has("\"dependencies\"") || has("\"devDependencies\"");
        (text.trim_start().starts_with('{') && asks && !has("\"lockfileVersion\"")).then_some("package.json")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let (at, interest) = (file.mtime("mtime of package.json"), file.interest);
        let text = text(file.all(FILE)?);
        let mut asked = Vec::new();
        let mut pins = Pins { listing: Listing::new(out, at.clone()), lines: Lines::new(&text), interest };
        let outcome = stream(&text, SECTIONS, &mut |section, key, node| match (section, &*key) {
            ("packageManager", "") => pins.manager(&node),
            ("overrides", _) => pins.overridden(&key, &node, None, DEPTH),
            ("resolutions", _) | ("pnpm", "overrides") => pins.named_by_path(section, &key, &node),
            ("catalogs", _) | ("workspaces", "catalog") => pins.table(&node),
            ("workspaces", "catalogs") => node.fields().iter().for_each(|(_, table)| pins.table(table)),
            ("workspaces" | "pnpm", _) => {}
            _ => {
                if let Some(wanted) =
                    node.text().filter(|_| section.ends_with("ependencies") && section != "peerDependencies")
                {
                    require(&mut asked, &key, wanted, None);
                }
                pins.pin(&key, &key, &node);
            }
        });
        if !asked.is_empty() {
            out.push(at, Fact::Project { ecosystem: Ecosystem::Npm, asked });
        }
        outcome.map_err(|error| flaw(&error, WHAT))?;
        // What is no name or version here is somebody's placeholder.
        Ok(())
    }
}

const SECTIONS: &[&str] = &[
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "overrides",
    "resolutions",
    "pnpm",
    "catalog",
    "catalogs",
    "workspaces",
    "packageManager",
];

struct Pins<'o, 's, 't> {
    listing: Listing<'o, 's>,
    lines: Lines<'t>,
    interest: &'t Interest,
}

impl<'t> Pins<'_, '_, 't> {
    /// `name: "1.0.0"`; the line is that of `key`.
    fn pin(&mut self, key: &str, name: &str, node: &Node<'t>) {
        let line = self.lines.line_of(key);
        let Some(wanted) = node.text() else {
            return;
        };
        let said = read(wanted);
        let name = said.name.as_deref().unwrap_or(name);
        match said.target {
            _ if !is_name(name) => {}
            Target::Range(_) | Target::Tag(_) if self.interest.knows_package(Ecosystem::Npm, name) => {
                self.listing.push_open(name, line);
            }
            _ => {
                if let Some(version) = said.version() {
                    self.listing.push(name, version, line, Vec::new());
                }
            }
        }
    }

    fn table(&mut self, node: &Node<'t>) {
        node.fields().iter().for_each(|(key, node)| self.pin(key, key, node));
    }

    /// npm's: a table says what holds below a package, and `.` is that package itself.
    fn overridden(&mut self, key: &str, node: &Node<'t>, above: Option<&str>, depth: u32) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        let named = locator(key).name.unwrap_or_default();
        let name = if key == "." { above.unwrap_or_default() } else { &named };
        if node.text().is_some() {
            self.pin(key, name, node);
        }
        for (key, inner) in node.fields() {
            self.overridden(key, inner, Some(name), depth);
        }
    }

    /// The last of a path is what is replaced.
    fn named_by_path(&mut self, section: &str, key: &str, node: &Node<'t>) {
        if section == "pnpm" {
            for (key, node) in node.fields() {
                self.pin(key, &last_of_path(key.rsplit('>').next().unwrap_or(key)), node);
            }
            return;
        }
        self.pin(key, &last_of_path(key), node);
    }

    fn manager(&mut self, node: &Node<'t>) {
        let Node::Text(text) = node else {
            return;
        };
        let line = self.lines.line_of(text);
        let named = locator(text);
        if let (Some(name), Some(version)) = (named.name.as_deref(), named.version()) {
            let plain = version.split('+').next().unwrap_or(version);
            self.listing.push(name, plain, line, Vec::new());
        }
    }
}

/// `**/axios`, `a/**/@s/b`, `axios@npm:^1` are `axios`, `@s/b`, `axios`.
fn last_of_path(key: &str) -> String {
    // A range behind the name may hold slashes too.
    let at = key.char_indices().skip(1).find(|(at, c)| *c == '@' && !key.get(..*at).is_some_and(|k| k.ends_with('/')));
    let path = at.and_then(|(at, _)| key.get(..at)).unwrap_or(key);
    let (before, last) = path.rsplit_once('/').unwrap_or(("", path));
    let scope = before.rsplit('/').next().filter(|scope| scope.starts_with('@'));
    scope.map_or_else(|| last.to_owned(), |scope| format!("{scope}/{last}"))
}

#[cfg(test)]
mod tests {
    use super::{super::listed::listed, *};
    use crate::fact::TreePath;

    fn pins(text: &str) -> (Vec<String>, usize) {
        let read = listed(&ProjectManifest, "p/package.json", text.as_bytes());
        (read.packages, read.gaps.len())
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|t| (*t).to_owned()).collect()
    }

    #[test]
    fn exact_versions_of_every_section() {
        let text = r#"{"name": "chalk", "version": "5.6.1", "packageManager": "pnpm@9.0.0+sha512.abc",
"dependencies": {"axios": "1.14.1", "@s/b": "=v1.0.0"},
"devDependencies": {"my": "npm:chalk@5.6.1"},
"optionalDependencies": {"u": "https://registry.example/u/-/u-1.2.3.tgz"},
"peerDependencies": {"p": "1.0.0"},
"overrides": {"a": {".": "1.0.0",
  "axios": "1.14.1"}, "debug@^4": "4.4.2"},
"resolutions": {"**/@s/c": "1.0.0", "a/d": "2.0.0", "e@npm:^3": "npm:@s/f@3.0.0"},
"pnpm": {"overrides": {"a>g": "1.0.0", "h@^1": "1.1.0", "i@1>@s/j@2": "2.0.1"}, "onlyBuiltDependencies": ["x"]},
"catalog": {"k": "1.0.0"}, "catalogs": {"old": {"l": "1.0.0"}}, "workspaces": {"packages": ["p/*"], "catalog": {"m": "1.0.0"}}}"#;
        let expected = [
            "pnpm 9.0.0@1",
            "axios 1.14.1@2",
            "@s/b 1.0.0@2",
            "chalk 5.6.1@3",
            "u 1.2.3@4",
            "p 1.0.0@5",
            "a 1.0.0@6",
            "axios 1.14.1@7",
            "debug 4.4.2@7",
            "@s/c 1.0.0@8",
            "d 2.0.0@8",
            "@s/f 3.0.0@8",
            "g 1.0.0@9",
            "h 1.1.0@9",
            "@s/j 2.0.1@9",
            "k 1.0.0@10",
            "l 1.0.0@10",
            "m 1.0.0@10",
        ];
        assert_eq!(pins(text), (owned(&expected), 0));
    }

    #[test]
    fn look_alikes_are_no_pins() {
        let text = r#"{"name": "axios", "version": "1.14.1", "dependencies": {"a": "^1.14.1", "b": "1.14", "c": "*", "d": "latest",
            "e": "workspace:1.14.1", "f": "file:axios-1.14.1", "g": "github:x/axios#1.14.1", "h": "catalog:", "i": "", "j": ">=1 <2",
            "k": "https://github.com/x/axios.git#v1.14.1", "l": "{{ version }}", "m": "1.14.x", "n": "$axios", "o": 1, "p": null,
            "r": "npm:axios@^1.14.1"},
            "overrides": {"axios": "$axios"}, "peerDependenciesMeta": {"axios": {"optional": true}},
            "bundledDependencies": ["axios"], "config": {"axios": "1.14.1"}, "scripts": {"x": "npm i axios@1.14.1"},
            "engines": {"node": "20.0.0"}, "workspaces": ["packages/*"], "packageManager": "yarn"}"#;
        assert_eq!(pins(text), (vec![], 0));
    }

    #[test]
    fn only_projects_are_read() {
        let claims = |path: &str| {
            let path = TreePath::new(path.as_bytes()).unwrap();
            let claims = ProjectManifest.claims(&Interest::default());
            claims.iter().any(|c| c.file.fits(path.name()) && c.folder.fits(path.parent().as_bytes()))
        };
        for path in ["home/a/app/package.json", "srv/app/packages/web/package.json", "package.json"] {
            assert!(claims(path), "{path}");
        }
        for path in [
            "home/a/app/node_modules/x/package.json",
            "home/a/.bun/install/cache/x@1.0.0/package.json",
            "usr/lib/node_modules/x/package.json",
            "usr/share/x/package.json",
        ] {
            assert!(!claims(path), "{path}");
        }
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in
            ["", "[]", "{\"dependencies\": {\"a\": \"1.0.0\"", "{{ x }}", "\0", "{\"dependencies\": {{ deps }} }"]
        {
            assert_eq!(pins(text).1, 1, "{text}");
        }
        for text in ["{}", "{\"dependencies\": []}", "{\"overrides\": \"x\", \"packageManager\": 1}"] {
            assert_eq!(pins(text), (vec![], 0), "{text}");
        }
        let hostile = "{\"dependencies\": {\"a\u{202e}b\": \"1.0.0\", \"../../x\": \"1.0.0\", \"@a\": \"1.0.0\"}}";
        assert_eq!(pins(hostile), (vec![], 0));
        let deep = format!("{{\"overrides\": {}\"1.0.0\"{}}}", "{\"a\": ".repeat(60), "}".repeat(60));
        assert_eq!(pins(&deep), (vec![], 0));
    }
}
