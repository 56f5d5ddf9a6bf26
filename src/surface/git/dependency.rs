//! Commits from which manifests and lock files take packages.
//!
//! ```text
//! package.json          "@tanstack/setup": "github:tanstack/router#79ac49ee…"
//! package-lock.json     "resolved": "git+ssh://git@host.example/o/n.git#79ac49ee…"
//! yarn.lock, bun.lock   "n@github:o/n#79ac49e"          as few as seven digits
//! composer.lock         "reference": "a5ea2e8f…"        of an archive too
//! Cargo.lock, uv.lock   source = "git+https://host.example/o/n?rev=…#79ac49ee…"
//! direct_url.json       {"vcs_info": {"commit_id": "79ac49ee…"}}   written by pip and uv where they installed it
//! ```
//!
//! A commit id is not written by chance, so that no format has to be understood: one counts behind `#` and `@`, a whole one also as the
//! last part of an address and as the value of a key that names a commit. Elsewhere it may be somebody's list. Only what an indicator
//! knows is reported. The forms are those of npm's `package.json`, Composer's schema, PEP 610.

use std::collections::BTreeSet;

use crate::{
    fact::{Fact, Held, TraceKind, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface, fetched},
};

/// The largest lock files.
const FILE: usize = 64 << 20;
/// Fewer digits are no commit.
const SHORT: usize = 7;
/// What stands before a value is looked at so far.
const KEY: usize = 300;

/// Lock files and manifests of every ecosystem.
pub struct Dependency;

static META: Meta = Meta {
    id: "git/dependency",
    title: "commits that manifests and lock files take packages from",
    proves: "the file takes a package from that commit; not that it was fetched or installed",
};

const NAMES: &[&str] = &[
    ".package-lock.json",
    ".pre-commit-config.yaml",
    "Cargo.lock",
    "Cargo.toml",
    "Gemfile",
    "Gemfile.lock",
    "Package.resolved",
    "Pipfile",
    "Pipfile.lock",
    "Podfile.lock",
    "bun.lock",
    "composer.json",
    "composer.lock",
    "deno.lock",
    "flake.lock",
    "gems.locked",
    "mix.lock",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "package.json",
    "pdm.lock",
    "poetry.lock",
    "pubspec.lock",
    "pyproject.toml",
    "shrinkwrap.yaml",
    "uv.lock",
    "yarn.lock",
];

impl Surface for Dependency {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Git]
    }

    fn claims(&self, interest: &Interest) -> Vec<Claim> {
        if !interest.traces.knows_commits() {
            return Vec::new();
        }
        let mut claims: Vec<Claim> = NAMES.iter().map(|name| Claim::name(name)).collect();
        claims.extend(
            [("pnpm-lock.", "yaml"), ("aube-lock.", "yaml"), ("pylock.", "toml")].map(|(s, e)| Claim::affix(s, e)),
        );
        claims.extend([
            Claim::name("direct_url.json").in_suffix(".dist-info"),
            Claim::name("installed.json").in_tail("vendor/composer"),
            Claim::holding("requirement", ".txt"),
        ]);
        claims
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the file");
        let interest = file.interest;
        let held = if says_installed(&file.entry.path) { Held::Installed } else { Held::Taken };
        let is_manifest = file.entry.path.name() == b"package.json";
        let bytes = file.all(FILE)?;
        // The most frequent name has a commit behind `#` only.
        if is_manifest && memchr::memchr(b'#', bytes).is_none() {
            return Ok(());
        }
        let (mut line, mut said) = (Line::default(), BTreeSet::new());
        for (start, id) in ids(bytes) {
            let known = interest.traces.commit(&id.to_ascii_lowercase());
            if let Some(known) = known.filter(|known| said.insert(*known)) {
                let number = line.of(bytes, start);
                out.push_at(None, Some(number), at.clone(), fetched::fact(TraceKind::Commit, known, held));
            }
        }
        Ok(())
    }
}

/// Whether an installer writes such a file about what it installed.
fn says_installed(path: &TreePath) -> bool {
    let is_record = matches!(path.name(), b"direct_url.json" | b".package-lock.json");
    is_record || path.as_bytes().ends_with(b"vendor/composer/installed.json")
}

/// What may be a commit, with where it begins.
fn ids(bytes: &[u8]) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + bytes.get(at..)?.iter().position(u8::is_ascii_hexdigit)?;
            let digits = bytes.get(start..)?.iter().take_while(|b| b.is_ascii_hexdigit()).count();
            at = start + digits;
            let before = start.checked_sub(1).and_then(|b| bytes.get(b)).copied().unwrap_or(b' ');
            let alone = !before.is_ascii_alphanumeric() && !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
            let marked = (before == b'#' || before == b'@' && is_address(bytes.get(..start).unwrap_or_default()))
                && (SHORT..=64).contains(&digits);
            // Behind it an address goes on: that of a file.
            let ends = before != b'/' || bytes.get(at) != Some(&b'/');
            let is_whole = || ends && matches!(digits, 40 | 64) && is_value(bytes.get(..start).unwrap_or_default());
            if alone && (marked || is_whole()) {
                return Some((start, std::str::from_utf8(bytes.get(start..at)?).ok()?));
            }
        }
    })
}

/// Whether these bytes end in an address: `git+https://host.example/o/n@`.
fn is_address(before: &[u8]) -> bool {
    let word = before.rsplit(|b| b.is_ascii_whitespace() || b"\"',{".contains(b)).next().unwrap_or_default();
    word.len() <= KEY && memchr::memmem::find(word, b"://").is_some()
}

/// Whether what comes behind these bytes is the end of an address, or the value of a key that names a commit.
fn is_value(before: &[u8]) -> bool {
    const KEYS: &[&str] = &[
        "reference",
        "revision",
        "commit",
        "commit_id",
        "commit-id",
        "rev",
        "ref",
        "resolved-ref",
        "resolved_reference",
    ];
    let line = before.rsplit(|b| *b == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line.get(line.len().saturating_sub(KEY)..).unwrap_or_default());
    if let Some(address) = line.strip_suffix('/') {
        return address
            .rsplit(|c: char| c.is_whitespace() || "\"',{".contains(c))
            .next()
            .is_some_and(|a| a.contains("://"));
    }
    let quoted = |text: &str| text.trim_end().trim_end_matches(['"', '\'']).trim_end().to_owned();
    let key = quoted(&line);
    let Some(key) = key.strip_suffix([':', '=']) else { return false };
    let key = quoted(key);
    let word = key.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).next().unwrap_or_default();
    KEYS.contains(&word)
}

/// Numbers of lines, of places that come in order.
#[derive(Default)]
struct Line {
    at: usize,
    number: u32,
}

impl Line {
    fn of(&mut self, bytes: &[u8], place: usize) -> u32 {
        let passed = bytes.get(self.at..place).unwrap_or_default();
        let ends = u32::try_from(memchr::memchr_iter(b'\n', passed).count()).unwrap_or(u32::MAX);
        self.number = self.number.saturating_add(ends);
        self.at = place;
        self.number.saturating_add(1)
    }
}

/// The known commits that a command takes packages from: `npm i github:o/n#79ac49ee`.
pub fn in_command(text: &str, interest: &Interest) -> Vec<Fact> {
    if !interest.traces.knows_commits() || !text.bytes().any(|b| matches!(b, b'#' | b'@')) {
        return Vec::new();
    }
    let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || ".-_".contains(c)));
    if !words.any(|word| TOOLS.contains(&word)) {
        return Vec::new();
    }
    let known = ids(text.as_bytes()).filter_map(|(_, id)| interest.traces.commit(&id.to_ascii_lowercase()));
    let mut found: Vec<_> = known.map(|known| fetched::fact(TraceKind::Commit, known, Held::Fetched)).collect();
    found.dedup();
    found
}

/// Programs that take a package from a commit.
const TOOLS: &[&str] = &[
    "bun", "bundle", "bunx", "cargo", "composer", "deno", "gem", "go", "npm", "npx", "pdm", "pip", "pip3", "pipx",
    "pnpm", "pnpx", "poetry", "uv", "uvx", "yarn",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::python::trial::tried;

    const ID: &str = "79ac49eedf774dd4b0cfa308722bc463cfe5885c";
    const OTHER: &str = "89ac49eedf774dd4b0cfa308722bc463cfe5885c";

    fn interest() -> Interest {
        Interest::with_traces(&[(TraceKind::Commit, ID)])
    }

    fn lines(text: &str) -> Vec<u32> {
        let tried = tried(&Dependency, "p/composer.lock", text.as_bytes(), &interest());
        assert!(tried.flaw.is_none());
        tried.seen.iter().filter_map(|seen| seen.origin.line).collect()
    }

    #[test]
    fn a_known_commit_is_found_in_any_form() {
        for text in [
            format!("{{\n\"a\": \"github:o/n#{ID}\"}}"),
            format!("\n\"resolved\": \"git+ssh://git@host.example/o/n.git#{ID}\""),
            format!("\nsource = \"git+https://host.example/o/n?rev=main#{}\"", &ID[..8]),
            format!("\n  \"n\": [\"n@github:o/n#{}\", {{}}]", &ID[..7]),
            format!("\n\"reference\": \"{}\"", ID.to_uppercase()),
            format!("\n  revision: {ID}\n"),
            format!("\n resolution: {{tarball: https://codeload.example/o/n/tar.gz/{ID}}}"),
            format!("\nrev = '{ID}'"),
            format!("\nn @ git+https://host.example/o/n@{ID}"),
        ] {
            assert_eq!(lines(&text), [2], "{text}");
        }
        assert_eq!(lines(&format!("\n\n#{ID}\n#{ID}")), [3]);
    }

    #[test]
    fn other_digits_are_left_alone() {
        for text in [
            format!("\"a\": \"github:o/n#{OTHER}\""),
            format!("\"sha\": \"{ID}0\""),
            format!("\"x{ID}\""),
            format!("\"reference\": \"{}\"", &ID[..39]),
            format!("git,commit,{ID}"),
            format!("actions,o/n@{ID}"),
            format!("url,https://raw.example/o/n/{ID}/x.js"),
            format!("{{\"kind\": \"commit\", \"value\": \"{ID}\"}}"),
            format!("sha: {ID}"),
            ID.to_owned(),
            format!("#{}", &ID[..6]),
            "github:o/n#main".to_owned(),
            String::new(),
        ] {
            assert!(lines(&text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_command_takes_it_and_a_look_at_it_does_not() {
        let count = |text: &str| in_command(&text.replace("ID", ID), &interest()).len();
        for text in
            ["npm i github:o/n#ID", "npx -y github:o/n#79ac49ee", "sudo pip install git+https://host.example/o/n@ID"]
        {
            assert_eq!(count(text), 1, "{text}");
        }
        for text in ["git show ID", "git log origin@ID", "npm i github:o/n#main", "grep '#ID' x"] {
            assert_eq!(count(text), 0, "{text}");
        }
    }

    #[test]
    fn nothing_is_wanted_where_no_commit_is_known() {
        assert!(Dependency.claims(&Interest::default()).is_empty());
        let huge = format!("{}\n#{ID}", "a".repeat(1 << 20));
        assert_eq!(lines(&huge), [2]);
        let bytes = [b"\xff\xfe\0#".as_slice(), ID.as_bytes()].concat();
        assert_eq!(tried(&Dependency, "p/yarn.lock", &bytes, &interest()).seen.len(), 1);
    }
}
