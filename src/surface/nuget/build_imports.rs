//! What packages add to the builds of a project of .NET.
//!
//! ```text
//! project/obj/App.csproj.nuget.g.props         written by a restore, read by each build
//! project/obj/App.csproj.nuget.g.targets
//! │   <Import Project="$(NuGetPackageRoot)a/1.2.3/build/A.targets" Condition="Exists('…')" />
//! ```
//!
//! MSBuild reads the `.props` and `.targets` of the package, and runs the tasks in them, with each build and whenever an editor opens the
//! project. A hit proves that the builds of the project load the version; not that one was made since. Documented in "MSBuild .props
//! and .targets in a package" of NuGet.

use std::collections::HashSet;

use super::{
    package,
    xml::{Event, attribute, read},
};
use crate::{
    ecosystem::nuget::{PROJECT, unit},
    fact::{Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

const FILE: usize = 4 << 20;
const ENTRIES: usize = 5_000;
/// Folders of a package that builds read.
const FOLDERS: [&str; 4] = ["build", "buildTransitive", "buildMultiTargeting", "buildCrossTargeting"];

/// `*.nuget.g.targets`.
pub struct BuildImports;

static META: Meta = Meta {
    id: "nuget/build-imports",
    title: "what packages add to the builds of .NET",
    proves: "the builds of the project load the version; not that one was made",
};

impl Surface for BuildImports {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, _: bool) -> Option<Unit> {
        Some(unit(path.parent(), path.parent().parent(), PROJECT))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::suffix(".nuget.g.targets"), Claim::suffix(".nuget.g.props")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of what a restore wrote");
        let text = text(file.all(FILE)?);
        let mut known = HashSet::new();
        let whole = read(&text, &mut |event| {
            if let Event::Open { name: "Import", attributes, line, .. } = event
                && let Some(found) = attribute(attributes, "Project").and_then(imported)
                && known.len() < ENTRIES
                && known.insert((found.name.clone(), found.version.clone()))
            {
                out.push_at(None, Some(line), at.clone(), Fact::Package(found));
            }
        });
        if whole { Ok(()) } else { Err(Flaw::malformed("nuget.g.targets", "it is no XML whose elements end")) }
    }
}

/// `$(NuGetPackageRoot)a/1.2.3/build/A.targets`
fn imported(path: &str) -> Option<Package> {
    let path = path.rsplit("$(NuGetPackageRoot)").next()?;
    let parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !part.is_empty()).take(100).collect();
    let at = parts.iter().position(|part| FOLDERS.contains(part))?;
    package(parts.get(at.checked_sub(2)?)?, parts.get(at.checked_sub(1)?)?, Placement::Loadable)
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&BuildImports, "p/obj/App.csproj.nuget.g.targets", text.as_bytes(), &[])
    }

    #[test]
    fn imports_of_packages_are_read() {
        for path in [
            "$(NuGetPackageRoot)a.b/1.2.3/build/A.B.targets",
            "$(NuGetPackageRoot)\\a.b\\1.2.3\\buildTransitive\\net6.0\\A.B.targets",
            "/root/.nuget/packages/a.b/1.2.3/buildMultiTargeting/A.B.targets",
        ] {
            let text = format!(
                "<Project>\n<ImportGroup Condition=\"x\">\n<Import Project=\"{path}\" Condition=\"Exists('{path}')\" />\n</ImportGroup></Project>"
            );
            assert_eq!(read(&text), (vec!["package a.b 1.2.3 Loadable@3".into()], None), "{path}");
        }
        let unit = BuildImports.unit(&TreePath::new(b"p/obj/a.nuget.g.props").unwrap(), false).unwrap();
        assert_eq!((unit.folder.text(), unit.root.text(), unit.kind), ("/p/obj".into(), "/p".into(), PROJECT));
    }

    #[test]
    fn other_imports_and_broken_files() {
        for path in
            ["build/x.targets", "1.0/build/x", "$(X)/y.targets", "a/b/build/x.targets", "a\u{1b}/1.0/build/x", ""]
        {
            assert_eq!(read(&format!("<Project><Import Project=\"{path}\" /></Project>")), (vec![], None), "{path}");
        }
        for text in ["", "<Project>", "\u{0}", "<Project><Import Project=\"a"] {
            assert!(read(text).1.is_some(), "{text}");
        }
    }
}
