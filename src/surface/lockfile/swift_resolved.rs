//! What the Swift Package Manager and Xcode resolved.
//!
//! ```text
//! project/Package.resolved                       X.xcodeproj/project.xcworkspace/xcshareddata/swiftpm/Package.resolved
//! │   version 1: { "object": { "pins": [ { "package": "A", "repositoryURL": "https://…", "state": { "version": "1.2.3", "revision": … } } ] } }
//! │   version 2, 3: { "pins": [ { "identity": "a", "kind": "remoteSourceControl", "location": "https://…", "state": { … } } ] }
//! ```
//!
//! A pin of a branch or a commit alone has no version. A hit proves that the project resolves to the version; not that it was fetched or
//! built. Documented in "Package dependencies" of the Swift Package Manager, the form by its code.

use super::{ENTRIES, package, whole};
use crate::{
    ecosystem::swift::repository,
    fact::{Ecosystem, Fact, Placement, TreePath, Unit},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::text,
        node::json::{Lines, Node, flaw},
    },
};

const FILE: usize = 8 << 20;
const WHAT: &str = "Package.resolved";

/// `Package.resolved`.
pub struct SwiftResolved;

static META: Meta = Meta {
    id: "lockfile/swift-resolved",
    title: "what the Swift Package Manager resolved",
    proves: "the project resolves to the version; not that it was fetched or built",
};

impl Surface for SwiftResolved {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("Package.resolved")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        let pins = text.contains("\"pins\"") && text.contains("\"state\"");
        (pins && (text.contains("\"location\"") || text.contains("\"repositoryURL\""))).then_some("Package.resolved")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of Package.resolved");
        let text = text(file.all(FILE)?);
        let json = crate::surface::node::json::whole(&text).map_err(|error| flaw(&error, WHAT))?;
        let pins = json.get("pins").or_else(|| json.get("object")?.get("pins"));
        let (mut lines, mut all) = (Lines::new(&text), pins.is_some());
        let pins = pins.map(Node::items).unwrap_or_default();
        for pin in pins.iter().take(ENTRIES) {
            let address = pin.text_of("location").or_else(|| pin.text_of("repositoryURL")).unwrap_or_default();
            let line = lines.line_of(address);
            // A folder, a registry of one's own, a branch.
            let (Some(name), Some(version)) =
                (repository(address), pin.get("state").and_then(|s| s.text_of("version")))
            else {
                all &= pin.get("state").is_some();
                continue;
            };
            match package(Ecosystem::Swift, &name, version, Placement::Listed) {
                Some(found) => out.push_at(None, line, at.clone(), Fact::Package(found)),
                None => all = false,
            }
        }
        whole(all && pins.len() <= ENTRIES, WHAT)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::trial::{HOSTILE, said},
        *,
    };

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&SwiftResolved, "p/Package.resolved", text.as_bytes())
    }

    #[test]
    fn pins_of_all_versions_are_read() {
        let first = "{\n\"object\": {\"pins\": [\n{\"package\": \"B\", \"repositoryURL\": \"git@forge.example:A/B.git\",\n\"state\": {\"branch\": null, \"version\": \"1.2.3\"}}]},\n\"version\": 1}";
        assert_eq!(read(first), (vec!["package forge.example/a/b 1.2.3 Listed@3".into()], None));
        let later = "{\"pins\": [\n{\"identity\": \"b\", \"kind\": \"remoteSourceControl\", \"location\": \"https://forge.example/A/B\", \"state\": {\"revision\": \"x\", \"version\": \"1.2.3\"}},\n\
                     {\"identity\": \"c\", \"kind\": \"remoteSourceControl\", \"location\": \"https://forge.example/A/C\", \"state\": {\"branch\": \"main\"}},\n\
                     {\"identity\": \"d\", \"kind\": \"localSourceControl\", \"location\": \"/srv/d\", \"state\": {\"version\": \"1.0.0\"}},\n\
                     {\"identity\": \"e.f\", \"kind\": \"registry\", \"location\": \"\", \"state\": {\"version\": \"1.0.0\"}}], \"version\": 3}";
        assert_eq!(read(later), (vec!["package forge.example/a/b 1.2.3 Listed@2".into()], None));
        assert_eq!(read("{\"pins\": [], \"version\": 2}"), (vec![], None));
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in HOSTILE.into_iter().chain(["", "{}", "{\"pins\": [7]}", "{\"pins\": [{}]}"]) {
            let (said, flaw) = read(text);
            assert!(said.is_empty() && flaw.is_some(), "{text}");
        }
        for address in [
            "https://forge.example/a\\u001b/b",
            "x",
            "https://forge.example/../b",
            "//",
            "https://u:p@forge.example/a b",
        ] {
            let text =
                format!("{{\"pins\": [{{\"location\": \"{address}\", \"state\": {{\"version\": \"1.0.0\"}}}}]}}");
            assert_eq!(read(&text).0, [""; 0], "{address}");
        }
    }
}
