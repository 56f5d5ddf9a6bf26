//! What a restore of a project of .NET chose.
//!
//! ```text
//! project/obj/project.assets.json              ~/.dotnet/tools/.store/ID/VERSION/project.assets.json of a tool
//! │   "libraries": { "A/1.2.3": { "type": "package", "sha512": "<base64>", "path": "a/1.2.3" } }
//! │   "targets": { "net8.0": { "A/1.2.3": { "dependencies": { "B": "1.0.0" } } } }
//! ```
//!
//! A hit proves that the project resolved to the version, and that a restore ended; the bytes are in the packages folder. Documented in "How
//! does PackageReference restore work" of NuGet's "Package restore".

use super::libraries;
use crate::{
    fact::{Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

/// The largest of real solutions have some ten megabytes.
const FILE: usize = 64 << 20;

/// `project.assets.json`.
pub struct Assets;

static META: Meta = Meta {
    id: "nuget/assets",
    title: "what a restore of .NET chose",
    proves: "the project resolved to the version, and a restore fetched it; not that it was built",
};

impl Surface for Assets {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("project.assets.json")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        let starts = text.trim_start().starts_with('{') && text.contains("\"targets\"");
        (starts && text.contains("\"type\": \"package\"") && !text.contains("\"runtimeTarget\""))
            .then_some("obj/project.assets.json")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of project.assets.json");
        libraries::push(&text(file.all(FILE)?), "project.assets.json", Placement::Listed, at.as_ref(), out)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};
    use crate::{fact::Fact, surface::python::trial::tried};

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&Assets, "p/obj/project.assets.json", text.as_bytes(), &[])
    }

    const TEXT: &str = "{\n\"version\": 3,\n\"targets\": {\"net8.0\": {\"A.B/1.2.3\": {\"type\": \"package\", \"dependencies\": {\"C\": \"[1.0.0, )\"}}}},\n\
                        \"libraries\": {\n\"A.B/1.2.3\": {\"sha512\": \"z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\", \"type\": \"package\"},\n\
                        \"Own/1.0.0\": {\"type\": \"project\", \"path\": \"../Own/Own.csproj\"}\n},\n\"project\": {}\n}";

    #[test]
    fn packages_are_read_with_what_they_need() {
        assert_eq!(read(TEXT), (vec!["package a.b 1.2.3 Listed@5".into()], None));
        let tried = tried(&Assets, "p/obj/project.assets.json", TEXT.as_bytes(), &Interest::default());
        let Fact::Package(p) = &tried.seen[0].fact else { panic!() };
        assert_eq!(p.requires.iter().map(|r| &*r.text).collect::<Vec<_>>(), ["C [1.0.0, )"]);
        // Of the empty text, by `sha512sum`.
        assert!(p.artifacts[0].digest.as_deref().unwrap().starts_with("sha512:cf83e1357eefb8bd"));
    }

    #[test]
    fn hostile_files_are_gaps() {
        for bad in ["A", "A/x", "A\\u001b/1.0", "/1.0", "A b/1.0"] {
            let text = format!(
                "{{\"libraries\": {{\"A/1.0\": {{\"type\": \"package\"}}, \"{bad}\": {{\"type\": \"package\"}}}}}}"
            );
            let (said, flaw) = read(&text);
            assert_eq!((said.len(), flaw.is_some()), (1, true), "{bad}");
        }
        for text in ["", "{", "[]", "\u{0}", &"[".repeat(100_000), &TEXT[..TEXT.len() - 40]] {
            assert!(read(text).1.is_some(), "{text}");
        }
        assert_eq!(read("{}"), (vec![], None));
        assert_eq!(read("{\"libraries\": 7}"), (vec![], None));
        let many: Vec<String> = (0..20_000).map(|n| format!("\"A{n}/1.0\": {{\"type\": \"package\"}}")).collect();
        assert_eq!(read(&format!("{{\"libraries\": {{{}}}}}", many.join(","))).0.len(), 20_000);
    }
}
