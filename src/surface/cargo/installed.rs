//! What `cargo install` put on the machine, by its receipts.
//!
//! ```text
//! ~/.cargo/                     or `--root`, `$CARGO_INSTALL_ROOT`
//! ├── .crates2.json             {"installs": {"NAME VERSION (registry+https://…)": {"bins": ["x"], …}}}      cargo 1.41 on
//! ├── .crates.toml              [v1]  "NAME VERSION (registry+https://…)" = ["x"]                         the older form, kept beside it
//! └── bin/x
//! ```
//!
//! What comes from a repository or a folder is no registry's. cargo-binstall writes the older form and builds nothing. A hit proves that the
//! program was installed in this version; cargo builds what it installs, so that the crate's build script ran. Documented in "cargo install"
//! of the Cargo Book, the form by its code.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::package;
use crate::{
    ecosystem::cargo::{self, HOME, is_name, is_registry, is_version},
    fact::{Artifact, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

const FILE: usize = 8 << 20;
const PROGRAMS: usize = 200;

/// `.crates2.json`, `.crates.toml`.
pub struct Installed;

static META: Meta = Meta {
    id: "cargo/installed",
    title: "programs that cargo installed",
    proves: "the program was installed in this version, and built for it; not that it was started",
};

#[derive(Deserialize)]
struct Receipts {
    #[serde(default)]
    installs: BTreeMap<String, Receipt>,
}

#[derive(Deserialize)]
struct Receipt {
    #[serde(default)]
    bins: Vec<String>,
}

impl Surface for Installed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, _: bool) -> Option<Unit> {
        let home = path.parent();
        Some(cargo::unit(home.clone(), home, HOME))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name(".crates2.json"), Claim::name(".crates.toml")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the receipts");
        let json = file.entry.path.name() == b".crates2.json";
        let text = text(file.all(FILE)?);
        let mut whole = true;
        if json {
            let receipts: Receipts = serde_json::from_str(&text)
                .map_err(|_| Flaw::malformed(".crates2.json", "it is no JSON of that form"))?;
            for (id, receipt) in receipts.installs {
                let found = crate_of(&id, receipt.bins.iter().map(String::as_str));
                whole &= found.is_some() || !id.contains("registry+");
                found.into_iter().for_each(|p| out.push(at.clone(), Fact::Package(p)));
            }
        } else {
            for (number, line) in (1_u32..).zip(text.lines()).filter(|(_, line)| line.starts_with('"')) {
                let Some((id, bins)) = line.strip_prefix('"').and_then(|l| l.split_once("\" = [")) else {
                    whole = false;
                    continue;
                };
                let bins = bins.trim_end_matches(']').split(',').map(|b| b.trim().trim_matches('"'));
                let found = crate_of(id, bins);
                whole &= found.is_some() || !id.contains("registry+");
                found.into_iter().for_each(|p| out.push_at(None, Some(number), at.clone(), Fact::Package(p)));
            }
            whole &= text.lines().all(|line| line.trim().is_empty() || line.starts_with(['"', '[', '#', ' ', ']']));
        }
        match whole {
            true => Ok(()),
            false => Err(Flaw::malformed("receipt of cargo", "a crate without a proper name and version")),
        }
    }
}

/// `ripgrep 14.1.0 (registry+https://…)` with its programs, where it comes from a registry.
fn crate_of<'b>(id: &str, bins: impl Iterator<Item = &'b str>) -> Option<Package> {
    let mut parts = id.splitn(3, ' ');
    let (name, version, source) = (parts.next()?, parts.next()?, parts.next()?);
    let source = source.trim_start_matches('(');
    if !is_registry(source) || !is_name(name) || !is_version(version) {
        return None;
    }
    let program = |name: &&str| is_name(name.strip_suffix(".exe").unwrap_or(name));
    let bins = bins.filter(program).take(PROGRAMS);
    let artifacts = bins.map(|name| Artifact { name: Some(name.to_owned()), ..Artifact::default() }).collect();
    Some(Package { artifacts, ..package(name, version, Placement::Loadable) })
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};
    use crate::surface::python::trial::tried;

    const JSON: &str = r#"{"installs":{"arone 1.0.0 (registry+https://r.example/index)":{"version_req":null,"bins":["arone","x.exe","../y"]},
        "own 0.1.0 (path+file:///h/own)":{"bins":["own"]},"git 0.1.0 (git+https://host.example/x#0a1b)":{"bins":[]}}}"#;

    #[test]
    fn both_forms_of_receipts_are_read() {
        let tried = tried(&Installed, "h/.cargo/.crates2.json", JSON.as_bytes(), &Interest::default());
        let Fact::Package(p) = &tried.seen[0].fact else { panic!() };
        let bins: Vec<_> = p.artifacts.iter().filter_map(|a| a.name.as_deref()).collect();
        assert_eq!((tried.packages(), bins), (vec!["arone 1.0.0 Loadable".to_owned()], vec!["arone", "x.exe"]));
        assert!(tried.flaw.is_none());
        let text = "[v1]\n\"arone 1.0.0 (sparse+https://r.example/)\" = [\"arone\"]\n\"own 0.1.0 (path+file:///h/own)\" = [\"own\"]\n";
        let is = (vec!["package arone 1.0.0 Loadable@2".to_owned()], None);
        assert_eq!(said(&Installed, "h/.cargo/.crates.toml", text.as_bytes(), &[]), is);
    }

    #[test]
    fn hostile_receipts_are_gaps() {
        for text in [
            "",
            "[",
            "{\"installs\":7}",
            "{\"installs\":{\"a\u{1b} 1.0.0 (registry+x)\":{}}}",
            "{\"installs\":{\"a 1 (registry+x)\":{}}}",
        ] {
            let (said, flaw) = said(&Installed, "h/.cargo/.crates2.json", text.as_bytes(), &[]);
            assert_eq!((said, flaw.is_some()), (vec![], true), "{text}");
        }
        for text in ["x y z", "\"a 1.0.0", "\"a\u{1b} 1.0.0 (registry+x)\" = [\"a\"]"] {
            let (said, flaw) = said(&Installed, "h/.cargo/.crates.toml", text.as_bytes(), &[]);
            assert_eq!((said, flaw.is_some()), (vec![], true), "{text}");
        }
        assert_eq!(said(&Installed, "h/.cargo/.crates2.json", b"{}", &[]), (vec![], None));
    }
}
