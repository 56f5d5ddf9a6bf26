//! Programs of .NET, by the list of packages that was built beside them.
//!
//! ```text
//! app/App.deps.json                    beside App.dll: what a build or `dotnet publish` put there; tools and the SDK have theirs too
//! │   "runtimeTarget": { "name": ".NETCoreApp,Version=v8.0" },
//! │   "libraries": { "A/1.2.3": { "type": "package", "sha512": "sha512-<base64>" }, "App/1.0.0": { "type": "project" } }
//! ```
//!
//! The host of .NET reads it to find what it loads. A hit proves that the version was built into a program that stands there; not that it ran.
//! A program in one file has none beside it. Documented in ".NET runtime configuration files".

use super::libraries;
use crate::{
    ecosystem::nuget::{PROGRAM, unit},
    fact::{Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

const FILE: usize = 32 << 20;

/// `*.deps.json`.
pub struct Program;

static META: Meta = Meta {
    id: "nuget/program",
    title: "programs of .NET, by the packages in them",
    proves: "the version was built into a program that stands there; not that it ran",
};

impl Surface for Program {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, _: bool) -> Option<Unit> {
        Some(unit(path.parent(), path.parent(), PROGRAM))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::suffix(".deps.json")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (text.contains("\"runtimeTarget\"") && text.contains("\"targets\"")).then_some("x/x.deps.json")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the list of packages");
        let text = text(file.all(FILE)?);
        // Others call files so too.
        if !text.contains("\"libraries\"") && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok() {
            out.not_mine();
            return Ok(());
        }
        libraries::push(&text, "deps.json", Placement::Loadable, at.as_ref(), out)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&Program, "srv/app/App.deps.json", text.as_bytes(), &[])
    }

    #[test]
    fn packages_of_a_program_are_read() {
        let text = "{\"runtimeTarget\": {\"name\": \".NETCoreApp,Version=v8.0\"}, \"targets\": {},\n\"libraries\": {\"App/1.0.0\": {\"type\": \"project\"},\n\
                    \"A.B/1.2.3\": {\"type\": \"package\", \"serviceable\": true, \"sha512\": \"\"}}}";
        assert_eq!(read(text), (vec!["package a.b 1.2.3 Loadable@3".into()], None));
        let unit = Program.unit(&TreePath::new(b"srv/app/App.deps.json").unwrap(), false).unwrap();
        assert_eq!((unit.folder.text(), unit.kind), ("/srv/app".into(), PROGRAM));
    }

    #[test]
    fn other_and_broken_files() {
        assert_eq!(read("{\"x\": [1]}"), (vec![], None));
        for text in ["", "{", "{\"libraries\"", "\u{0}", "{\"libraries\": {\"A\": {}}}"] {
            let (said, flaw) = read(text);
            assert_eq!((said, flaw.is_some()), (vec![], true), "{text}");
        }
    }
}
