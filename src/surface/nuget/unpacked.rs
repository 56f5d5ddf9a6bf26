//! Packages that NuGet unpacked.
//!
//! ```text
//! ~/.nuget/packages/ID/VERSION/                `$NUGET_PACKAGES`, `globalPackagesFolder`; NuGetFallbackFolder of an SDK
//! ├── ID.nuspec                                XML: <id>, <version>
//! ├── ID.VERSION.nupkg, .nupkg.sha512, .nupkg.metadata
//! └── lib/, build/, tools/                     the code
//! ~/.dotnet/tools/.store/ID/VERSION/ID/VERSION/ID.nuspec      a program that `dotnet tool install` put there; `--tool-path DIR`: DIR/.store
//! ```
//!
//! Builds and analyzers take the code from the first place, where no project says so nothing does: a hit proves that it was fetched. In the
//! second it is a program that somebody installed. NuGet runs nothing of a package when it restores it. Documented in "Managing the global packages, cache, and
//! temp folders" of NuGet and "dotnet tool install".

use super::{
    package,
    xml::{Event, read},
};
use crate::{
    ecosystem::{
        normal_name,
        nuget::{TOOL, unit, unpacked},
        same_version,
    },
    fact::{Ecosystem, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
    tree::Kind,
};

const FILE: usize = 1 << 20;
/// Where programs are kept.
const STORE: &[u8] = b".store";

/// `ID/VERSION/ID.nuspec`.
pub struct Unpacked;

static META: Meta = Meta {
    id: "nuget/unpacked",
    title: "packages that NuGet unpacked, and programs among them",
    proves: "the code was fetched; of a program, that it is installed; not that it was built in or ran",
};

impl Surface for Unpacked {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, _: bool) -> Option<Unit> {
        let folder = tool(path)?;
        Some(unit(folder.clone(), folder, TOOL))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::suffix(".nuspec")]
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        let (_, name, version) = unpacked(path).filter(|_| kind != Kind::Dir)?;
        Some((path.clone(), Fact::Named(package(&name, &version, placement(path))?)))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        let Some(found) = unpacked(&path).and_then(|(_, name, version)| package(&name, &version, placement(&path)))
        else {
            return Ok(());
        };
        let at = file.mtime("mtime of the nuspec");
        let known = file.interest.knows_package(Ecosystem::Nuget, &found.name);
        let own = described(&text(file.all(FILE)?), found.placement);
        match own {
            Some(own) if own.name != found.name || !same_version(Ecosystem::Nuget, &own.version, &found.version) => {
                let what = format!(
                    "its folder says {} {}, the nuspec says {} {}",
                    found.name, found.version, own.name, own.version
                );
                out.push(None, Fact::Disagreement { names: [(*found.name).into(), (*own.name).into()], what });
                out.push(at.clone(), Fact::Named(found));
                out.push(at, Fact::Package(own));
            }
            Some(_) => out.push(at, Fact::Package(found)),
            None => {
                out.push(at, Fact::Named(found));
                if known {
                    return Err(Flaw::malformed("nuspec", "it says no id or no version"));
                }
            }
        }
        Ok(())
    }
}

/// `.store/ID/VERSION` of a file of an installed program.
fn tool(path: &TreePath) -> Option<TreePath> {
    let (folder, ..) = unpacked(path)?;
    let own = folder.parent().parent();
    (own.parent().parent().name() == STORE).then_some(own)
}

fn placement(path: &TreePath) -> Placement {
    if tool(path).is_some() { Placement::Loadable } else { Placement::Cached }
}

/// What a nuspec says of its package.
pub fn described(text: &str, placement: Placement) -> Option<Package> {
    let (mut id, mut version) = (None, None);
    let mut depth = 0_usize;
    read(text, &mut |event| match event {
        Event::Open { closed, .. } => depth += usize::from(!closed),
        Event::Close { name, text, .. } => {
            // <package><metadata><id>
            match (name, depth) {
                ("id", 3) => id = id.or(Some(text)),
                ("version", 3) => version = version.or(Some(text)),
                _ => {}
            }
            depth = depth.saturating_sub(1);
        }
    });
    package(&normal_name(Ecosystem::Nuget, id?), version?, placement)
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    const PLACE: &str = "h/.nuget/packages/a.b/1.2.3/a.b.nuspec";

    fn spec(id: &str, version: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<package xmlns=\"x\"><metadata minClientVersion=\"3\"><id>{id}</id>\n<version>{version}</version><dependencies><group><dependency id=\"C\" version=\"9\" />\
                 </group></dependencies></metadata></package>"
        )
    }

    fn read(path: &str, text: &str) -> (Vec<String>, Option<String>) {
        said(&Unpacked, path, text.as_bytes(), &["a.b"])
    }

    #[test]
    fn packages_and_programs_are_found() {
        let good = spec("A.B", "1.2.3.0");
        assert_eq!(read(PLACE, &good), (vec!["package a.b 1.2.3 Cached".into()], None));
        let tool = "h/.dotnet/tools/.store/a.b/1.2.3/a.b/1.2.3/a.b.nuspec";
        assert_eq!(read(tool, &good), (vec!["package a.b 1.2.3 Loadable".into()], None));
        let unit = Unpacked.unit(&TreePath::new(tool.as_bytes()).unwrap(), false).unwrap();
        assert_eq!((unit.root.text(), unit.kind), ("/h/.dotnet/tools/.store/a.b/1.2.3".into(), TOOL));
        assert_eq!(Unpacked.unit(&TreePath::new(PLACE.as_bytes()).unwrap(), false), None);
    }

    #[test]
    fn a_nuspec_of_another_package_disagrees() {
        let (said, flaw) = read(PLACE, &spec("Harmless", "1.0.0"));
        let says = "disagreement its folder says a.b 1.2.3, the nuspec says harmless 1.0.0";
        assert_eq!(said, [says, "named a.b 1.2.3 Cached", "package harmless 1.0.0 Cached"]);
        assert!(flaw.is_none());
    }

    #[test]
    fn look_alikes_and_broken_files() {
        for path in ["src/a.b.nuspec", "h/a.b/x/a.b.nuspec", "h/a.b/1.2.3/c.nuspec", "h/1.2.3/a.b.nuspec"] {
            assert_eq!(read(path, &spec("A.B", "1.2.3")), (vec![], None), "{path}");
        }
        let deep = "<a>".repeat(10_000);
        for text in
            ["", "<", "\u{0}", "<package><metadata><id>A.B</id>", &spec("a\u{1b}", "1"), &spec("A.B", "x"), &deep]
        {
            let (said, flaw) = read(PLACE, text);
            assert_eq!((said, flaw.is_some()), (vec!["named a.b 1.2.3 Cached".to_owned()], true), "{text}");
        }
    }
}
