//! Programs of Python that are one archive, and bundles of packages that become one.
//!
//! ```text
//! app.pex               .deps/litellm-1.82.8-py3-none-any.whl/litellm-1.82.8.dist-info/METADATA, PEX-INFO, __main__.py
//! app.pyz  (shiv)       site-packages/litellm-1.82.8.dist-info/METADATA, __main__.py
//! app.pyz  (zipapp)     litellm-1.82.8.dist-info/METADATA, __main__.py
//! bin/app               any of them under a plain name, behind a `#!` line
//! function.zip          litellm-1.82.8.dist-info/METADATA, python/…: what is uploaded as a function or its layer
//! any of them           litellm-1.82.8-py3.8.egg-info/PKG-INFO, or as one file litellm-1.82.8.egg-info
//! ```
//!
//! Python runs a zip that has `__main__.py` at its top as it stands and loads the packages in it, so there the version counts as
//! installed: the archive is its environment. Without it the archive is a bundle that something else unpacks: cached. Only
//! archives that hold a package of interest are reported, then with all their distributions, for the chain. Plain names are looked
//! at in folders called `bin`, where a file starts with `#!` or as a zip. A hit proves that the version is in the archive; not that
//! it was started. What pex and shiv unpack when they run is reported by `python/dist-info`. Documented in `zipapp` of
//! docs.python.org and by pex and shiv.

use std::{
    collections::BTreeSet,
    io::{Read, Seek},
};

use serde::Deserialize;

use super::{
    archive::{of_interest, starts_with_interest},
    dist_info::package,
    identity,
    zip_directory::{Member, each_member, read_member},
};
use crate::{
    ecosystem::pypi::{normalise, requirement, unit_around},
    fact::{EnvironmentKind, Fact, Package, Placement, Requirement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// Of one `METADATA`: its headers.
const HEADERS: u64 = 256 << 10;
/// More distributions than a program bundles.
const BUNDLED: usize = 2000;

/// `*.pex`, `*.pyz`, `*.zip`, `bin/*`.
pub struct ZipApp;

static META: Meta = Meta {
    id: "python/zip-app",
    title: "Python programs in one archive (pex, shiv, zipapp) and zipped bundles",
    proves: "the version is in the archive, which Python runs as it stands where it has a __main__; not that it was started",
};

impl Surface for ZipApp {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, inner: bool) -> Option<Unit> {
        Some(unit_around(path, inner))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let named = [".pex", ".pyz", ".pyzw", ".zip"].map(Claim::suffix);
        named.into_iter().chain([Claim::any().in_tail("bin").without_links()]).collect()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        head.starts_with(b"PK\x03\x04").then_some("*.zip")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let name = file.entry.path.name();
        let sure = [b".pex".as_slice(), b".pyz", b".pyzw"].iter().any(|end| name.ends_with(end));
        let interest = file.interest;
        // `python/wheel` reads it.
        if name.strip_suffix(b".zip").is_some_and(|stem| starts_with_interest(interest, stem)) {
            return Ok(());
        }
        if !matches!(file.head(2)?, b"PK" | b"#!") {
            return Ok(());
        }
        match inspect(file, out) {
            // No script is that large.
            Err(Flaw::TooLarge(limit)) if !name.ends_with(b".zip") => Err(Flaw::TooLarge(limit)),
            // A script, a damaged download: nothing says that Python is meant.
            Err(_) if !sure => Ok(()),
            outcome => outcome,
        }
    }
}

/// What an archive holds.
#[derive(Default)]
struct Contents {
    /// Folders of packages of interest: what describes one may be missing.
    folders: BTreeSet<String>,
    /// Names of members and where they are.
    metadata: Vec<(String, Member)>,
    requested: Vec<String>,
    pex_info: Option<Member>,
    runs: bool,
    of_interest: usize,
    /// There were more than are read.
    more: bool,
}

fn inspect(file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let (at, interest, path) = (file.mtime("mtime of the archive"), file.interest, file.entry.path.clone());
    let mut zip = file.seekable()?;
    let held = contents(&mut zip, interest)?;
    if held.folders.is_empty() {
        return Ok(());
    }
    if held.more {
        out.gap(None, &Flaw::malformed("program in an archive", "more distributions than are read"));
    }
    let placement = if held.runs { Placement::Loadable } else { Placement::Cached };
    let mut asked = held.pex_info.map(|m| asked_of_pex(&mut zip, m)).unwrap_or_default();
    let mut undescribed = held.folders;
    for (name, member) in &held.metadata {
        let folder = described(name);
        let file = name.rsplit('/').next().filter(|f| *f == "METADATA").map_or("PKG-INFO", |_| "METADATA");
        match read_member(&mut zip, *member, HEADERS).and_then(|text| package(&text, file, placement)) {
            Ok(found) => {
                let base = folder.rsplit('/').next().unwrap_or_default();
                if !identity::compare(out, identity::folder_parts(base.as_bytes()), "its folder", &found, file) {
                    undescribed.remove(folder);
                }
                if held.requested.iter().any(|r| r == folder) {
                    asked.push(named(&found));
                }
                // Of a bundle that nothing runs no chain is reported.
                if held.runs || of_interest(interest, &found.name) {
                    out.push_at(Some(name), None, at.clone(), Fact::Package(found));
                }
            }
            Err(flaw) => out.gap(Some(name), &flaw),
        }
    }
    for folder in &undescribed {
        let base = folder.rsplit('/').next().unwrap_or_default();
        let at_site = is_site(folder.strip_suffix(base).unwrap_or_default());
        if let Some((name, version)) = identity::folder_parts(base.as_bytes()).filter(|_| at_site) {
            let found = identity::package(name, version, placement);
            out.push_at(Some(folder), None, at.clone(), Fact::Named(found));
        }
    }
    if held.runs && !asked.is_empty() {
        out.push(at, Fact::Environment { prefix: path, kind: EnvironmentKind::TARGET, asked });
    }
    Ok(())
}

fn contents<R: Read + Seek>(zip: &mut R, interest: &Interest) -> Result<Contents, Flaw> {
    let mut held = Contents::default();
    each_member(zip, &mut |name, member| {
        match name {
            b"__main__.py" | b"__main__.pyc" => held.runs = true,
            b"PEX-INFO" => held.pex_info = Some(member),
            _ => {}
        }
        let (folder, file) = match name.strip_suffix(b".egg-info") {
            Some(_) => (name, b"/PKG-INFO".as_slice()),
            None => match memchr::memrchr(b'/', name).and_then(|at| name.split_at_checked(at)) {
                Some(parts) => parts,
                None => return,
            },
        };
        let Some(stem) = [b".dist-info".as_slice(), b".egg-info"].iter().find_map(|end| folder.strip_suffix(*end))
        else {
            return;
        };
        let base = folder.rsplit(|b| *b == b'/').next().unwrap_or_default();
        let project = match identity::folder_parts(base) {
            Some((project, _)) => project.to_owned(),
            None => String::from_utf8_lossy(stem.rsplit(|b| *b == b'/').next().unwrap_or_default()).into_owned(),
        };
        let wanted = of_interest(interest, &normalise(&project));
        let is_description = matches!(file, b"/METADATA" | b"/PKG-INFO");
        let above = folder.strip_suffix(base).and_then(|f| std::str::from_utf8(f).ok());
        if wanted && (is_description || above.is_some_and(is_site)) && held.folders.len() < BUNDLED {
            held.folders.insert(String::from_utf8_lossy(folder).into_owned());
        }
        match file {
            b"/METADATA" | b"/PKG-INFO" => {
                held.of_interest += usize::from(wanted);
                // Others never use up the budget of those that matter.
                let full = if wanted { held.of_interest > BUNDLED } else { held.metadata.len() >= BUNDLED };
                held.more |= full;
                if !full {
                    held.metadata.push((String::from_utf8_lossy(name).into_owned(), member));
                }
            }
            b"/REQUESTED" if held.requested.len() < BUNDLED => {
                held.requested.push(String::from_utf8_lossy(folder).into_owned());
            }
            _ => {}
        }
    })?;
    Ok(held)
}

/// Whether a folder of an archive, written with a slash behind it, is one from which Python loads packages there.
fn is_site(folder: &str) -> bool {
    let name = folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    matches!(name, "" | "python" | "site-packages" | "dist-packages") || name.ends_with(".whl")
}

/// The folder that a member describes; of an egg-info that is one file, itself.
fn described(member: &str) -> &str {
    if member.ends_with(".egg-info") { member } else { member.rsplit_once('/').map_or("", |(folder, _)| folder) }
}

fn named(package: &Package) -> Requirement {
    Requirement::new(&*package.name, &*package.name)
}

#[derive(Deserialize)]
struct PexInfo {
    #[serde(default)]
    requirements: Vec<String>,
}

/// What the program was built from. A damaged list costs the chain its start, no more.
fn asked_of_pex<R: Read + Seek>(zip: &mut R, member: Member) -> Vec<Requirement> {
    let text = read_member(zip, member, 1 << 20).unwrap_or_default();
    let listed = serde_json::from_slice::<PexInfo>(&text).map(|p| p.requirements).unwrap_or_default();
    listed.iter().take(BUNDLED).filter_map(|r| requirement(r)).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            archive::made,
            trial::{Tried, tried},
        },
        *,
    };

    const LITELLM: &str = "Name: litellm\nVersion: 1.82.8\n";
    const DSPY: &str = "Name: dspy\nVersion: 2.6.0\nRequires-Dist: litellm\n";

    fn inspect(path: &str, bytes: &[u8]) -> Tried {
        tried(&ZipApp, path, bytes, &made::interest())
    }

    fn program(members: &[(&str, &str)]) -> Vec<u8> {
        [b"#!/usr/bin/env python3\n".as_slice(), &made::zip(members)].concat()
    }

    #[test]
    fn programs_of_every_kind_hold_their_packages() {
        for metadata in [
            ".deps/litellm-1.82.8-py3-none-any.whl/litellm-1.82.8.dist-info/METADATA",
            "site-packages/litellm-1.82.8.dist-info/METADATA",
            "LiteLLM-1.82.8.dist-info/METADATA",
        ] {
            for main in ["__main__.py", "__main__.pyc"] {
                let bytes = program(&[(metadata, LITELLM), (main, "")]);
                for path in ["h/app.pex", "h/app.pyz", "h/app.pyzw", "h/app.zip", "h/bin/app", "h/bin/app.v2"] {
                    let got = inspect(path, &bytes);
                    assert_eq!(got.packages(), ["litellm 1.82.8 Loadable"], "{path} {metadata}");
                    assert_eq!(got.seen[0].origin.inner.as_deref(), Some(metadata));
                }
            }
        }
    }

    #[test]
    fn a_program_reports_all_its_distributions_and_what_was_asked_for() {
        let pex = [
            ("PEX-INFO", "{\"requirements\": [\"dspy>=2\", \"not a requirement !\"], \"code_hash\": \"x\"}"),
            (".deps/d/dspy-2.6.0.dist-info/METADATA", DSPY),
            (".deps/l/litellm-1.82.8.dist-info/METADATA", LITELLM),
            ("__main__.py", ""),
        ];
        let shiv = [
            ("site-packages/dspy-2.6.0.dist-info/METADATA", DSPY),
            ("site-packages/dspy-2.6.0.dist-info/REQUESTED", ""),
            ("site-packages/litellm-1.82.8.dist-info/METADATA", LITELLM),
            ("__main__.py", ""),
        ];
        for members in [pex.as_slice(), &shiv] {
            let got = inspect("h/bin/app", &program(members));
            assert_eq!(got.packages(), ["dspy 2.6.0 Loadable", "litellm 1.82.8 Loadable"]);
            let Some(Fact::Environment { prefix, asked, .. }) = got.seen.last().map(|s| &s.fact) else { panic!() };
            assert_eq!((prefix.as_bytes(), &*asked[0].name, asked.len()), (b"h/bin/app".as_slice(), "dspy", 1));
        }
    }

    #[test]
    fn a_bundle_that_nothing_runs_is_stored() {
        let members =
            [("python/litellm-1.82.8.dist-info/METADATA", LITELLM), ("python/dspy-2.6.0.dist-info/METADATA", DSPY)];
        assert_eq!(inspect("h/layer.zip", &made::zip(&members)).packages(), ["litellm 1.82.8 Cached"]);
        // `python/wheel` reads these.
        assert!(inspect("h/litellm-1.82.8.zip", &made::zip(&members)).seen.is_empty());
    }

    #[test]
    fn what_holds_no_package_of_interest_says_nothing() {
        let other = program(&[("six-1.0.dist-info/METADATA", "Name: six\nVersion: 1.0\n"), ("__main__.py", "")]);
        let lite = program(&[
            ("litellm_lite-1.82.8.dist-info/METADATA", "Name: litellm-lite\nVersion: 1.82.8\n"),
            ("docs/litellm-1.82.8.dist-info/RECORD", ""),
            ("litellm-1.82.8.txt", LITELLM),
            ("__main__.py", ""),
        ]);
        for bytes in [other.as_slice(), &lite, b"#!/bin/sh\necho PK\n", b"\x7fELF", b"", b"PK"] {
            for path in ["h/bin/app", "h/app.zip"] {
                let got = inspect(path, bytes);
                assert!(got.seen.is_empty() && got.flaw.is_none());
            }
        }
    }

    #[test]
    fn many_others_hide_nothing() {
        let others: Vec<String> = (0..BUNDLED + 5).map(|n| format!("d{n}/six-1.0.dist-info/METADATA")).collect();
        let mut members: Vec<(&str, &str)> = others.iter().map(|o| (o.as_str(), "Name: six\nVersion: 1.0\n")).collect();
        members.extend([("x/litellm-1.82.8.dist-info/METADATA", LITELLM), ("__main__.py", "")]);
        let got = inspect("h/bin/app", &program(&members));
        assert_eq!(got.packages().last().map(String::as_str), Some("litellm 1.82.8 Loadable"));
        assert_eq!(got.packages().len(), BUNDLED + 1);
    }

    #[test]
    fn a_damaged_program_is_a_flaw_and_a_damaged_member_a_gap() {
        let whole = program(&[("litellm-1.82.8.dist-info/METADATA", LITELLM), ("__main__.py", "")]);
        for len in 3..whole.len() {
            let got = inspect("h/app.pyz", &whole[..len]);
            assert!(got.flaw.is_some() && got.seen.is_empty(), "{len}");
            assert!(inspect("h/bin/app", &whole[..len]).flaw.is_none());
        }
        let nameless = program(&[("litellm-1.82.8.dist-info/METADATA", "Version: 1"), ("__main__.py", "")]);
        let got = inspect("h/bin/app", &nameless);
        assert_eq!(
            (got.named(), got.packages(), got.flaw.is_none()),
            (vec!["litellm 1.82.8 Loadable".into()], vec![], true)
        );
    }

    #[test]
    fn an_egg_info_is_a_description_and_a_folder_is_a_name() {
        for member in
            ["litellm-1.82.8-py3.8.egg-info/PKG-INFO", "python/litellm-1.82.8.egg-info", "litellm.egg-info/PKG-INFO"]
        {
            assert_eq!(
                inspect("h/f.zip", &program(&[(member, LITELLM)])).packages(),
                ["litellm 1.82.8 Cached"],
                "{member}"
            );
        }
        for member in ["litellm-1.82.8.dist-info/RECORD", "python/litellm-1.82.8-py3.8.egg-info/top_level.txt"] {
            let got = inspect("h/f.zip", &program(&[(member, "x")]));
            assert_eq!((got.named(), got.packages()), (vec!["litellm 1.82.8 Cached".to_owned()], vec![]), "{member}");
        }
        // A README about it, another package, another name in the same form.
        for member in
            ["docs/litellm-1.82.8.dist-info/RECORD", "six-1.0.egg-info/PKG-INFO", "litellm_x-1.82.8.egg-info/PKG-INFO"]
        {
            let got = inspect("h/f.zip", &program(&[(member, "Name: x\nVersion: 1\n")]));
            assert!(got.seen.is_empty() && got.flaw.is_none(), "{member}");
        }
    }
}
