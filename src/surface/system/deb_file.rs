//! Package files of Debian and what descends from it.
//!
//! ```text
//! var/cache/apt/archives/trivy_0.69.4_amd64.deb        NAME_VERSION_ARCHITECTURE; `%3a` stands for the colon of an epoch
//! ```
//!
//! A hit proves that the file is stored. Name and version are those of its name, by which apt knows it again; of a file that is no package
//! of Debian the name alone is known. Documented in deb(5).

use super::{is_name, package};
use crate::{
    ecosystem::is_version,
    fact::{Ecosystem, Fact, Placement, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

const MAGIC: &[u8] = b"!<arch>\ndebian-binary";

/// `*.deb`.
pub struct DebFile;

static META: Meta = Meta {
    id: "system/deb-file",
    title: "package files of Debian",
    proves: "the package is stored; not that it was installed",
};

impl Surface for DebFile {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::suffix(".deb")]
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        let (name, version) = by_name(path).filter(|_| kind != Kind::Dir)?;
        Some((path.clone(), Fact::Named(package(Ecosystem::Deb, name, &version, Placement::Cached)?)))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the package file");
        let Some((name, version)) = by_name(&file.entry.path) else {
            return Ok(());
        };
        let Some(stored) = package(Ecosystem::Deb, name, &version, Placement::Cached) else {
            return Ok(());
        };
        let is_package = file.head(MAGIC.len())?.starts_with(MAGIC);
        out.push(at, if is_package { Fact::Package(stored) } else { Fact::Named(stored) });
        Ok(())
    }
}

fn by_name(path: &TreePath) -> Option<(&str, String)> {
    let (whole, _) = std::str::from_utf8(path.name()).ok()?.strip_suffix(".deb")?.rsplit_once('_')?;
    let (name, version) = whole.split_once('_').filter(|(name, _)| is_name(name))?;
    let version = version.replace("%3a", ":").replace("%3A", ":");
    is_version(Ecosystem::Deb, &version).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn of(name: &str, bytes: &[u8]) -> Vec<String> {
        said(&DebFile, &format!("var/cache/apt/archives/{name}"), bytes, &[])
    }

    #[test]
    fn a_stored_package_is_known_by_its_name() {
        let at = "2026-03-24T11:00:00Z";
        let bytes = b"!<arch>\ndebian-binary   1774350000  0     0     100644  4         `\n2.0\n";
        assert_eq!(of("trivy_0.69.4_amd64.deb", bytes), [format!("trivy 0.69.4 Cached {at}")]);
        assert_eq!(of("vim_2%3a9.0.1378-2_amd64.deb", bytes), [format!("vim 2:9.0.1378-2 Cached {at}")]);
        assert_eq!(of("trivy_0.69.4_amd64.deb", b""), [format!("named trivy 0.69.4 Cached {at}")]);
        assert_eq!(of("trivy_0.69.4_amd64.deb", b"!<arch>\nother"), [format!("named trivy 0.69.4 Cached {at}")]);
    }

    #[test]
    fn other_names_name_no_version() {
        for name in
            ["trivy.deb", "trivy_0.69.4.deb", "trivy_latest_amd64.deb", "_1_amd64.deb", ".deb", "tr ivy_1_amd64.deb"]
        {
            assert_eq!(of(name, MAGIC), [""; 0], "{name}");
        }
    }
}
