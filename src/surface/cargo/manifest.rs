//! What a project in Rust asks for in one version alone.
//!
//! ```text
//! project/Cargo.toml
//! │   [dependencies]                                also dev-dependencies, build-dependencies, workspace.dependencies,
//! │   arrayref = "=0.3.10"                          target.'cfg(unix)'.dependencies
//! │   a = { version = "=1.0.0", package = "b" }     `b` under another name
//! ```
//!
//! Only `=` with a whole version names one: `"0.3.10"` is a range, and what it gave stands in Cargo.lock. A dependency from a folder or a
//! repository is no registry's. A hit proves that the project asks for the version; not that it was fetched or built. Documented in
//! "Specifying Dependencies" of the Cargo Book.

use toml::de::{DeTable, DeValue};

use super::package;
use crate::{
    ecosystem::cargo::{is_checkout, is_name, is_unpacked, is_version},
    fact::{Ecosystem, Fact, Package, Placement, TreePath},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::{has_line, text},
        python::toml_doc::{Lines, field, parse, string, table},
    },
};

const FILE: usize = 4 << 20;

/// `Cargo.toml` of projects.
pub struct Manifest;

static META: Meta = Meta {
    id: "cargo/manifest",
    title: "manifests of projects in Rust",
    proves: "the project asks for this very version; not that it was fetched or built",
};

impl Surface for Manifest {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("Cargo.toml")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        let package = has_line(&text, "[package]") || has_line(&text, "[workspace]");
        (package && (has_line(&text, "[dependencies]") || text.contains("edition = \""))).then_some("Cargo.toml")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if is_of_crate(&file.entry.path) {
            return Ok(());
        }
        let (at, interest) = (file.mtime("mtime of Cargo.toml"), file.interest);
        let text = text(file.all(FILE)?);
        let document = parse(&text, "Cargo.toml")?;
        let lines = Lines::new(&text, 0);
        for dependencies in tables(&document) {
            for (key, value) in dependencies.iter() {
                let Some((name, version)) = pin(key.get_ref(), value.get_ref()) else {
                    continue;
                };
                if version == Package::ANY && !interest.knows_package(Ecosystem::Cargo, name) {
                    continue;
                }
                let fact = Fact::Package(package(name, version, Placement::Listed));
                out.push_at(None, lines.line_of(&key.span()), at.clone(), fact);
            }
        }
        Ok(())
    }
}

/// Whether a manifest is one of a crate that was fetched: what those ask for stands in the lock file.
fn is_of_crate(path: &TreePath) -> bool {
    is_unpacked(path) || is_checkout(path) || path.components().any(|part| part == b"vendor")
}

const TABLES: [&str; 5] =
    ["dependencies", "dev-dependencies", "build-dependencies", "dev_dependencies", "build_dependencies"];

/// The tables of dependencies.
fn tables<'a, 't>(top: &'a DeTable<'t>) -> Vec<&'a DeTable<'t>> {
    let targets = table(top, "target").into_iter().flat_map(|all| all.iter());
    let targets = targets.filter_map(|(_, target)| target.get_ref().as_table());
    let holders = targets.chain([top]).chain(table(top, "workspace"));
    holders.flat_map(|holder| TABLES.iter().filter_map(|name| table(holder, name))).collect()
}

/// The one version that a dependency asks for, or any.
fn pin<'a>(key: &'a str, value: &'a DeValue<'_>) -> Option<(&'a str, &'a str)> {
    let of = value.as_table();
    if of.is_some_and(|t| ["git", "path", "workspace"].iter().any(|other| field(t, other).is_some())) {
        return None;
    }
    let name = of.and_then(|t| string(t, "package")).unwrap_or(key);
    let asked = value.as_str().or_else(|| string(of?, "version"))?;
    let version = asked.trim().strip_prefix('=').map_or("", str::trim);
    is_name(name).then_some((name, if is_version(version) { version } else { Package::ANY }))
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&Manifest, "p/Cargo.toml", text.as_bytes(), &[])
    }

    #[test]
    fn one_version_is_named_in_each_table() {
        let text = "[package]\nname = \"app\"\nversion = \"0.3.10\"\n[dependencies]\narrayref = \"=0.3.10\"\nx = { version = \"= 1.0.0\", \
                    package = \"internment\" }\n[dependencies.y]\nversion = \"=2.0.0-rc.1\"\n[dev-dependencies]\na = \
                    \"=1.0.0\"\n[target.'cfg(unix)'.build-dependencies]\nb = \"=1.0.0\"\n[workspace.dependencies]\nc_d = \"=1.0.0\"\n";
        let mut found = read(text).0;
        found.sort();
        let is = [
            "package a 1.0.0 Listed@10",
            "package arrayref 0.3.10 Listed@5",
            "package b 1.0.0 Listed@12",
            "package c-d 1.0.0 Listed@14",
            "package internment 1.0.0 Listed@6",
            "package y 2.0.0-rc.1 Listed@7",
        ];
        assert_eq!(found, is);
    }

    #[test]
    fn ranges_folders_repositories_and_comments_name_none() {
        for line in [
            "arrayref = \"0.3.10\"",
            "arrayref = \"^0.3.10\"",
            "arrayref = \"=0.3\"",
            "arrayref = \"=0.3.10, <1\"",
            "arrayref = \"*\"",
            "arrayref = { path = \"../a\", version = \"=0.3.10\" }",
            "arrayref = { git = \"https://host.example/a\", version = \"=0.3.10\" }",
            "arrayref.workspace = true",
            "# arrayref = \"=0.3.10\"",
            "\"a\\u001b\" = \"=0.3.10\"",
            "arrayref = 1",
        ] {
            assert_eq!(read(&format!("[dependencies]\n{line}\n")), (vec![], None), "{line}");
        }
        assert_eq!(read("[features]\narrayref = \"=0.3.10\"\n"), (vec![], None));
        for path in [
            "p/vendor/x/Cargo.toml",
            "h/.cargo/registry/src/h/x-1.0.0/Cargo.toml",
            "h/.cargo/git/checkouts/x/1/Cargo.toml",
        ] {
            assert_eq!(
                said(&Manifest, path, b"[dependencies]\narrayref = \"=0.3.10\"\n", &[]),
                (vec![], None),
                "{path}"
            );
        }
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in ["{{ x }}".to_owned(), "[".repeat(100_000), format!("x = {}", "[".repeat(100_000)), "\u{0}".into()]
        {
            let (said, flaw) = read(&text);
            assert_eq!((said, flaw.is_some()), (vec![], true));
        }
        assert_eq!(read("dependencies = 1"), (vec![], None));
    }
}
