//! The lock file of Composer.
//!
//! ```text
//! project/composer.lock
//! │   "packages": [ { "name": "acme/a", "version": "v1.2.3", "dist": { "type": "zip", "url": …, "shasum": "<40 hex>" },
//! │                   "require": { "acme/b": "^2.0" } } ],
//! │   "packages-dev": [ … ]
//! ```
//!
//! A hit proves that the project resolves to the version; not that it was fetched or installed. What Composer keeps in its cache
//! (`~/.cache/composer/files/acme/a/<SHA-1 of the address>.zip`) says no version and is not read. Documented in "Basic usage" of Composer.

use serde_json::Value;

use super::entries::{lines, packages, salvaged};
use crate::{
    fact::{Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

/// The largest of real projects have some megabytes.
const FILE: usize = 32 << 20;
const WHAT: &str = "composer.lock";

/// `composer.lock`.
pub struct Lock;

static META: Meta = Meta {
    id: "composer/lock",
    title: "the lock file of Composer",
    proves: "the project resolves to the version; not that it was fetched or installed",
};

impl Surface for Lock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("composer.lock")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (text.contains("\"content-hash\"") && text.contains("\"packages\"")).then_some("composer.lock")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of composer.lock");
        let text = text(file.all(FILE)?);
        let json: Value = serde_json::from_str(&text).map_err(|_| Flaw::malformed(WHAT, "it is no JSON"))?;
        let (lines, mut all) = (lines(&text), json.is_object());
        for list in ["packages", "packages-dev"].iter().filter_map(|key| json.get(key)) {
            let (found, whole) = packages(list, Placement::Listed);
            all &= whole;
            for package in found {
                let line = lines.get(&*package.name).copied();
                out.push_at(None, line, at.clone(), Fact::Package(package));
            }
        }
        if all { Ok(()) } else { Err(Flaw::malformed(WHAT, "a package without a proper name and version")) }
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        let interest = file.interest;
        file.head(FILE).map(|bytes| salvaged(&text(bytes), interest)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};
    use crate::{fact::Artifact, surface::python::trial::tried};

    const SUM: &str = "60afe100bcda0c963de14a64ca716ce2c9d91f8c";

    fn of(packages: &str) -> String {
        format!("{{\n  \"content-hash\": \"x\",\n  \"packages\": [\n{packages}\n  ],\n  \"packages-dev\": []\n}}\n")
    }

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&Lock, "p/composer.lock", text.as_bytes(), &["acme/a"])
    }

    #[test]
    fn packages_are_read_with_what_they_need() {
        let text = of(&format!(
            "{{\n\"name\": \"Acme/A\",\n\"version\": \"v1.2.3\",\n\"dist\": {{\"type\": \"zip\", \"shasum\": \"{SUM}\"}},\n\"require\": \
             {{\"php\": \">=8\", \"acme/b\": \"^2.0 || ^3.0\"}},\n\"authors\": [{{\"name\": \"Ada\"}}]\n}}, {{\n\"name\": \"acme/c\",\n\"version\": \
             \"dev-main\",\n\"require\": []\n}}"
        ));
        let is = ["package acme/a v1.2.3 Listed@5", "package acme/c dev-main Listed@11"];
        assert_eq!(read(&text), (is.map(str::to_owned).to_vec(), None));
        let tried = tried(&Lock, "p/composer.lock", text.as_bytes(), &Interest::default());
        let Fact::Package(p) = &tried.seen[0].fact else { panic!() };
        assert_eq!(p.requires.iter().map(|r| &*r.text).collect::<Vec<_>>(), ["acme/b ^2.0 || ^3.0"]);
        let digest = Some(format!("sha1:{SUM}").into());
        assert_eq!(p.artifacts, [Artifact { digest, ..Artifact::default() }]);
    }

    #[test]
    fn folders_and_other_objects_name_nothing() {
        assert_eq!(
            read(&of("{\"name\": \"acme/a\", \"version\": \"1.2.3\", \"dist\": {\"type\": \"path\"}}")),
            (vec![], None)
        );
        for text in ["{}", "{\"packages\": {}}", "{\"require\": [{\"name\": \"acme/a\", \"version\": \"1.2.3\"}]}"] {
            assert_eq!(read(text), (vec![], None), "{text}");
        }
    }

    #[test]
    fn hostile_files_are_gaps() {
        for bad in [
            "{\"name\": \"a\\u001b/b\", \"version\": \"1.0\"}",
            "{\"name\": \"acme/a\", \"version\": 1}",
            "{\"name\": \"acme/a\"}",
            "{\"name\": \"acme/../a\", \"version\": \"1.0\"}",
            "{\"name\": \"a\", \"version\": \"1.0\"}",
            "7",
        ] {
            let (said, flaw) = read(&of(&format!("{{\"name\": \"acme/a\", \"version\": \"1.0\"}}, {bad}")));
            assert_eq!((said.len(), flaw.is_some()), (1, true), "{bad}");
        }
        for text in ["", "{", "[]", "\u{0}", &"[".repeat(100_000), &"{\"packages\":".repeat(10_000)] {
            assert!(read(text).1.is_some());
        }
        let many = vec!["{\"name\": \"acme/a\", \"version\": \"1.0\"}"; 20_000].join(",");
        assert_eq!(read(&of(&many)).0.len(), 20_000);
    }

    #[test]
    fn both_sides_of_a_conflict_are_salvaged() {
        let text = "{ \"packages\": [ {\n\"name\": \"acme/a\",\n<<<<<<< HEAD\n\"version\": \"1.0\",\n=======\n\"version\": \"1.1\",\n>>>>>>> b\n}, {\n\
                    \"name\": \"acme/x\",\n\"version\": \"1.2\"\n} ] }";
        let mut interest = Interest::default();
        interest.packages.insert(crate::fact::Ecosystem::Composer, "acme/a");
        let found: Vec<_> = salvaged(text, &interest).into_iter().map(|(p, line)| (p.version, line)).collect();
        assert_eq!(found, [("1.0".into(), 4), ("1.1".into(), 6)]);
    }
}
