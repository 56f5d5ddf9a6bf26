//! Programs that a project of .NET runs, and what its builds load before they read the project.
//!
//! ```text
//! project/.config/dotnet-tools.json            or dotnet-tools.json: { "tools": { "dotnet-ef": { "version": "8.0.0", "commands": ["dotnet-ef"] } } }
//! project/global.json                          { "msbuild-sdks": { "A.Sdk": "1.2.3" } }
//! ```
//!
//! A hit proves that the project names the version; not that it was fetched or ran. Documented in ".NET local tools" and "global.json overview".

use super::package;
use crate::{
    fact::{Fact, Placement, TreePath, Unit},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::text,
        node::json::{Lines, flaw, stream, without_comments},
    },
};

const FILE: usize = 4 << 20;
const ENTRIES: usize = 5_000;
const WHAT: &str = "list of tools";

/// `dotnet-tools.json`, `global.json`.
pub struct Tools;

static META: Meta = Meta {
    id: "nuget/tools",
    title: "programs that projects of .NET name",
    proves: "the project names the version; not that it was fetched or ran",
};

impl Surface for Tools {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("dotnet-tools.json"), Claim::name("global.json")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the list");
        // Others have a `global.json` too.
        let strict = file.entry.path.name() == b"dotnet-tools.json";
        let text = without_comments(&text(file.all(FILE)?));
        let (mut lines, mut count, mut whole) = (Lines::new(&text), 0, true);
        let read = stream(&text, &["tools", "msbuild-sdks"], &mut |section, name, entry| {
            let version = if section == "tools" { entry.text_of("version") } else { entry.text() };
            count += 1;
            match version.and_then(|version| package(&name, version, Placement::Listed)).filter(|_| count <= ENTRIES) {
                Some(found) => out.push_at(None, lines.line_of(&name), at.clone(), Fact::Package(found)),
                None => whole = false,
            }
        });
        match read {
            Err(error) if strict || text.contains("\"msbuild-sdks\"") => Err(flaw(&error, WHAT)),
            Ok(()) if strict && !whole => Err(Flaw::malformed(WHAT, "a tool without a proper name and version")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn read(name: &str, text: &str) -> (Vec<String>, Option<String>) {
        said(&Tools, &format!("p/{name}"), text.as_bytes(), &[])
    }

    #[test]
    fn tools_and_sdks_are_read() {
        let tools = "{\n\"version\": 1,\n\"isRoot\": true,\n\"tools\": {\n\"Dotnet-EF\": {\"version\": \"8.0.0\", \"commands\": [\"dotnet-ef\"]}\n}\n}";
        assert_eq!(read("dotnet-tools.json", tools), (vec!["package dotnet-ef 8.0.0 Listed@5".into()], None));
        let global = "{ // c\n\"sdk\": {\"version\": \"8.0.100\"},\n\"msbuild-sdks\": {\"A.Sdk\": \"1.2.3\",}\n}";
        assert_eq!(read("global.json", global), (vec!["package a.sdk 1.2.3 Listed@3".into()], None));
    }

    #[test]
    fn other_and_broken_files() {
        for text in ["{}", "{\"sdk\": {\"version\": \"8.0.100\"}}", "[1]", "{", "x", "{\"tools\": 7}"] {
            assert_eq!(read("global.json", text), (vec![], None), "{text}");
        }
        for text in
            ["", "{", "\u{0}", "{\"tools\": {\"a\": {}}}", "{\"tools\": {\"a\\u001b\": {\"version\": \"1.0\"}}}"]
        {
            let (said, flaw) = read("dotnet-tools.json", text);
            assert_eq!((said, flaw.is_some()), (vec![], true), "{text}");
        }
    }
}
