//! Modules that a project in Go has beside its own code.
//!
//! ```text
//! project/vendor/modules.txt                  `go mod vendor`, `go work vendor`
//! │   # example.com/a v1.2.3 [=> example.com/c v1.0.0]
//! │   ## explicit; go 1.17
//! │   example.com/a/pkg                       a package that is there; a module without one is only asked for
//! project/vendor/example.com/a/pkg/*.go       of what is replaced too, under the old name
//! ```
//!
//! A hit on a module with packages proves that builds of the project take the version from there; not that a program with it ran. Documented in
//! "Go Modules Reference".

use super::package;
use crate::{
    ecosystem::golang::{self, VENDOR, is_name, is_release},
    fact::{Artifact, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

const FILE: usize = 64 << 20;

/// `vendor/modules.txt`.
pub struct Vendored;

static META: Meta = Meta {
    id: "golang/vendored",
    title: "modules that stand beside a project's own code",
    proves: "builds of the project take the version; not that a program with it ran",
};

impl Surface for Vendored {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, _: bool) -> Option<Unit> {
        let folder = path.parent();
        Some(golang::unit(folder.clone(), folder.parent(), VENDOR))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("modules.txt").in_tail("vendor")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of modules.txt");
        let text = text(file.all(FILE)?);
        let mut whole = true;
        let mut last: Option<(u32, Package)> = None;
        for (number, line) in (1_u32..).zip(text.lines()) {
            if let Some(said) = line.strip_prefix("# ") {
                if let Some((line, package)) = last.take() {
                    out.push_at(None, Some(line), at.clone(), Fact::Package(package));
                }
                match module(said) {
                    Ok(found) => last = found.map(|package| (number, package)),
                    Err(()) => whole = false,
                }
            } else if !line.starts_with('#') && !line.trim().is_empty() {
                whole &= is_name(line.trim());
                if let Some((_, package)) = &mut last {
                    package.placement = Placement::Loadable;
                }
            }
        }
        if let Some((line, package)) = last {
            out.push_at(None, Some(line), at, Fact::Package(package));
        }
        if whole { Ok(()) } else { Err(Flaw::malformed("modules.txt", "lines of another form than Go writes")) }
    }
}

/// What a line says stands there; nothing where it is a folder of somebody's own, or says for all versions what replaces a module.
fn module(said: &str) -> Result<Option<Package>, ()> {
    let words: Vec<&str> = said.split_whitespace().take(6).collect();
    let (name, version, old) = match words.as_slice() {
        [name, version] => (*name, *version, None),
        [old, _, "=>", name, version] => (*name, *version, Some(*old)),
        [_, _, "=>", _] | [_, "=>", ..] => return Ok(None),
        _ => return Err(()),
    };
    if !is_name(name) || !is_release(version) {
        return Err(());
    }
    let mut found = package(name, version, Placement::Listed);
    // Its code stands under the name that it replaces.
    let folder = old.filter(|old| *old != name && is_name(old));
    found.artifacts =
        folder.map(|old| Artifact { name: Some(old.to_owned()), ..Artifact::default() }).into_iter().collect();
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&Vendored, "p/vendor/modules.txt", text.as_bytes(), &[])
    }

    #[test]
    fn what_has_packages_stands_there() {
        let text = "# example.com/a v1.2.3\n## explicit; go 1.17\nexample.com/a/pkg\nexample.com/a\n# example.com/b v1.0.0\n## explicit\n\
                    # example.com/c v1.0.0 => example.com/d v1.0.1\nexample.com/c\n# example.com/e v1.0.0 => ./e\nexample.com/e\n\
                    # example.com/f => ../f\n";
        let is = [
            "package example.com/a v1.2.3 Loadable@1",
            "package example.com/b v1.0.0 Listed@5",
            "package example.com/d v1.0.1 Loadable@7",
        ];
        assert_eq!(read(text), (is.map(str::to_owned).to_vec(), None));
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in ["# a\u{1b} v1.0.0", "# a latest", "# a", "# a b c d e f g", "a\u{0}b", "<<<<<<< HEAD"] {
            let (said, flaw) = read(&format!("# a v1.0.0\na\n{text}\n"));
            assert_eq!((said.len(), flaw.is_some()), (1, true), "{text}");
        }
        assert_eq!(read(""), (vec![], None));
        assert_eq!(read(&"# a v1.0.0\na\n".repeat(20_000)).0.len(), 20_000);
    }
}
