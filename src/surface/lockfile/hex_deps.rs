//! Packages of Hex in a project.
//!
//! ```text
//! project/deps/NAME/hex_metadata.config          what Mix fetched; _build/default/lib/NAME of rebar3
//! │   {<<"name">>,<<"jason">>}.
//! │   {<<"version">>,<<"1.4.1">>}.
//! │   {<<"requirements">>, [ … ]}.
//! ```
//!
//! Builds of the project take it from there, and run its `mix.exs` or `rebar.config` and its macros. A hit proves that the version stands where
//! builds of the project take it; not that one was made. Documented in Hex's "Package tarball".

use super::package;
use crate::{
    ecosystem::semantic::DEPS,
    fact::{Ecosystem, Fact, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

const FILE: usize = 4 << 20;

/// `hex_metadata.config`.
pub struct HexDeps;

static META: Meta = Meta {
    id: "lockfile/hex-deps",
    title: "packages of Hex in a project",
    proves: "the version stands where builds of the project take it; not that one was made",
};

impl Surface for HexDeps {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, _: bool) -> Option<Unit> {
        let folder = path.parent().parent();
        let root = match folder.name() {
            // _build/default/lib
            b"lib" => folder.parent().parent().parent(),
            _ => folder.parent(),
        };
        Some(Unit { ecosystem: Ecosystem::Hex, folder, root, kind: DEPS, usual: true })
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("hex_metadata.config")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of hex_metadata.config");
        let text = text(file.all(FILE)?);
        let value = |key: &str| {
            let start = format!("{{<<\"{key}\">>,");
            let line = text.lines().find_map(|line| line.trim().strip_prefix(start.as_str()))?;
            Some(line.trim_start().strip_prefix("<<\"")?.split_once('"')?.0)
        };
        let found = value("name").zip(value("version"));
        match found.and_then(|(name, version)| package(Ecosystem::Hex, name, version, Placement::Loadable)) {
            Some(found) => out.push(at, Fact::Package(found)),
            None => return Err(Flaw::malformed("hex_metadata.config", "it says no name or no version")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::trial::{HOSTILE, said},
        *,
    };

    const PATH: &str = "p/deps/jason/hex_metadata.config";

    #[test]
    fn the_package_of_a_folder_is_read() {
        let text = "{<<\"app\">>,<<\"jason\">>}.\n{<<\"name\">>,<<\"jason\">>}.\n{<<\"version\">>,<<\"1.4.1\">>}.\n{<<\"requirements\">>,\n [[{<<\"name\">>,<<\"decimal\">>}]]}.\n";
        assert_eq!(said(&HexDeps, PATH, text.as_bytes()), (vec!["package jason 1.4.1 Loadable".into()], None));
        let root = |path: &str| {
            let unit = HexDeps.unit(&TreePath::new(path.as_bytes()).unwrap(), false).unwrap();
            unit.root.text().into_owned()
        };
        assert_eq!(root(PATH), "/p");
        assert_eq!(root("p/_build/default/lib/jason/hex_metadata.config"), "/p");
    }

    #[test]
    fn hostile_files_are_gaps() {
        let more =
            ["", "{<<\"name\">>,<<\"a\">>}.", "{<<\"name\">>,<<\"a\u{1b}\">>}.\n{<<\"version\">>,<<\"1.0.0\">>}."];
        for text in HOSTILE.into_iter().chain(more) {
            let (said, flaw) = said(&HexDeps, PATH, text.as_bytes());
            assert!(said.is_empty() && flaw.is_some(), "{text}");
        }
    }
}
