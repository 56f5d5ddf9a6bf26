//! The lock file of Bundler.
//!
//! ```text
//! project/Gemfile.lock                          gems.locked beside gems.rb; NAME.gemfile.lock of Appraisal
//! │   GEM                                       PATH, GIT: a folder, a repository
//! │     remote: https://registry.example/
//! │     specs:
//! │       rest-client (1.6.13)                  `(1.15.0-x86_64-linux)`: for one platform
//! │         mime-types (>= 1.16, < 4)           what it asks for
//! │   PLATFORMS, DEPENDENCIES, BUNDLED WITH
//! │   CHECKSUMS
//! │     rest-client (1.6.13) sha256=<64 hex>    Bundler 2.6 on, where it is asked for
//! ```
//!
//! Those that gems were published with are read by nobody, and are left out. Both sides of a conflict that git left are found. A hit proves
//! that the project resolves to the version; not that it was fetched or installed. Documented in "bundle lock" and "bundle install" of
//! Bundler, the form by its code.

use std::collections::HashMap;

use super::package;
use crate::{
    ecosystem::{
        gem::{is_name, package_of},
        is_version,
    },
    fact::{Artifact, Ecosystem, Fact, Package, Placement, Requirement, TreePath, Unit},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::{has_line, text},
    },
};

/// The largest of real applications have some hundred kilobytes.
const FILE: usize = 64 << 20;
/// More than any project has.
const ENTRIES: usize = 200_000;
const REQUIRED: usize = 2_000;
/// What stands at the start of a line without spaces before it.
const SECTIONS: [&str; 9] =
    ["GEM", "GIT", "PATH", "PLUGIN SOURCE", "PLATFORMS", "DEPENDENCIES", "CHECKSUMS", "RUBY VERSION", "BUNDLED WITH"];

/// `Gemfile.lock`.
pub struct GemfileLock;

static META: Meta = Meta {
    id: "ruby/gemfile-lock",
    title: "the lock file of Bundler",
    proves: "the project resolves to the version; not that it was fetched or installed",
};

impl Surface for GemfileLock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::affix("Gemfile", ".lock"), Claim::suffix(".gemfile.lock"), Claim::name("gems.locked")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (has_line(&text, "GEM") && has_line(&text, "specs:")).then_some("Gemfile.lock")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if package_of(&file.entry.path).is_some() {
            return Ok(());
        }
        let at = file.mtime("mtime of the lock file");
        let text = text(file.all(FILE)?);
        let sums = checksums(&text);
        let (found, whole) = read(&text);
        for (line, mut package) in found {
            if let Some(sum) = sums.get(&(&*package.name, &*package.version)) {
                let name = Some(format!("{}-{}.gem", package.name, package.version));
                package.artifacts.push(Artifact { name, sha256: Some(sum.clone()), ..Artifact::default() });
            }
            out.push_at(None, Some(line), at.clone(), Fact::Package(package));
        }
        if whole { Ok(()) } else { Err(Flaw::malformed("Gemfile.lock", "lines of another form than Bundler writes")) }
    }
}

/// The gems of registries with their lines, and whether every line was understood.
fn read(text: &str) -> (Vec<(u32, Package)>, bool) {
    let mut found: Vec<(u32, Package, Vec<Requirement>)> = Vec::new();
    let (mut section, mut whole) = ("", true);
    // Whether what is asked for belongs to the last of `found`.
    let mut open = false;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let line = line.trim_end();
        let inner = line.trim_start_matches(' ');
        match line.len() - inner.len() {
            _ if inner.is_empty() => {}
            0 => match SECTIONS.iter().find(|s| **s == inner) {
                Some(name) => (section, open) = (name, false),
                None => whole = false,
            },
            4 if section == "GEM" => {
                open = false;
                match entry(inner) {
                    Some((name, version)) if is_name(name) && is_version(Ecosystem::Gem, version) => {
                        if found.len() >= ENTRIES {
                            whole = false;
                            break;
                        }
                        open = true;
                        found.push((number, package(name, version, Placement::Listed), Vec::new()));
                    }
                    _ => whole = false,
                }
            }
            6 if section == "GEM" => {
                let last = found.last_mut().filter(|(.., asked)| open && asked.len() < REQUIRED);
                if let Some(((.., asked), required)) = last.zip(required(inner)) {
                    asked.push(required);
                }
            }
            2 if section == "GEM" => {
                open = false;
                whole &= inner == "specs:" || inner.contains(": ") || inner.ends_with(':');
            }
            // The same elsewhere names nothing of a registry.
            _ => whole &= !section.is_empty(),
        }
    }
    let done = |(line, package, asked): (u32, Package, Vec<Requirement>)| {
        (line, Package { requires: asked.into(), ..package })
    };
    (found.into_iter().map(done).collect(), whole)
}

/// `rest-client (1.6.13)`
fn entry(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once(" (")?;
    Some((name, rest.strip_suffix(')')?))
}

/// `mime-types (>= 1.16, < 4)`, or a name alone.
fn required(line: &str) -> Option<Requirement> {
    let (name, bounds) = entry(line).unwrap_or((line, ""));
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-~<>=!, ".contains(c);
    let sound = is_name(name) && bounds.len() <= 200 && bounds.chars().all(plain);
    let text = if bounds.is_empty() { name.to_owned() } else { format!("{name} {bounds}") };
    sound.then(|| Requirement::new(name, text))
}

/// SHA-256 in hex by name and version.
fn checksums(text: &str) -> HashMap<(&str, &str), String> {
    let lines = text.lines().skip_while(|line| line.trim_end() != "CHECKSUMS").skip(1);
    let mut found = HashMap::new();
    for line in lines.take_while(|line| line.starts_with(' ')).take(ENTRIES) {
        let Some((id, sums)) = line.trim().split_once(") ") else {
            continue;
        };
        let sum = sums.split([',', ' ']).find_map(|sum| sum.strip_prefix("sha256="));
        let sum = sum.filter(|s| s.len() == 64 && s.bytes().all(|b| b.is_ascii_hexdigit()));
        if let (Some((name, version)), Some(sum)) = (id.split_once(" ("), sum) {
            found.insert((name, version), sum.to_ascii_lowercase());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};
    use crate::surface::python::trial::tried;

    const SUM: &str = "5ad32ce52e4161730f7098c077cd2ed6229b5804ccf99e5366be1ab72a98b4e1";
    const TEXT: &str = "PATH\n  remote: .\n  specs:\n    own (0.1.0)\n\nGIT\n  remote: https://host.example/x\n  revision: 0a1b\n  specs:\n    \
                        x (1.0)\n\nGEM\n  remote: https://registry.example/\n  specs:\n    mime-types (3.4.1)\n    nokogiri \
                        (1.15.0-x86_64-linux)\n    rest-client (1.6.13)\n      mime-types (>= 1.16, < 4)\n      netrc\n\nPLATFORMS\n  \
                        x86_64-linux\n\nDEPENDENCIES\n  own!\n  rest-client (= 1.6.12)\n\n";

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&GemfileLock, "p/Gemfile.lock", text.as_bytes(), &[])
    }

    const IS: [&str; 3] = [
        "package mime-types 3.4.1 Listed@15",
        "package nokogiri 1.15.0-x86_64-linux Listed@16",
        "package rest-client 1.6.13 Listed@17",
    ];

    #[test]
    fn gems_of_registries_are_read() {
        let text = format!(
            "{TEXT}CHECKSUMS\n  netrc (1)\n  rest-client (1.6.13) sha256={SUM},md5=0\n\nBUNDLED WITH\n   2.6.1\n"
        );
        for path in ["p/Gemfile.lock", "p/gems.locked", "p/gemfiles/rails_6.gemfile.lock"] {
            assert_eq!(
                said(&GemfileLock, path, text.as_bytes(), &[]),
                (IS.map(str::to_owned).to_vec(), None),
                "{path}"
            );
        }
        let tried = tried(&GemfileLock, "p/Gemfile.lock", text.as_bytes(), &Interest::default());
        let Fact::Package(p) = &tried.seen[2].fact else { panic!() };
        assert_eq!(p.requires.iter().map(|r| &*r.text).collect::<Vec<_>>(), ["mime-types >= 1.16, < 4", "netrc"]);
        let artifact =
            Artifact { name: Some("rest-client-1.6.13.gem".into()), sha256: Some(SUM.into()), ..Artifact::default() };
        assert_eq!(p.artifacts, [artifact]);
    }

    #[test]
    fn lock_files_of_gems_are_left_alone() {
        for path in
            ["var/lib/gems/3.1.0/gems/x-1.0/Gemfile.lock", "p/vendor/bundle/ruby/3.1.0/gems/x-1.0/a/Gemfile.lock"]
        {
            assert_eq!(said(&GemfileLock, path, TEXT.as_bytes(), &[]), (vec![], None), "{path}");
        }
    }

    #[test]
    fn both_sides_of_a_conflict_are_found_and_a_gap() {
        let text = "GEM\n  remote: https://r.example/\n  specs:\n<<<<<<< HEAD\n    a (1.0)\n=======\n    a (1.1)\n>>>>>>> b\n\nPLATFORMS\n  ruby\n";
        let (said, flaw) = read(text);
        assert_eq!(said, ["package a 1.0 Listed@5", "package a 1.1 Listed@7"]);
        assert!(flaw.is_some());
    }

    #[test]
    fn hostile_files_are_gaps() {
        for bad in [
            "{{ x }}",
            "    a (1.0)",
            "GEM\n    a\u{1b} (1.0)",
            "GEM\n    a (x)",
            "GEM\n    a",
            "\u{0}",
            "GEM\n    a (1.0",
            "gem",
        ] {
            let (said, flaw) = read(bad);
            assert_eq!((said, flaw.is_some()), (vec![], true), "{bad}");
        }
        assert_eq!(read(""), (vec![], None));
        let long =
            format!("GEM\n  specs:\n    a (1.0)\n      {}\n      b ({})\n", "x".repeat(1 << 20), "1".repeat(1 << 20));
        assert_eq!(read(&long).0, ["package a 1.0 Listed@3"]);
        let many: String = (0..20_000).map(|n| format!("    a{n} (1.{n})\n      b{n}\n")).collect();
        assert_eq!(read(&format!("GEM\n  specs:\n{many}")).0.len(), 20_000);
    }
}
