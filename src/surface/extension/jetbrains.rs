//! Installed plug-ins of JetBrains' products and of Android Studio.
//!
//! ```text
//! <plug-ins of a product>/PLUG-IN/lib/NAME.jar      META-INF/plugin.xml: <idea-plugin><id>com.acme.tool</id><version>1.2.3</version>
//! <plug-ins of a product>/NAME.jar                  a plug-in in one archive
//!
//! ~/.local/share/JetBrains/IntelliJIdea2026.1                                  Linux
//! ~/Library/Application Support/JetBrains/PyCharm2026.1/plugins                macOS
//! ~/AppData/Roaming/JetBrains/GoLand2026.1/plugins                             Windows
//! …/Google/AndroidStudio2025.2[/plugins]                                       Android Studio
//! ```
//!
//! One archive of a plug-in has the description; its name is the id where it says none. Plug-ins that come with the product stand elsewhere.
//! A hit proves that the version stands where the product loads it; not that it was switched on. Documented in "Plugin Configuration File"
//! and "Directories used by the IDE" of JetBrains.

use crate::{
    ecosystem::{
        is_version,
        jetbrains::{installed, is_id},
    },
    fact::{Ecosystem, Fact, Package, Placement},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        python::zip_directory::{each_member, read_member},
    },
};

const DESCRIPTION: u64 = 1 << 20;
const WHAT: &str = "plugin.xml";
/// Deeper elements are no description's.
const DEPTH: usize = 200;

/// `lib/*.jar` of plug-ins.
pub struct Jetbrains;

static META: Meta = Meta {
    id: "extension/jetbrains",
    title: "installed plug-ins of JetBrains' products",
    proves: "the version stands where the product loads it; not that it was switched on",
};

impl Surface for Jetbrains {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let folders = ["JetBrains", "Google"];
        folders
            .into_iter()
            .flat_map(|folder| [Claim::suffix(".jar").within(folder), Claim::name(WHAT).nested(folder, "META-INF")])
            .collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        let Some(plugin) = installed(&path) else { return Ok(()) };
        let at = file.mtime("mtime of the plug-in");
        let bytes = if path.name() == WHAT.as_bytes() {
            file.all(usize::try_from(DESCRIPTION).unwrap_or(usize::MAX))?.to_vec()
        } else if path == plugin || path.parent() == plugin.join(b"lib") {
            let mut zip = file.seekable()?;
            let mut found = None;
            each_member(&mut zip, &mut |name, member| {
                if name == b"META-INF/plugin.xml" {
                    found = Some(member);
                }
            })?;
            // Most archives are libraries.
            let Some(member) = found else { return Ok(()) };
            read_member(&mut zip, member, DESCRIPTION)?
        } else {
            return Ok(());
        };
        let text = String::from_utf8_lossy(&bytes);
        let Some(Described { id, name, version }) = described(&text) else {
            return Err(Flaw::malformed(WHAT, "it is no XML whose elements end"));
        };
        let id = id.or(name).filter(|id| is_id(id));
        // Part of a product, or of another plug-in.
        let (Some(id), Some(version)) = (id, version.filter(|v| is_version(Ecosystem::Jetbrains, v))) else {
            return Ok(());
        };
        out.push(at, Fact::Package(package(&id, &version)));
        Ok(())
    }
}

fn package(id: &str, version: &str) -> Package {
    Package {
        ecosystem: Ecosystem::Jetbrains,
        name: id.to_lowercase().into(),
        version: version.into(),
        placement: Placement::Loadable,
        requires: [].into(),
        artifacts: Vec::new(),
    }
}

/// What the elements right below the outermost say.
#[derive(Default)]
struct Described {
    id: Option<String>,
    name: Option<String>,
    version: Option<String>,
}

/// `None` where elements do not end.
fn described(text: &str) -> Option<Described> {
    let mut found = Described::default();
    let (mut rest, mut open) = (text, Vec::<&str>::new());
    let mut any = false;
    while let Some((before, behind)) = rest.split_once('<') {
        let end = match behind {
            comment if comment.starts_with("!--") => "-->",
            data if data.starts_with("![CDATA[") => "]]>",
            _ => ">",
        };
        let (tag, after) = behind.split_once(end)?;
        rest = after;
        if tag.starts_with(['!', '?']) {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/').map(str::trim) {
            (open.pop()? == name).then_some(())?;
            let value = || Some(before.trim().to_owned()).filter(|value| !value.is_empty());
            match (open.len(), name) {
                (1, "id") => found.id = found.id.or_else(value),
                (1, "name") => found.name = found.name.or_else(value),
                (1, "version") => found.version = found.version.or_else(value),
                _ => {}
            }
        } else if !tag.ends_with('/') {
            open.push(tag.split(|c: char| c.is_whitespace()).next().unwrap_or_default());
            any = true;
            (open.len() <= DEPTH).then_some(())?;
        }
    }
    (any && open.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::python::{archive::made::zip, trial::tried};

    const PLUGINS: &str = "home/a/.local/share/JetBrains/IntelliJIdea2026.1";

    fn said(path: &str, bytes: &[u8]) -> (Vec<String>, bool) {
        let tried = tried(&Jetbrains, path, bytes, &Interest::default());
        (tried.packages(), tried.flaw.is_some())
    }

    #[test]
    fn the_description_in_an_archive_counts() {
        let xml = "<?xml version=\"1.0\"?>\n<!-- <id>no</id> --><idea-plugin url=\"x\">\n <id>com.Acme.tool</id><name>Tool</name>\n\
                   <version>1.2.3</version><depends>com.other</depends>\n<description><![CDATA[<id>x</id>]]></description>\n\
                   <extensions><x><id>deep</id></x><y a=\"b\"/></extensions></idea-plugin>";
        let bytes = zip(&[("a/B.class", "x"), ("META-INF/plugin.xml", xml)]);
        for path in [format!("{PLUGINS}/tool/lib/tool.jar"), format!("{PLUGINS}/tool.jar")] {
            assert_eq!(said(&path, &bytes), (vec!["com.acme.tool 1.2.3 Loadable".to_owned()], false), "{path}");
        }
        assert_eq!(said(&format!("{PLUGINS}/tool/classes/META-INF/plugin.xml"), xml.as_bytes()).0.len(), 1);
        let by_name =
            zip(&[("META-INF/plugin.xml", "<idea-plugin><name>Key X</name><version>1.0</version></idea-plugin>")]);
        assert_eq!(said(&format!("{PLUGINS}/k/lib/k.jar"), &by_name).0, ["key x 1.0 Loadable"]);
        for path in [format!("{PLUGINS}/tool/lib/modules/x.jar"), "opt/idea/plugins/tool/lib/tool.jar".to_owned()] {
            assert_eq!(said(&path, &bytes), (vec![], false), "{path}");
        }
        assert_eq!(said(&format!("{PLUGINS}/tool/lib/x.jar"), &zip(&[("a", "b")])), (vec![], false));
    }

    #[test]
    fn damaged_archives_are_gaps() {
        let path = format!("{PLUGINS}/tool/lib/tool.jar");
        for bytes in [&b""[..], b"PK\x03\x04", b"no zip"] {
            assert!(said(&path, bytes).1);
        }
        let deep = "<a>".repeat(100_000);
        for xml in ["", "<idea-plugin>", "<a></b>", "<!--", "</a>", &deep] {
            assert!(said(&path, &zip(&[("META-INF/plugin.xml", xml)])).1, "{}", xml.len());
        }
    }
}
