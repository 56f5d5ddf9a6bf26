//! The two sections that `project.assets.json` and `*.deps.json` share.
//!
//! ```text
//! "targets":   { "net8.0": { "A/1.2.3": { "type": "package", "dependencies": { "B": "1.0.0" } } } }
//! "libraries": { "A/1.2.3": { "type": "package", "sha512": "<base64>", "path": "a/1.2.3" } }       "sha512-<base64>" in *.deps.json
//! ```

use std::collections::HashMap;

use super::{package, requirement};
use crate::{
    fact::{At, Fact, Package, Placement, Requirement},
    surface::{
        Flaw, Sink,
        node::{
            integrity::{archive, digests},
            json::{Lines, Node, flaw, stream},
        },
    },
};

/// More than any project has.
const ENTRIES: usize = 50_000;
const REQUIRED: usize = 500;

/// Pushes the packages of a file, with what they ask for and their lines; a project is somebody's own code.
pub fn push(
    text: &str,
    what: &'static str,
    placement: Placement,
    at: Option<&At>,
    out: &mut Sink<'_>,
) -> Result<(), Flaw> {
    let mut requires: HashMap<String, Vec<Requirement>> = HashMap::new();
    let (mut lines, mut count, mut whole) = (Lines::new(text), 0, true);
    let read = stream(text, &["targets", "libraries"], &mut |section, key, node| {
        if section == "targets" {
            for (name, entry) in node.fields().iter().take(ENTRIES) {
                if requires.len() < ENTRIES {
                    requires.entry(name.to_string()).or_insert_with(|| required(entry));
                }
            }
            return;
        }
        if node.text_of("type").is_some_and(|kind| kind != "package") {
            return;
        }
        let found = key.split_once('/').and_then(|(name, version)| package(name, version, placement));
        count += 1;
        match found.filter(|_| count <= ENTRIES) {
            None => whole = false,
            Some(found) => {
                let needs = requires.remove(&*key).unwrap_or_default();
                let sum = node.text_of("sha512").unwrap_or_default();
                let sum = format!("sha512-{}", sum.strip_prefix("sha512-").unwrap_or(sum));
                let artifacts = digests(&sum).map(archive).collect();
                let found = Package { requires: needs.into(), artifacts, ..found };
                out.push_at(None, lines.line_of(&key), at.cloned(), Fact::Package(found));
            }
        }
    });
    read.map_err(|error| flaw(&error, what))?;
    if whole { Ok(()) } else { Err(Flaw::malformed(what, "a package without a proper name and version")) }
}

/// What an entry of a target asks for.
pub fn required(entry: &Node<'_>) -> Vec<Requirement> {
    let needs = entry.get("dependencies").map(Node::fields).unwrap_or_default().iter();
    needs.filter_map(|(name, asked)| requirement(name, asked.text().unwrap_or_default())).take(REQUIRED).collect()
}
