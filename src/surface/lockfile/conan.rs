//! The lock file of Conan, for C and C++.
//!
//! ```text
//! project/conan.lock
//! │   Conan 2: { "version": "0.5", "requires": [ "zlib/1.2.13#<revision>%<time>" ], "build_requires": [], "python_requires": [] }
//! │   Conan 1: { "graph_lock": { "nodes": { "1": { "ref": "zlib/1.2.13#<revision>", "requires": [ "2" ] } } } }     `pref` before 1.24
//! ```
//!
//! What has a user and a channel (`zlib/1.2.13@me/stable`) is somebody's own build of it. A hit proves that the project resolves to the
//! version; not that it was fetched or built. Documented in "Lockfiles" of Conan.

use std::collections::{HashMap, HashSet};

use super::{ENTRIES, REQUIRED, package, requirement, whole};
use crate::{
    fact::{Ecosystem, Fact, Package, Placement, Requirement, TreePath, Unit},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::text,
        node::json::{Lines, Node, flaw},
    },
};

const FILE: usize = 16 << 20;
const WHAT: &str = "conan.lock";
const LISTS: [&str; 4] = ["requires", "build_requires", "python_requires", "config_requires"];

/// `conan.lock`.
pub struct Conan;

static META: Meta = Meta {
    id: "lockfile/conan",
    title: "the lock file of Conan (C, C++)",
    proves: "the project resolves to the version; not that it was fetched or built",
};

impl Surface for Conan {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("conan.lock")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (text.contains("\"graph_lock\"") || text.contains("\"python_requires\"")).then_some("conan.lock")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of conan.lock");
        let text = text(file.all(FILE)?);
        let json = crate::surface::node::json::whole(&text).map_err(|error| flaw(&error, WHAT))?;
        let (mut all, mut known, mut lines) = (matches!(json, Node::Map(_)), HashSet::new(), Lines::new(&text));
        let listed = LISTS.iter().filter_map(|list| json.get(list)).flat_map(Node::items);
        let listed = listed.map(|item| (item.text(), Vec::new()));
        let nodes = json.get("graph_lock").and_then(|graph| graph.get("nodes")).map(Node::fields).unwrap_or_default();
        let refs: HashMap<&str, &str> = nodes.iter().filter_map(|(id, node)| Some((&**id, of_node(node)?))).collect();
        let own = |node: &Node<'_>| node.get("path").is_some() || of_node(node).is_none();
        let nodes = nodes.iter().filter(|(_, node)| !own(node)).map(|(_, node)| (of_node(node), required(node, &refs)));
        for (reference, requires) in listed.chain(nodes) {
            let Some(reference) = reference else {
                all = false;
                continue;
            };
            match found(reference) {
                Some(None) => {}
                Some(Some(found)) if known.len() < ENTRIES => {
                    if known.insert((found.name.clone(), found.version.clone())) {
                        let line = lines.line_of(reference);
                        let found = Package { requires: requires.into(), ..found };
                        out.push_at(None, line, at.clone(), Fact::Package(found));
                    }
                }
                _ => all = false,
            }
        }
        whole(all, WHAT)
    }
}

/// `zlib/1.2.13#…`; `None` where it is none, `Some(None)` for somebody's own.
fn found(reference: &str) -> Option<Option<Package>> {
    let reference = reference.split(['#', '%', ':']).next().unwrap_or(reference);
    let (reference, owner) = reference.split_once('@').unwrap_or((reference, ""));
    let (name, version) = reference.split_once('/')?;
    let found = package(Ecosystem::Conan, name, version, Placement::Listed);
    // Any text is a version there: what is none says nothing, and is no fault.
    let odd = version.len() <= 200 && version.bytes().all(|b| b.is_ascii_graphic());
    match found {
        Some(found) => Some(owner.is_empty().then_some(found)),
        None => (odd && super::is_name(name)).then_some(None),
    }
}

/// The reference of a node of the graph.
fn of_node<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    node.text_of("ref").or_else(|| node.text_of("pref"))
}

/// What a node requires, by the numbers of other nodes.
fn required(node: &Node<'_>, refs: &HashMap<&str, &str>) -> Vec<Requirement> {
    let of = |id: &str| {
        let reference = refs.get(id)?.split(['#', '@', ':']).next()?;
        let (name, version) = reference.split_once('/')?;
        requirement(Ecosystem::Conan, name, version)
    };
    let ids = node.get("requires").map(Node::items).unwrap_or_default().iter();
    ids.filter_map(|id| of(id.text()?)).take(REQUIRED).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::trial::{HOSTILE, asked, said},
        *,
    };

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&Conan, "p/conan.lock", text.as_bytes())
    }

    #[test]
    fn references_of_both_ages_are_read() {
        let second = "{\n\"version\": \"0.5\",\n\"requires\": [\n\"zlib/1.2.13#13c96f538b52e1600c40b88994de240f%1667396813.733\",\n\"mine/1.0@me/stable#0\"],\n\"build_requires\": [\"cmake/3.28.1\"]\n}";
        let is = ["package zlib 1.2.13 Listed@4", "package cmake 3.28.1 Listed@6"];
        assert_eq!(read(second), (is.map(str::to_owned).to_vec(), None));
        let first = "{\"graph_lock\": {\"nodes\": {\n\"0\": {\"ref\": \"test/1.0\", \"path\": \"conanfile.py\", \"requires\": [\"1\"]},\n\"1\": {\"ref\": \"libpng/1.6.39\", \"requires\": [\"2\"]},\n\
                     \"2\": {\"pref\": \"zlib/1.2.13#0:19729b#1\"},\n\"3\": {\"pref\": null}}}}";
        let is = ["package libpng 1.6.39 Listed@3", "package zlib 1.2.13 Listed@4"];
        assert_eq!(read(first), (is.map(str::to_owned).to_vec(), None));
        assert_eq!(asked(&Conan, "p/conan.lock", first.as_bytes())[0], ["zlib 1.2.13"]);
        assert_eq!(read("{}"), (vec![], None));
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in HOSTILE.into_iter().chain(["", "[]", "7"]) {
            let (said, flaw) = read(text);
            assert!(said.is_empty() && flaw.is_some(), "{text}");
        }
        for bad in ["\"a\\u001b/1.0\"", "\"zlib\"", "7", "\"/1.0\""] {
            let (said, flaw) = read(&format!("{{\"requires\": [\"zlib/1.2.13\", {bad}]}}"));
            assert_eq!((said.len(), flaw.is_some()), (1, true), "{bad}");
        }
    }
}
