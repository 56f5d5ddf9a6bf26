//! The lock file of Yarn.
//!
//! ```text
//! classic                                            berry (Yarn 2 and later)
//! "@s/b@^1.0.0", axios@^1.0.0, axios@~1.14.0:        __metadata:
//!   version "1.14.1"                                   version: 10
//!   resolved "https://…/axios-1.14.1.tgz#<sha1>"     "axios@npm:^1.0.0, axios@npm:~1.14.0":
//!   integrity sha512-…                                 version: 1.14.1
//!   dependencies:                                      resolution: "axios@npm:1.14.1"
//!     plain-crypto-js "^4.2.1"                         dependencies:
//!   optionalDependencies:                                plain-crypto-js: "npm:^4.2.1"
//!     …                                                  checksum: …, linkType: hard
//! ```
//!
//! Both are written by programs, a key a line, so they are read by line: a conflict that git left shows both sides. What is
//! fetched is what `resolution`, `resolved` or an alias (`my-axios@npm:axios@^1`) says; members of the workspace, links and repositories
//! are left out, a patched package counts as what it was made from. A hit proves that the project resolves to the version; not that it was
//! installed. Documented in Yarn's pages on lock files.

use super::{
    listing::{FILE, Listing, is_of_dependency, is_source_tree, require},
    raw,
};
use crate::{
    ecosystem::npm::reference::{Target, locator},
    fact::{Fact, Package, Requirement},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::text,
        content::{has_line, line_starts},
    },
};

const WHAT: &str = "yarn.lock";
/// Ranges that are read of one entry.
const RANGES: usize = 1000;

/// `yarn.lock`.
pub struct YarnLock;

static META: Meta = Meta {
    id: "node/yarn-lock",
    title: "the lock file of Yarn",
    proves: "the project resolves to the version; not that it was installed",
};

impl Surface for YarnLock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("yarn.lock")]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        let berry = has_line(&text, "__metadata:") && line_starts(&text, "resolution: \"");
        (has_line(&text, "# yarn lockfile v1") || berry).then_some("yarn.lock")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if is_of_dependency(&file.entry.path) {
            return Ok(());
        }
        let at = file.mtime("mtime of yarn.lock");
        let root = file.entry.path.parent();
        let text = text(file.all(FILE)?);
        if blocks_scripts(&text) {
            let allowed = [].into();
            out.push(at.clone(), Fact::ScriptsBlocked { by: "yarn", root, allowed });
        }
        let mut listing = Listing::new(out, at);
        let (mut entry, mut understood) = (Entry::default(), text.trim().is_empty());
        for (number, line) in (1_u32..).zip(text.lines()) {
            let content = line.trim();
            if content.is_empty() || content.starts_with('#') {
                understood |= content == "# yarn lockfile v1";
                continue;
            }
            if is_marker(line) {
                listing.mark_odd();
                continue;
            }
            if !line.starts_with([' ', '\t']) {
                understood |= content.ends_with(':');
                entry.end(&mut listing);
                entry = Entry { header: content.trim_end_matches(':'), line: number, ..Entry::default() };
                continue;
            }
            entry.field(line, number, &mut listing);
        }
        entry.end(&mut listing);
        if !understood {
            return Err(Flaw::malformed(WHAT, "it has no entry of that form"));
        }
        listing.end(WHAT)
    }
}

/// Whether yarn 4.14 or later wrote it, which runs no scripts unless a setting says so: it raised the version to 9. Where it raised that
/// of an older file it wrote the setting too.
fn blocks_scripts(text: &str) -> bool {
    let head = text.split_once("__metadata:").map_or("", |(_, rest)| rest);
    let version = head.lines().take(5).find_map(|line| line.trim().strip_prefix("version:"));
    version.and_then(|v| v.trim().parse::<u32>().ok()).is_some_and(|version| version >= 9)
}

/// What is read of one entry.
#[derive(Default)]
struct Entry<'t> {
    header: &'t str,
    line: u32,
    version: Option<&'t str>,
    resolution: Option<&'t str>,
    resolved: Option<&'t str>,
    integrity: Option<&'t str>,
    /// Where deeper lines belong.
    section: &'t str,
    requires: Vec<Requirement>,
    /// A conflict gave it a second version.
    reported: bool,
}

impl<'t> Entry<'t> {
    fn field(&mut self, line: &'t str, number: u32, listing: &mut Listing<'_, '_>) {
        let indent = line.len() - line.trim_start().len();
        let Some((key, value)) = key_and_value(line.trim()) else {
            return;
        };
        if indent > 3 {
            let marker = match self.section {
                "dependencies" => None,
                "optionalDependencies" => Some("optional"),
                "peerDependencies" => Some("peer"),
                _ => return,
            };
            require(&mut self.requires, key, value, marker);
            return;
        }
        self.section = key;
        match key {
            "version" => {
                // The other side of a conflict within the entry.
                if self.version.is_some() {
                    self.end_side(listing);
                    self.line = number;
                }
                self.version = Some(value);
            }
            "resolution" => self.resolution = Some(value),
            "resolved" => self.resolved = Some(value),
            "integrity" => self.integrity = Some(value),
            _ => {}
        }
    }

    fn end_side(&mut self, listing: &mut Listing<'_, '_>) {
        self.report(listing);
        (self.reported, self.version, self.resolution, self.resolved) = (true, None, None, None);
        self.integrity = None;
    }

    fn end(&mut self, listing: &mut Listing<'_, '_>) {
        if !self.reported || self.version.is_some() {
            self.report(listing);
        }
    }

    fn report(&mut self, listing: &mut Listing<'_, '_>) {
        if self.header.is_empty() || self.header.starts_with("__metadata") {
            return;
        }
        let line = Some(self.line);
        if let Some(resolution) = self.resolution {
            let real = locator(resolution);
            let named = real.name.as_deref().unwrap_or_default();
            match real.version().or(self.version) {
                _ if is_source_tree(&real.target) => {}
                Some(version) => listing.push(named, version, line, self.requires.clone()),
                None => listing.mark_odd(),
            }
            return;
        }
        let Some(version) = self.version else {
            return;
        };
        let mut names: Vec<String> = Vec::new();
        for range in self.header.split(',').take(RANGES) {
            let real = locator(range.trim().trim_matches('"'));
            if is_source_tree(&real.target) || matches!(real.target, Target::Local(_)) {
                continue;
            }
            names.extend(real.name.filter(|name| !names.contains(name)));
        }
        for name in &names {
            listing.has_bytes(self.integrity.unwrap_or_default(), self.resolved.unwrap_or_default());
            listing.push(name, version, line, self.requires.clone());
        }
        if let (Some(name), Some(resolved)) = (names.first(), self.resolved) {
            listing.push_fetched(resolved, name, version, line);
        }
    }
}

/// What git leaves in a conflict.
fn is_marker(line: &str) -> bool {
    ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|marker| line.starts_with(marker))
}

/// `version "1.0.0"`, `version: 1.0.0`, `"@s/b" "^1"`, `"@s/b": "npm:^1"`, `dependencies:`.
fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let (key, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => line.split_at_checked(line.find([' ', ':']).unwrap_or(line.len()))?,
    };
    let value = rest.trim_start_matches(':').trim();
    Some((key, value.trim_matches('"')))
}

#[cfg(test)]
mod tests {
    use super::{
        super::listed::{Read, listed},
        *,
    };

    const CLASSIC: &str = "# yarn lockfile v1\n\n
\"@s/b@^1.0.0\", \"@s/b@~1.2.0\":
  version \"1.2.3\"
  resolved \"https://registry.example/@s/b/-/b-1.2.3.tgz#0123\"
  dependencies:
    axios \"^1.0.0\"
    \"@s/c\" \"2\"
  optionalDependencies:
    o \"1\"

axios@^1.0.0, my-axios@npm:axios@1.14.1:
  version \"1.14.1\"
  integrity sha512-xx==

g@github:a/b:
  version \"1.0.0\"
  resolved \"https://codeload.github.com/a/b/tar.gz/0123456789abcdef\"

\"l@file:../l\":
  version \"1.0.0\"

lodash@^4:
  version \"4.0.0\"
  resolved \"https://registry.example/chalk/-/chalk-5.6.1.tgz#0123\"
";

    #[test]
    fn classic_files() {
        let read = listed(&YarnLock, "p/yarn.lock", CLASSIC.as_bytes());
        let expected = ["@s/b 1.2.3@4", "axios 1.14.1@13", "lodash 4.0.0@24", "chalk 5.6.1@24"];
        assert_eq!((read.packages, read.gaps), (expected.map(str::to_owned).to_vec(), vec![]));
        assert_eq!(read.requires[0], ["axios@^1.0.0", "@s/c@2", "o@1 optional"]);
    }

    const BERRY: &str = "__metadata:\n  version: 10\n  cacheKey: 10c0\n
\"axios@npm:^1.0.0, axios@npm:~1.14.0\":
  version: 1.14.1
  resolution: \"axios@npm:1.14.1\"
  dependencies:
    plain-crypto-js: \"npm:^4.2.1\"
  linkType: hard

\"my@npm:@s/chalk@5.6.1\":
  version: 5.6.1
  resolution: \"@s/chalk@npm:5.6.1\"

\"demo@workspace:.\":
  version: 0.0.0-use.local
  resolution: \"demo@workspace:.\"

\"p@patch:p@npm%3A2.0.0#./p.patch\":
  version: 2.0.0
  resolution: \"p@patch:p@npm%3A2.0.0#./p.patch::version=2.0.0&hash=abcdef\"

\"g@https://github.com/a/g.git\":
  version: 1.0.0
  resolution: \"g@https://github.com/a/g.git#commit=0123456789abcdef\"

\"t@https://host.example/t.tgz\":
  version: 3.0.0
  resolution: \"t@https://host.example/t.tgz\"
";

    #[test]
    fn berry_files() {
        let read = listed(&YarnLock, "p/yarn.lock", BERRY.as_bytes());
        let expected = ["axios 1.14.1@5", "@s/chalk 5.6.1@12", "p 2.0.0@20", "t 3.0.0@28"];
        assert_eq!((read.packages, read.gaps), (expected.map(str::to_owned).to_vec(), vec![]));
        assert_eq!(read.requires[0], ["plain-crypto-js@npm:^4.2.1"]);
    }

    #[test]
    fn both_sides_of_a_conflict_are_read() {
        let text = "# yarn lockfile v1\naxios@^1:\n<<<<<<< HEAD\n  version \"1.14.1\"\n=======\n  version \"1.14.0\"\n>>>>>>> b\n";
        let read = listed(&YarnLock, "yarn.lock", text.as_bytes());
        assert_eq!(
            (read.packages, read.gaps.len()),
            (vec!["axios 1.14.1@2".to_owned(), "axios 1.14.0@6".to_owned()], 1)
        );
    }

    #[test]
    fn a_file_that_a_package_brings_along_says_nothing() {
        assert_eq!(listed(&YarnLock, "p/node_modules/x/yarn.lock", CLASSIC.as_bytes()), Read::default());
    }

    #[test]
    fn hostile_files_cost_nothing_else() {
        for text in
            ["a@1:\n  version \"1\u{1b}[2J\"\n", "\u{202e}@1:\n  version \"1.0.0\"\n", "<html>\n x", "{{ x }}", "\0\0"]
        {
            let read = listed(&YarnLock, "yarn.lock", text.as_bytes());
            assert_eq!((read.packages.len(), read.gaps.len()), (0, 1), "{text}");
        }
        let flood = format!("{}:\n  version \"1.0.0\"\n", "a@1, ".repeat(300_000));
        assert_eq!(listed(&YarnLock, "yarn.lock", flood.as_bytes()).packages, ["a 1.0.0@1"]);
        assert_eq!(listed(&YarnLock, "yarn.lock", b""), Read::default());
        assert_eq!(listed(&YarnLock, "yarn.lock", b"# yarn lockfile v1\n\n"), Read::default());
    }
}
