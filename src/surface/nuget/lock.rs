//! The lock file of a project of .NET, and that of Paket.
//!
//! ```text
//! project/packages.lock.json                   where `RestorePackagesWithLockFile` asks for it
//! │   "dependencies": { "net8.0": { "A": { "type": "Direct", "requested": "[1.2.3, )", "resolved": "1.2.3",
//! │                                        "contentHash": "<base64>", "dependencies": { "B": "1.0.0" } } } }
//! project/paket.lock
//! │   NUGET
//! │     remote: https://registry.example/
//! │       A (1.2.3) - restriction: >= net6.0
//! │         B (>= 1.0)
//! ```
//!
//! A hit proves that the project resolves to the version; not that it was fetched or built. Documented in "Locking dependencies" of NuGet and
//! "The paket.lock file" of Paket.

use std::collections::HashSet;

use super::{libraries::required, package, requirement};
use crate::{
    fact::{At, Fact, Package, Placement, Requirement, TreePath, Unit},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::text,
        node::{
            integrity::{archive, digests},
            json::{Lines, flaw, stream},
        },
    },
};

const FILE: usize = 32 << 20;
/// More than any project has.
const ENTRIES: usize = 50_000;
const REQUIRED: usize = 500;
const WHAT: &str = "packages.lock.json";

/// `packages.lock.json`, `paket.lock`.
pub struct Lock;

static META: Meta = Meta {
    id: "nuget/lock",
    title: "lock files of .NET",
    proves: "the project resolves to the version; not that it was fetched or built",
};

impl Surface for Lock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        // `packages.Project.lock.json` where a folder has several projects.
        vec![Claim::affix("packages.", "lock.json"), Claim::name("paket.lock")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (text.contains("\"contentHash\"") && text.contains("\"resolved\"")).then_some("packages.lock.json")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the lock file");
        let is_paket = file.entry.path.name() == b"paket.lock";
        let text = text(file.all(FILE)?);
        if is_paket { paket(&text, at.as_ref(), out) } else { nuget(&text, at.as_ref(), out) }
    }
}

fn nuget(text: &str, at: Option<&At>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let (mut lines, mut whole) = (Lines::new(text), true);
    // The same of several frameworks is said once.
    let mut known: HashSet<(String, String)> = HashSet::new();
    let read = stream(text, &["dependencies"], &mut |_, _, framework| {
        for (name, entry) in framework.fields() {
            let Some(version) = entry.text_of("resolved") else {
                // Of a project of one's own there is none.
                continue;
            };
            if known.len() >= ENTRIES {
                whole = false;
                return;
            }
            if !known.insert((name.to_string(), version.to_owned())) {
                continue;
            }
            let Some(found) = package(name, version, Placement::Listed) else {
                whole = false;
                continue;
            };
            let sum = entry.text_of("contentHash").map(|sum| format!("sha512-{sum}")).unwrap_or_default();
            let artifacts = digests(&sum).map(archive).collect();
            let found = Package { requires: required(entry).into(), artifacts, ..found };
            out.push_at(None, lines.line_of(name), at.cloned(), Fact::Package(found));
        }
    });
    read.map_err(|error| flaw(&error, WHAT))?;
    if whole { Ok(()) } else { Err(Flaw::malformed(WHAT, "a package without a proper name and version")) }
}

/// Indented by two, four and six: a section's source, a package, what it asks for.
fn paket(text: &str, at: Option<&At>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let (mut section, mut whole, mut count) = ("", true, 0);
    let mut open: Option<(u32, Package, Vec<Requirement>)> = None;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        if indent == 0 {
            section = body.trim_end();
            whole &= !section.starts_with(['<', '>', '=']) && (!section.contains('(') || section.contains(':'));
            continue;
        }
        if section != "NUGET" || body.starts_with("remote:") || body.starts_with("specs:") {
            continue;
        }
        let named = body.split_once(" (").and_then(|(name, rest)| Some((name, rest.split_once(')')?.0)));
        if indent > 4 {
            if let (Some((_, _, requires)), Some((name, asked))) = (&mut open, named)
                && requires.len() < REQUIRED
            {
                requires.extend(paket_requirement(name, asked));
            }
            continue;
        }
        push(&mut open, at, out);
        count += 1;
        open = named
            .and_then(|(name, version)| package(name, version, Placement::Listed))
            .map(|p| (number, p, Vec::new()));
        whole &= open.is_some() && count <= ENTRIES;
        if count > ENTRIES {
            break;
        }
    }
    push(&mut open, at, out);
    if whole { Ok(()) } else { Err(Flaw::malformed("paket.lock", "lines of another form than Paket writes")) }
}

fn push(open: &mut Option<(u32, Package, Vec<Requirement>)>, at: Option<&At>, out: &mut Sink<'_>) {
    if let Some((line, package, requires)) = open.take() {
        let package = Package { requires: requires.into(), ..package };
        out.push_at(None, Some(line), at.cloned(), Fact::Package(package));
    }
}

/// `B (>= 1.0)`: the bounds are shown without their signs' meaning.
fn paket_requirement(name: &str, asked: &str) -> Option<Requirement> {
    let bound = asked.trim_start_matches(['<', '>', '=', '~', ' ']);
    requirement(name, bound.split(' ').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};
    use crate::surface::python::trial::tried;

    fn read(name: &str, text: &str) -> (Vec<String>, Option<String>) {
        said(&Lock, &format!("p/{name}"), text.as_bytes(), &[])
    }

    const TEXT: &str = "{\n\"version\": 1,\n\"dependencies\": {\n\"net6.0\": {\n\"A.B\": {\"type\": \"Direct\", \"requested\": \"[1.2.3, )\", \"resolved\": \"1.2.3\", \
                        \"contentHash\": \"x\", \"dependencies\": {\"C\": \"1.0.0\"}},\n\"own\": {\"type\": \"Project\"}\n},\n\"net8.0\": {\n\"A.B\": {\"type\": \"Direct\", \
                        \"resolved\": \"1.2.3\"},\n\"C\": {\"type\": \"Transitive\", \"resolved\": \"1.0.1\"}\n}\n}\n}\n";
    const PAKET: &str = "RESTRICTION: == net6.0\nNUGET\n  remote: https://registry.example/\n    A.B (1.2.3)\n      C (>= 1.0 < 2.0)\n    C (1.0.1) - restriction: >= net6.0\n\
                         GITHUB\n  remote: a/b\n    x.fs (0123abc)\n";

    #[test]
    fn packages_of_both_files_are_read() {
        let (first, second) = ("package a.b 1.2.3 Listed@", "package c 1.0.1 Listed@");
        assert_eq!(read("packages.lock.json", TEXT), (vec![format!("{first}5"), format!("{second}10")], None));
        assert_eq!(read("paket.lock", PAKET), (vec![format!("{first}4"), format!("{second}6")], None));
        for (name, text, needs) in [("packages.lock.json", TEXT, "C 1.0.0"), ("paket.lock", PAKET, "C 1.0")] {
            let tried = tried(&Lock, &format!("p/{name}"), text.as_bytes(), &Interest::default());
            let Fact::Package(p) = &tried.seen[0].fact else { panic!() };
            assert_eq!(p.requires.iter().map(|r| &*r.text).collect::<Vec<_>>(), [needs]);
        }
    }

    #[test]
    fn hostile_files_are_gaps() {
        for bad in ["\"A\\u001b\"", "\"A/b\"", "\"\""] {
            let text = TEXT.replacen("\"A.B\"", bad, 1);
            let (said, flaw) = read("packages.lock.json", &text);
            assert_eq!((said.len(), flaw.is_some()), (2, true), "{bad}");
        }
        for text in ["", "{", "[]", "\u{0}", "<<<<<<< HEAD\n{}", &"[".repeat(100_000)] {
            assert!(read("packages.lock.json", text).1.is_some(), "{text}");
        }
        let conflict = PAKET.replace("    C (1.0.1)", "<<<<<<< HEAD\n    C (1.0.1)");
        let (said, flaw) = read("paket.lock", &conflict);
        assert!(said.len() == 1 && flaw.is_some());
        for bad in ["    x\u{1b} (1.0)", "    x (y)", "    x"] {
            let (said, flaw) = read("paket.lock", &format!("{}{bad}\n", &PAKET[..PAKET.find("GITHUB").unwrap()]));
            assert_eq!((said.len(), flaw.is_some()), (2, true), "{bad}");
        }
        assert_eq!(read("paket.lock", ""), (vec![], None));
    }
}
