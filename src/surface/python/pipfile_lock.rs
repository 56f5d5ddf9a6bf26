//! The lock file of Pipenv.
//!
//! ```text
//! project/
//! └── Pipfile.lock     {"_meta": {…}, "default": {"litellm": {"version": "==1.82.8", "hashes": ["sha256:…"]}}, "develop": {…}}
//!                      and one more object for each category of the Pipfile
//! ```
//!
//! Written by `pipenv lock` and `pipenv install`. An entry from a file or URL has `file` in place of `version`; one from a source
//! tree has `git`, `path` or `editable` and is left out. A hit proves that the project resolves to the version; not that it was
//! installed. Documented under "Pipfile & Pipfile.lock" of Pipenv.

use std::fmt;

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{
    FILE,
    listing::{Listing, numbered, text},
    pin::{Pin, exactly, package_file, sha256},
};
use crate::{
    ecosystem::pypi::normalise,
    fact::{Artifact, Package},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

const WHAT: &str = "Pipfile.lock";

/// More than the hashes of any one version.
const HASHES: usize = 2000;

/// `Pipfile.lock`.
pub struct PipfileLock;

static META: Meta = Meta {
    id: "python/pipfile-lock",
    title: "the lock file of Pipenv",
    proves: "the project resolves to the version; not that it was installed",
};

impl Surface for PipfileLock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("Pipfile.lock")]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        super::raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (text.trim_start().starts_with('{') && text.contains("\"_meta\"") && text.contains("\"default\""))
            .then_some("Pipfile.lock")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of Pipfile.lock");
        let text = text(file.all(FILE)?);
        let mut listing = Listing::new(out, at);
        // Once for its form alone, so that nothing is listed twice when it has to be read line by line.
        if let Err(error) = entries(&text, &mut |_, _| {}) {
            by_line(&text, &mut listing);
            return Err(flaw(&error));
        }
        let mut places = Places { text: &text, from: 0, line: 1 };
        let mut odd = false;
        let listed = entries(&text, &mut |name, entry| {
            let line = places.next(name);
            match (entry.pin(name), &entry.version) {
                (Some(pin), _) => listing.push(pin, line),
                (None, Some(version)) => odd |= version.starts_with("==") && !entry.is_source_tree(),
                (None, None) => {}
            }
        });
        listed.map_err(|error| flaw(&error))?;
        if odd { Err(Flaw::malformed(WHAT, "a package without a proper name and version")) } else { Ok(()) }
    }
}

fn flaw(error: &serde_json::Error) -> Flaw {
    if error.is_eof() { Flaw::Truncated(WHAT) } else { Flaw::malformed(WHAT, "not the JSON that Pipenv writes") }
}

/// What is read of one package.
#[derive(Deserialize)]
struct Entry {
    version: Option<String>,
    file: Option<String>,
    git: Option<IgnoredAny>,
    path: Option<String>,
    editable: Option<bool>,
    #[serde(default)]
    hashes: Hashes,
}

impl Entry {
    fn is_source_tree(&self) -> bool {
        self.git.is_some() || self.path.is_some() || self.editable == Some(true)
    }

    fn pin(&self, name: &str) -> Option<Pin> {
        if self.is_source_tree() {
            return None;
        }
        let mut pin = match (&self.version, &self.file) {
            (Some(version), _) => exactly(&format!("{name}{version}"))?,
            (None, Some(file)) => package_file(file).filter(|p| p.name == normalise(name))?,
            (None, None) => return None,
        };
        let hashes = self.hashes.0.iter().cloned();
        pin.artifacts.extend(hashes.map(|sha256| Artifact { sha256: Some(sha256), ..Artifact::default() }));
        Some(pin)
    }
}

/// The SHA-256 hashes of a list, at most `HASHES`.
#[derive(Default)]
struct Hashes(Vec<String>);

impl<'de> Deserialize<'de> for Hashes {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_seq(HashList)
    }
}

struct HashList;

impl<'de> Visitor<'de> for HashList {
    type Value = Hashes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of hashes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Hashes, A::Error> {
        let mut hashes = Vec::new();
        while let Some(hash) = list.next_element::<String>()? {
            hashes.extend(sha256(&hash).filter(|_| hashes.len() < HASHES));
        }
        Ok(Hashes(hashes))
    }
}

/// Hands on each package of each category, one at a time: the file is never held as a tree.
fn entries(text: &str, each: &mut dyn FnMut(&str, &Entry)) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(text);
    Level { inner: false, each }.deserialize(&mut json)?;
    json.end()
}

/// The object of the categories, or (`inner`) one category.
struct Level<'e> {
    inner: bool,
    each: &'e mut dyn FnMut(&str, &Entry),
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if self.inner {
                let entry = map.next_value::<Entry>()?;
                (self.each)(&key, &entry);
            } else if key.starts_with('_') {
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value_seed(Level { inner: true, each: &mut *self.each })?;
            }
        }
        Ok(())
    }
}

/// Finds the lines of names that are asked for in the order of the file.
struct Places<'t> {
    text: &'t str,
    from: usize,
    line: usize,
}

impl Places<'_> {
    /// The line of the next `"name": {`. After one that is not found, no more are looked for.
    fn next(&mut self, name: &str) -> Option<u32> {
        let rest = self.text.get(self.from..)?;
        let Some(at) = rest.find(&format!("\"{name}\": {{")) else {
            self.from = usize::MAX;
            return None;
        };
        self.line += memchr::memchr_iter(b'\n', rest.as_bytes().get(..at)?).count();
        self.from += at + 1;
        u32::try_from(self.line).ok()
    }
}

/// Every `"version": "==…"` that follows a `"name": {`, for a file that is no JSON: both sides of a conflict.
fn by_line(text: &str, listing: &mut Listing<'_, '_>) {
    let mut name = None;
    for (number, line) in numbered(text) {
        let Some((key, value)) = line.trim().strip_prefix('"').and_then(|l| l.split_once("\":")) else {
            continue;
        };
        let value = value.trim().trim_end_matches(',');
        if value.starts_with('{') {
            name = Some(key);
        } else if let (Some(name), "version") = (name, key)
            && let Some(pin) = exactly(&format!("{name}{}", value.trim_matches('"')))
        {
            listing.push(pin, Some(number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::read, *};

    const REAL: &[u8] = include_bytes!("../../../tests/fixtures/python-locks/Pipfile.lock.sample");

    fn pins(text: &str) -> (Vec<String>, usize) {
        let read = read(&PipfileLock, "p/Pipfile.lock", text.as_bytes());
        (read.pins, read.gaps.len())
    }

    #[test]
    fn a_file_of_pipenv() {
        let read = read(&PipfileLock, "p/Pipfile.lock", REAL);
        assert_eq!(read.gaps, Vec::<String>::new());
        let expected =
            ["dspy 2.6.0@17", "litellm 1.82.8@23", "dspy 2.6.0@32", "litellm 1.82.8@38", "my-plugin 0.3.0@45"];
        assert_eq!(read.pins, expected);
        let hash = "50c3d2d4dac77433f360ba6bc1cc2aaf363f82c91a32b565854306c382d8dc5f";
        let artifact = Artifact { sha256: Some(hash.into()), ..Artifact::default() };
        assert_eq!(read.artifacts.get(1), Some(&vec![artifact]));
    }

    #[test]
    fn source_trees_and_ranges_are_no_pins() {
        let text = r#"{"_meta": {"litellm": {"version": "==1.82.8"}}, "default": {
            "litellm": {"git": "https://host.example/x.git", "ref": "v1", "version": "==1.82.8"},
            "a": {"editable": true, "path": "."}, "b": {"version": "*"}, "c": {},
            "d": {"file": "https://host.example/d-1.0-py3-none-any.whl"},
            "e": {"file": "https://host.example/litellm-1.82.8-py3-none-any.whl"}}}"#;
        assert_eq!(pins(text), (vec!["d 1.0@4".to_owned()], 0));
    }

    #[test]
    fn both_sides_of_a_conflict_are_found_and_a_gap() {
        let text = "{\n \"default\": {\n  \"litellm\": {\n<<<<<<< HEAD\n   \"version\": \"==1.82.7\"\n=======\n\
                    \x20  \"version\": \"==1.82.8\"\n>>>>>>> b\n  }\n }\n}\n";
        assert_eq!(pins(text), (vec!["litellm 1.82.7@5".to_owned(), "litellm 1.82.8@7".to_owned()], 1));
    }

    #[test]
    fn hostile_files_are_gaps() {
        let n = 100_000;
        for text in [
            String::new(),
            "[]".into(),
            "null".into(),
            "\u{0}".into(),
            "{\"default\": []}".into(),
            "{\"default\": {\"a\": 1}}".into(),
            "{\"default\": {\"a\u{1b}[2J\": {\"version\": \"==1\"}}}".into(),
            "{\"default\": {\"a\": {\"version\": \"==1\u{202e}\"}}}".into(),
            "[".repeat(n),
            format!("{{\"_meta\": {}", "[".repeat(n)),
            format!("{{\"default\": {}", "{\"a\": ".repeat(n)),
        ] {
            let (pins, gaps) = pins(&text);
            assert_eq!((pins.len(), gaps), (0, 1), "{}", text.chars().take(40).collect::<String>());
        }
        // What is passed over is passed over without recursion, however deep it is.
        let deep = format!(
            "{{\"_meta\": {}{}, \"default\": {{\"a\": {{\"version\": \"==1\"}}}}}}",
            "[".repeat(n),
            "]".repeat(n)
        );
        assert_eq!(pins(&deep), (vec!["a 1@1".to_owned()], 0));
        let cut = REAL.get(..900).unwrap();
        let read = read(&PipfileLock, "Pipfile.lock", cut);
        assert_eq!(read.gaps, ["Pipfile.lock ends too early"]);
        assert_eq!(read.pins, ["dspy 2.6.0@21", "litellm 1.82.8@28"]);
    }
}
