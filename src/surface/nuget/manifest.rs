//! What a project of .NET asks for in one version.
//!
//! ```text
//! project/App.csproj, .fsproj, .vbproj         <PackageReference Include="A" Version="1.2.3" />, or <Version> in it; VersionOverride
//! Directory.Packages.props                     <PackageVersion …>, <GlobalPackageReference …>
//! Directory.Build.props, .targets              references for all projects below
//! project/packages.config                      <package id="A" version="1.2.3" />: older projects, all that is installed
//! ```
//!
//! The lowest version that fits is taken, so that a bare version is that one; a range, `1.*` and `$(Property)` name none. A hit proves that the
//! project names the version; not that it was fetched or built. Documented in "PackageReference in project files", "Central Package
//! Management" and "packages.config reference" of NuGet.

use super::{
    exact, package,
    xml::{Event, attribute, read},
};
use crate::{
    fact::{Fact, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

const FILE: usize = 16 << 20;
const ENTRIES: usize = 20_000;
/// Elements that name a package.
const NAMES: [&str; 4] = ["PackageReference", "PackageVersion", "GlobalPackageReference", "DotNetCliToolReference"];

/// `*.csproj`.
pub struct Manifest;

static META: Meta = Meta {
    id: "nuget/manifest",
    title: "projects of .NET",
    proves: "the project names the version; not that it was fetched or built",
};

impl Surface for Manifest {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let names = ["packages.config", "Directory.Packages.props", "Directory.Build.props", "Directory.Build.targets"];
        let kinds = [".csproj", ".fsproj", ".vbproj"];
        names.map(Claim::name).into_iter().chain(kinds.map(Claim::suffix)).collect()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (text.contains("<Project") && NAMES.iter().any(|name| text.contains(name))).then_some("x.csproj")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the project file");
        let text = text(file.all(FILE)?);
        let (found, whole) = named(&text);
        for (line, name, version) in found {
            if let Some(package) = package(name, version, Placement::Listed) {
                out.push_at(None, Some(line), at.clone(), Fact::Package(package));
            }
        }
        if whole { Ok(()) } else { Err(Flaw::malformed("project file", "it is no XML whose elements end")) }
    }
}

/// Line, name and version of what a text names, and whether it is whole.
fn named(text: &str) -> (Vec<(u32, &str, &str)>, bool) {
    let mut found = Vec::new();
    let mut all = true;
    // The name of the element that is open, and where it began.
    let mut open: Option<(u32, &str, &str)> = None;
    let whole = read(text, &mut |event| {
        if found.len() >= ENTRIES {
            all = false;
            return;
        }
        match event {
            Event::Open { name: "package", attributes, line, .. } => {
                let both = attribute(attributes, "id").zip(attribute(attributes, "version"));
                found.extend(both.map(|(id, version)| (line, id, version)));
            }
            Event::Open { name, attributes, line, closed } if NAMES.contains(&name) => {
                let id = attribute(attributes, "Include").or_else(|| attribute(attributes, "Update"));
                let asked = attribute(attributes, "VersionOverride").or_else(|| attribute(attributes, "Version"));
                found.extend(id.zip(asked.and_then(exact)).map(|(id, version)| (line, id, version)));
                open = id.filter(|_| !closed && asked.is_none()).map(|id| (line, name, id));
            }
            Event::Close { name: "Version" | "VersionOverride", text, .. } => {
                let id = open.map(|(line, _, id)| (line, id));
                found.extend(id.zip(exact(text)).map(|((line, id), version)| (line, id, version)));
            }
            Event::Close { name, .. } if open.is_some_and(|(_, is, _)| is == name) => open = None,
            _ => {}
        }
    });
    (found, whole && all)
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn read(name: &str, text: &str) -> (Vec<String>, Option<String>) {
        said(&Manifest, &format!("p/{name}"), text.as_bytes(), &[])
    }

    fn of(inner: &str) -> String {
        format!("<Project Sdk=\"Microsoft.NET.Sdk\">\n<ItemGroup>\n{inner}\n</ItemGroup>\n</Project>\n")
    }

    #[test]
    fn references_in_one_version_are_read() {
        for inner in [
            "<PackageReference Include=\"A.B\" Version=\"1.2.3\" />",
            "<PackageReference Version='[1.2.3]' Include='A.B' Condition=\"'$(X)' > '1'\"/>",
            "<PackageVersion Include=\"A.B\" Version=\"1.2.3\" />",
            "<PackageReference Update=\"A.B\" VersionOverride=\"1.2.3\" />",
            "<PackageReference Include=\"A.B\"><PrivateAssets>all</PrivateAssets>\n<Version>1.2.3</Version></PackageReference>",
            "<GlobalPackageReference Include=\"A.B\" Version=\" 1.2.3 \" />",
        ] {
            let is = vec!["package a.b 1.2.3 Listed@3".to_owned()];
            assert_eq!(read("a.csproj", &of(inner)), (is, None), "{inner}");
        }
        let config = "<?xml version=\"1.0\"?>\n<packages>\n<package id=\"A.B\" version=\"1.2.3\" targetFramework=\"net48\" />\n</packages>";
        assert_eq!(read("packages.config", config), (vec!["package a.b 1.2.3 Listed@3".into()], None));
    }

    #[test]
    fn ranges_properties_comments_and_others_name_nothing() {
        for inner in [
            "<PackageReference Include=\"A.B\" />",
            "<PackageReference Include=\"A.B\" Version=\"1.*\" />",
            "<PackageReference Include=\"A.B\" Version=\"[1.0,2.0)\" />",
            "<PackageReference Include=\"A.B\" Version=\"$(V)\" />",
            "<PackageReference Include=\"\" Version=\"1.0\" />",
            "<PackageReference Remove=\"A.B\" Version=\"1.0\" />",
            "<ProjectReference Include=\"A.B\" Version=\"1.0\" />",
            "<!-- <PackageReference Include=\"A.B\" Version=\"1.2.3\" /> -->",
            "<PackageReference Include=\"A.B\"></PackageReference><Version>1.2.3</Version>",
        ] {
            assert_eq!(read("a.csproj", &of(inner)), (vec![], None), "{inner}");
        }
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in ["", "<", "<Project>", "\u{0}", "text", &"<a>".repeat(10_000)] {
            let found = read("a.csproj", text);
            assert!(found.0.is_empty() && found.1.is_some(), "{text}");
        }
        let one = "<PackageReference Include=\"A.B\" Version=\"1.2.3\" />";
        let (said, flaw) = read("a.csproj", &of(&format!("{one}\n<<<<<<< HEAD\n")));
        assert_eq!((said.len(), flaw.is_some()), (1, true));
        for bad in ["a\u{1b}", "a b", "../x", "a;b"] {
            assert_eq!(read("a.csproj", &of(&one.replace("A.B", bad))).0, [""; 0], "{bad}");
        }
        assert_eq!(read("a.csproj", &of(&one.repeat(15_000))).0.len(), 15_000);
    }
}
