//! The lock file of renv, for R.
//!
//! ```text
//! project/renv.lock
//! │   "Packages": { "markdown": { "Package": "markdown", "Version": "1.0", "Source": "Repository", "Repository": "CRAN",
//! │                               "Requirements": [ "mime" ] } }
//! ```
//!
//! Packages of GitHub, Bioconductor or a folder are of no registry that is known here. A hit proves that the project resolves to the
//! version; not that it was fetched or built. Documented in "Lockfiles" of renv.

use super::{ENTRIES, REQUIRED, package, requirement, whole};
use crate::{
    fact::{Ecosystem, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::text,
        node::json::{Lines, Node, flaw, stream},
    },
};

const FILE: usize = 16 << 20;
const WHAT: &str = "renv.lock";

/// `renv.lock`.
pub struct Renv;

static META: Meta = Meta {
    id: "lockfile/renv",
    title: "the lock file of renv (R)",
    proves: "the project resolves to the version; not that it was fetched or built",
};

impl Surface for Renv {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("renv.lock")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (text.contains("\"Packages\"") && text.contains("\"Package\"") && text.contains("\"R\"")).then_some("renv.lock")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of renv.lock");
        let text = text(file.all(FILE)?);
        let (mut lines, mut all, mut count) = (Lines::new(&text), true, 0);
        let read = stream(&text, &["Packages"], &mut |_, key, entry| {
            let line = lines.line_of(&key);
            let source = entry.text_of("Source").or(entry.text_of("Repository").map(|_| "Repository"));
            if !matches!(source, Some("Repository" | "CRAN")) {
                return;
            }
            count += 1;
            let name = entry.text_of("Package").unwrap_or(&key);
            let found = entry.text_of("Version").and_then(|v| package(Ecosystem::Cran, name, v, Placement::Listed));
            match found.filter(|_| count <= ENTRIES) {
                None => all = false,
                Some(found) => {
                    let needs = entry.get("Requirements").map(Node::items).unwrap_or_default().iter();
                    let needs = needs.filter_map(|n| requirement(Ecosystem::Cran, n.text()?, "")).take(REQUIRED);
                    let found = Package { requires: needs.collect(), ..found };
                    out.push_at(None, line, at.clone(), Fact::Package(found));
                }
            }
        });
        read.map_err(|error| flaw(&error, WHAT))?;
        whole(all, WHAT)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::trial::{HOSTILE, asked, said},
        *,
    };

    const TEXT: &str = "{\n\"R\": {\"Version\": \"4.3.1\"},\n\"Packages\": {\n\"markdown\": {\"Package\": \"markdown\", \"Version\": \"1.0-1\", \"Source\": \"Repository\", \
                        \"Requirements\": [\"mime\"]},\n\"mine\": {\"Package\": \"mine\", \"Version\": \"0.1\", \"Source\": \"GitHub\"}\n}\n}";

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&Renv, "p/renv.lock", text.as_bytes())
    }

    #[test]
    fn packages_of_a_repository_are_read() {
        assert_eq!(read(TEXT), (vec!["package markdown 1.0-1 Listed@4".into()], None));
        assert_eq!(asked(&Renv, "p/renv.lock", TEXT.as_bytes()), [["mime"]]);
        assert_eq!(read("{\"Packages\": {}}"), (vec![], None));
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in HOSTILE.into_iter().chain([""]) {
            let (said, flaw) = read(text);
            assert!(said.is_empty() && flaw.is_some(), "{text}");
        }
        for bad in ["\"Version\": \"x\"", "\"a\": 1", "\"Package\": \"a\\u001b\", \"Version\": \"1.0\""] {
            let (said, flaw) = read(&TEXT.replace(
                "\"R\": {",
                &format!("\"Packages\": {{\"bad\": {{\"Source\": \"Repository\", {bad}}}}},\n\"R\": {{"),
            ));
            assert_eq!((said.len(), flaw.is_some()), (1, true), "{bad}");
        }
    }
}
