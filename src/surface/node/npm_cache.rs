//! npm's cache: an index of what was fetched, and the bytes by their hash.
//!
//! ```text
//! ~/.npm/_cacache/
//! ├── index-v5/aa/bb/<60 hex>         lines of `<sha1>\t<json>`: key, integrity, time, size; the last one of a key counts
//! └── content-v2/sha512/aa/bb/<124 hex>
//!
//! "key": "make-fetch-happen:request-cache:https://…/@s/x/-/x-1.0.0.tgz"      a package
//! "key": "make-fetch-happen:request-cache:https://…/x"                       what is known of all its versions: says nothing here
//! ```
//!
//! A hit proves that the archive was fetched at that time and stored, not that it was installed. An entry without integrity was taken
//! out. Stored bytes outlive their entry (`npm cache clean` of a key, a pruned index): their place is their hash, so those that an
//! indicator knows are found unread. Documented in cacache's README.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    identity::{is_name, is_version, package},
    integrity,
};
use crate::{
    ecosystem::npm::reference,
    fact::{Artifact, At, Fact, Package, Placement, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
};

/// One entry has a kilobyte; a key that is fetched again and again adds one each time.
const FILE: usize = 16 << 20;

const CONTENT: &str = "content-v2";
/// What a folder of stored bytes is called, and how many hex digits the hash has.
const SHA512: (&str, usize) = ("sha512", 128);
const SHA256: (&str, usize) = ("sha256", 64);
const SHA1: (&str, usize) = ("sha1", 40);

/// `_cacache/index-v5`.
pub struct NpmCache;

static META: Meta = Meta {
    id: "node/npm-cache",
    title: "packages in npm's cache",
    proves: "the archive was fetched and stored; not that it was installed",
};

#[derive(Deserialize)]
struct Entry {
    key: String,
    integrity: Option<String>,
    time: Option<i64>,
    size: Option<u64>,
}

impl Surface for NpmCache {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Artifacts]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        // Folders are two of two digits, and the name is the rest of the hash: in the index of a SHA-256.
        let content = [SHA512, SHA1, SHA256].map(|(_, digits)| Claim::hex(digits - 4).within(CONTENT));
        std::iter::once(Claim::hex(60).within("index-v5")).chain(content).collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if let Some(digest) = content(&file.entry.path) {
            let at = file.mtime("mtime in npm's cache");
            let size = file.entry.len;
            let fact =
                Fact::File { sha256: None, digest: Some(digest.into()), size, texts: Vec::new(), program: false };
            out.push(at, fact);
            return Ok(());
        }
        if file.entry.path.components().any(|part| part == CONTENT.as_bytes()) {
            return Ok(());
        }
        let mut last: BTreeMap<String, Entry> = BTreeMap::new();
        let mut broken = None;
        for line in file.all(FILE)?.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let json = line.iter().position(|b| *b == b'\t').and_then(|tab| line.get(tab + 1..)).unwrap_or(line);
            match serde_json::from_slice::<Entry>(json) {
                Ok(entry) => drop(last.insert(entry.key.clone(), entry)),
                Err(_) => {
                    broken = Some(Flaw::malformed("entry of npm's cache", "a line of it is no JSON of that form"))
                }
            }
        }
        for entry in last.into_values().filter(|e| e.integrity.is_some()) {
            let at = entry.time.and_then(|ms| Timestamp::from_millisecond(ms).ok());
            let at = at.map(|time| At::new(time, "time in npm's cache"));
            if let Some(package) = stored(&entry) {
                out.push(at, Fact::Package(package));
            }
        }
        broken.map_or(Ok(()), Err)
    }
}

/// The hash that the place of stored bytes says, `content-v2/sha512/aa/bb/<124 hex>`, as `sha512:<hex>`.
fn content(path: &TreePath) -> Option<String> {
    let mut parts = path.components().rev().map(|part| std::str::from_utf8(part).unwrap_or_default());
    let (rest, second, first) = (parts.next()?, parts.next()?, parts.next()?);
    let (algorithm, store) = (parts.next()?, parts.next()?);
    let (word, digits) = [SHA512, SHA1, SHA256].into_iter().find(|(word, _)| *word == algorithm)?;
    let hash = [first, second, rest].concat();
    let fits = store == CONTENT && first.len() == 2 && second.len() == 2 && hash.len() == digits && is_hex(&hash);
    fits.then(|| format!("{word}:{hash}"))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The package of an archive, by its address.
fn stored(entry: &Entry) -> Option<Package> {
    let address =
        entry.key.strip_prefix("make-fetch-happen:request-cache:").or_else(|| entry.key.strip_prefix("pacote:"))?;
    let read = reference::read(address.strip_prefix("tarball:").unwrap_or(address));
    let name = read.name.as_deref().filter(|n| is_name(n))?;
    let version = read.version().filter(|v| is_version(v))?;
    let base = name.rsplit('/').next().unwrap_or(name);
    let artifact = |digest| Artifact {
        name: Some(format!("{base}-{version}.tgz")),
        size: entry.size,
        ..integrity::archive(digest)
    };
    let artifacts = integrity::digests(entry.integrity.as_deref()?).map(artifact).collect();
    Some(Package { artifacts, ..package(name, version, Placement::Cached) })
}

#[cfg(test)]
mod tests {
    use super::{super::trial::tried, *};

    const PATH: &str = "h/.npm/_cacache/index-v5/00/28/a321cf5708b71dd86f96b1003e49ca34c6c54124bbf5e036677e67063d3b";

    fn line(url: &str, integrity: &str, time: i64) -> String {
        format!(
            "\n0a0b\t{{\"key\":\"make-fetch-happen:request-cache:{url}\",\"integrity\":{integrity},\"time\":{time},\"size\":7,\"metadata\":{{\"url\":\"{url}\"}}}}"
        )
    }

    #[test]
    fn an_archive_is_a_stored_package_with_its_time() {
        let text = line("https://registry.example/@s%2fx/-/x-1.0.0.tgz", "\"sha512-x\"", 1_795_307_542_815);
        let tried = tried(&NpmCache, PATH, text.as_bytes(), &[]);
        assert_eq!(tried.said, ["package @s/x 1.0.0 Cached"]);
        assert_eq!(tried.seen[0].at.as_ref().unwrap().time.to_string(), "2026-11-22T00:32:22.815Z");
    }

    #[test]
    fn the_place_of_stored_bytes_is_their_hash() {
        let store = "h/.npm/_cacache/content-v2";
        let said = |path: &str| -> Option<String> {
            let tried = tried(&NpmCache, path, b"not looked at", &[]);
            assert!(tried.flaw.is_none(), "{path}");
            tried.seen.into_iter().next().map(|seen| match seen.fact {
                Fact::File { sha256: None, digest: Some(digest), size: 13, .. } => digest.into(),
                other => format!("{other:?}"),
            })
        };
        for (kind, digits) in [("sha512", 128), ("sha256", 64), ("sha1", 40)] {
            let rest = "0".repeat(digits - 4);
            assert_eq!(said(&format!("{store}/{kind}/0a/f1/{rest}")), Some(format!("{kind}:0af1{rest}")));
            for (first, second, rest) in [
                ("0a", "f1", "0".repeat(digits - 5)),
                ("0a", "f1", "0".repeat(digits - 3)),
                ("0a", "f", "0".repeat(digits - 3)),
                ("0A", "f1", "0".repeat(digits - 4)),
                ("0a", "f1", "x".repeat(digits - 4)),
                ("0a", "\u{e9}", "0".repeat(digits - 4)),
            ] {
                assert_eq!(said(&format!("{store}/{kind}/{first}/{second}/{rest}")), None, "{first} {second} {rest}");
            }
        }
        let rest = "0".repeat(124);
        for path in [
            format!("{store}/sha384/0a/f1/{rest}"),
            format!("{store}/tmp/0a/f1/{rest}"),
            format!("{store}/{rest}"),
            format!("h/.npm/_cacache/content-v2/x/sha512/0a/f1/{rest}"),
        ] {
            assert_eq!(said(&path), None, "{path}");
        }
    }

    #[test]
    fn the_last_entry_of_a_key_counts() {
        let url = "https://registry.example/axios/-/axios-1.14.1.tgz";
        let said = |text: String| tried(&NpmCache, PATH, text.as_bytes(), &[]).said;
        let (kept, gone) = (line(url, "\"sha512-x\"", 1), line(url, "null", 2));
        assert_eq!(said(format!("{kept}{gone}{kept}")), ["package axios 1.14.1 Cached"]);
        assert_eq!(said(format!("{kept}{gone}")), [""; 0]);
    }

    #[test]
    fn what_was_fetched_but_no_package_says_nothing() {
        for url in [
            "https://registry.example/axios",
            "https://registry.example/-/npm/v1/security/advisories/bulk",
            "https://registry.example/axios/-/other-1.14.1.tgz",
        ] {
            assert_eq!(tried(&NpmCache, PATH, line(url, "\"sha512-x\"", 1).as_bytes(), &[]).said, [""; 0], "{url}");
        }
    }

    #[test]
    fn a_broken_line_is_a_flaw_and_takes_no_other_with_it() {
        let good = line("https://registry.example/axios/-/axios-1.14.1.tgz", "\"sha512-x\"", i64::MAX);
        for bad in ["\n0a0b\t{\"key\":", "\nnothing", "\n0a\t[]"] {
            let tried = tried(&NpmCache, PATH, format!("{bad}{good}{bad}").as_bytes(), &[]);
            assert_eq!(
                (tried.said, tried.flaw.is_some()),
                (vec!["package axios 1.14.1 Cached".to_owned()], true),
                "{bad:?}"
            );
        }
        assert!(tried(&NpmCache, PATH, b"", &[]).flaw.is_none());
    }
}
