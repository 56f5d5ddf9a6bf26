//! Packed packages of NuGet, in its folders and anywhere else.
//!
//! ```text
//! ~/.nuget/packages/ID/VERSION/ID.VERSION.nupkg     beside what was unpacked from it
//! solution/packages/ID.VERSION/ID.VERSION.nupkg     of projects with a packages.config: what builds take
//! ~/.local/share/NuGet/Cache/ID.VERSION.nupkg       NuGet 2; `%LocalAppData%`; feeds that are folders
//! ~/.local/share/NuGet/http-cache/<hash>$…/nupkg_ID.VERSION.dat     the answer of a feed; v3-cache elsewhere
//! └── ID.nuspec                                     a member at the root of the zip: <id>, <version>
//! ```
//!
//! A hit proves that the bytes were fetched; not that anything was built with them. Where the name of the file says nothing, or a name that an
//! indicator knows, its nuspec is read as well. Documented in "Anatomy of a package" of NuGet.

use super::{package, unpacked::described};
use crate::{
    ecosystem::{
        nuget::{full_name, unpacked},
        same_version,
    },
    fact::{Artifact, Ecosystem, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::text,
        python::zip_directory::{each_member, read_member},
    },
    tree::Kind,
};

/// What of a nuspec is unpacked.
const SPEC: u64 = 1 << 20;

/// `*.nupkg`.
pub struct Packed;

static META: Meta = Meta {
    id: "nuget/packed",
    title: "packed packages of NuGet",
    proves: "the bytes were fetched; not that anything was built with them",
};

impl Surface for Packed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::suffix(".nupkg"), Claim::affix("nupkg_", ".dat")]
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        let found = by_name(path).filter(|_| kind != Kind::Dir)?;
        Some((path.clone(), Fact::Named(found)))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        let (at, interest) = (file.mtime("mtime of the package"), file.interest);
        let knows = |p: &Package| interest.knows_package(Ecosystem::Nuget, &p.name);
        let named = by_name(&path);
        let known = named.as_ref().is_some_and(knows);
        let inside = if known || named.is_none() { inside(file) } else { Ok(None) };
        let (inside, flaw) = match inside {
            Ok(inside) => (inside, None),
            Err(flaw) => (None, Some(flaw)),
        };
        let hashed = known || inside.as_ref().is_some_and(knows);
        let sha256 = if hashed { file.sha256_or_gap(out) } else { None };
        let artifact = Artifact {
            name: std::str::from_utf8(path.name()).ok().map(str::to_owned),
            size: Some(file.entry.len),
            sha256,
            ..Artifact::default()
        };
        let with = |p: Package| Package { artifacts: vec![artifact.clone()], ..p };
        match (named, inside) {
            (Some(named), Some(own)) if !is_same(&named, &own) => {
                let what = format!(
                    "its file name says {} {}, its nuspec says {} {}",
                    named.name, named.version, own.name, own.version
                );
                out.push(None, Fact::Disagreement { names: [(*named.name).into(), (*own.name).into()], what });
                out.push(at.clone(), Fact::Named(with(named)));
                out.push(at, Fact::Package(with(own)));
            }
            (Some(named), None) if known => {
                out.push(at, Fact::Named(with(named)));
                return Err(flaw.unwrap_or(Flaw::malformed("nupkg", "it holds no nuspec with an id and a version")));
            }
            (Some(found), _) | (None, Some(found)) => out.push(at, Fact::Package(with(found))),
            (None, None) => {}
        }
        Ok(())
    }
}

fn is_same(a: &Package, b: &Package) -> bool {
    a.name == b.name && same_version(Ecosystem::Nuget, &a.version, &b.version)
}

/// By its folders, else by its own name.
fn by_name(path: &TreePath) -> Option<Package> {
    let placed = unpacked(path).and_then(|(_, name, version)| package(&name, &version, Placement::Cached));
    placed.or_else(|| {
        let name = std::str::from_utf8(path.name()).ok()?;
        let cached = || name.strip_prefix("nupkg_")?.strip_suffix(".dat");
        let stem = name.strip_suffix(".nupkg").or_else(cached)?;
        let (name, version) = full_name(stem.split([' ', '(']).next().unwrap_or(stem))?;
        // Symbols hold no code.
        let version = version.strip_suffix(".symbols").unwrap_or(version);
        package(name, version, Placement::Cached)
    })
}

/// By the nuspec in it.
fn inside(file: &mut Opened<'_, '_>) -> Result<Option<Package>, Flaw> {
    if !file.head(4)?.starts_with(b"PK") {
        return Err(Flaw::malformed("nupkg", "it is no archive"));
    }
    let mut zip = file.seekable()?;
    let mut spec = None;
    each_member(&mut zip, &mut |name, member| {
        if name.ends_with(b".nuspec") && !name.contains(&b'/') {
            spec = spec.or(Some(member));
        }
    })?;
    let Some(member) = spec else {
        return Ok(None);
    };
    let bytes = read_member(&mut zip, member, SPEC)?;
    Ok(described(&text(&bytes), Placement::Cached))
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};
    use crate::surface::python::archive::made::zip;

    fn packed(id: &str, version: &str) -> Vec<u8> {
        let spec = format!("<package><metadata><id>{id}</id><version>{version}</version></metadata></package>");
        zip(&[("_rels/.rels", "x"), ("A.B.nuspec", &spec), ("lib/x.nuspec", "y")])
    }

    fn read(path: &str, bytes: &[u8]) -> (Vec<String>, Option<String>) {
        said(&Packed, path, bytes, &["a.b"])
    }

    #[test]
    fn packages_are_found_under_any_name() {
        let bytes = packed("A.B", "1.2.3");
        for path in [
            "h/.nuget/packages/a.b/1.2.3/a.b.1.2.3.nupkg",
            "s/packages/A.B.1.2.3/A.B.1.2.3.nupkg",
            "h/A.B.1.2.3 (1).nupkg",
            "h/.local/share/NuGet/http-cache/0a$ps_index/nupkg_a.b.1.2.3.dat",
            "h/x.nupkg",
        ] {
            assert_eq!(read(path, &bytes), (vec!["package a.b 1.2.3 Cached".into()], None), "{path}");
        }
        assert_eq!(read("h/Other.2.4.0.0.nupkg", b"").0, ["package other 2.4.0.0 Cached"]);
        assert_eq!(read("h/x/1.0.0-rc.1/x.1.0.0-rc.1.nupkg", b"").0, ["package x 1.0.0-rc.1 Cached"]);
    }

    #[test]
    fn what_is_another_package_disagrees_with_its_name() {
        let (said, flaw) = read("h/A.B.1.2.3.nupkg", &packed("Harmless", "1.0"));
        let says = "disagreement its file name says a.b 1.2.3, its nuspec says harmless 1.0";
        assert_eq!(said, [says, "named a.b 1.2.3 Cached", "package harmless 1.0 Cached"]);
        assert!(flaw.is_none());
        for bytes in [b"".to_vec(), b"PK\x03\x04".to_vec(), zip(&[("x", "y")]), packed("a b", "1"), vec![0; 9000]] {
            let (said, flaw) = read("h/A.B.1.2.3.nupkg", &bytes);
            assert_eq!((said, flaw.is_some()), (vec!["named a.b 1.2.3 Cached".to_owned()], true));
        }
    }

    #[test]
    fn other_files_are_left_alone() {
        for bytes in [b"".to_vec(), b"PK".to_vec(), zip(&[("x", "y")]), vec![0; 5000]] {
            assert_eq!(read("h/x.nupkg", &bytes), (vec![], None));
        }
    }
}
