//! uv's pointers to what it fetched. The buckets' numbers change with uv's releases; only their words are looked at.
//!
//! ```text
//! ~/.cache/uv/
//! ├── wheels-v5/{pypi | index/<16 hex> | url/<16 hex>}/litellm/
//! │   ├── 1.82.8-py3-none-any           -> ../../../archive-v0/<id>, the unpacked wheel (python/dist-info reads that one)
//! │   ├── 1.82.8-py3-none-any.http      pointer: what was fetched, and when (.rev for a local file)
//! │   ├── 1.82.8-py3-none-any.msgpack   metadata: the resolver looked at this version
//! │   └── litellm-1.82.8-py3-none-any.http     up to uv 0.5
//! ├── sdists-v9/{pypi | index/<16 hex>}/telnyx/4.87.1/
//! │   ├── revision.http                 pointer to the unpacked sdist
//! │   └── <id>/telnyx-4.87.1-py3-none-any.whl  built here (python/wheel reads that one)
//! └── archive-v0/<id>/                  an unpacked wheel, or an environment of `uvx` or `uv run --with`
//! ```
//!
//! A pointer is one msgpack value and the HTTP cache policy behind it, which holds the time of the request several times:
//! `[id, hashes]` (0.1-0.5), `[id, hashes, file, 0]` (0.6-0.11; no hashes before 0.11), a map with these names (0.12),
//! `[id, hashes, file, 0, size]` (0.13); a hash is `["Sha256", hex]` or `{"Sha256": hex}`.
//!
//! A pointer proves that the file was fetched, even where its archive was pruned since; `.msgpack` only that the metadata was. Not
//! documented; read from uv's own caches from 0.1 to 0.13.

use std::collections::BTreeMap;

use rmpv::{Value, decode::read_value_with_max_depth};

use super::{
    archive::wheel_parts,
    identity,
    placement::{is_hex, is_sdist_bucket, is_wheel_bucket},
};
use crate::{
    ecosystem::pypi::{is_name, is_version, normalise, requirement, unit_around},
    fact::{Artifact, At, Ecosystem, Fact, Package, Placement, Requirement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
    tree::Kind,
};

/// Pointers are some hundred bytes, metadata some kilobytes.
const LIMIT: usize = 8 << 20;
const DEPTH: usize = 16;
/// 2020-01-01 to 2100-01-01: what can be a time in a cache policy.
const SECONDS: std::ops::Range<u64> = 1_577_836_800..4_102_444_800;

/// uv's cache.
pub struct UvCache;

/// Its id.
pub const ID: &str = "python/uv-cache";

/// Whether a fact comes from here, by its surface.
pub fn reads(surface: &str) -> bool {
    surface == ID
}

static META: Meta = Meta {
    id: ID,
    title: "pointers and metadata in uv's cache",
    proves: "uv fetched the file (or, as listed, its metadata); not that it was installed",
};

impl Surface for UvCache {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Artifacts]
    }

    fn unit(&self, path: &TreePath, inner: bool) -> Option<Unit> {
        Some(unit_around(path, inner))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        [".http", ".rev", ".msgpack"].map(Claim::suffix).into()
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        if kind == Kind::Dir
            || ![b".http".as_slice(), b".rev", b".msgpack"].iter().any(|end| path.name().ends_with(end))
        {
            return None;
        }
        let named = named(path)?;
        let listed = path.name().ends_with(b".msgpack");
        let placement = if listed { Placement::Listed } else { Placement::Cached };
        Some((path.clone(), Fact::Named(identity::package(&named.name, named.version, placement))))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let Some(named) = named(&file.entry.path) else {
            return Ok(());
        };
        let mtime = file.mtime("mtime of the cache entry");
        let bytes = file.all(LIMIT)?;
        let mut rest = bytes;
        let value = read_value_with_max_depth(&mut rest, DEPTH)
            .map_err(|_| Flaw::malformed("uv cache entry", "not the msgpack that uv writes"))?;
        let at = request_time(rest).or(mtime);
        let mut package = Package {
            ecosystem: Ecosystem::Pypi,
            name: named.name.as_str().into(),
            version: named.version.into(),
            placement: Placement::Cached,
            requires: [].into(),
            artifacts: Vec::new(),
        };
        if file.entry.path.name().ends_with(b".msgpack") {
            package.placement = Placement::Listed;
            package.requires = requirements(&value).into();
        } else {
            if !value.is_array() && !value.is_map() {
                return Err(Flaw::malformed("uv cache entry", "not the pointer that uv writes"));
            }
            let mut artifact = artifact(&value, &named);
            artifact.name = artifact.name.or_else(|| named.file.clone());
            package.artifacts.push(artifact);
        }
        out.push(at, Fact::Package(package));
        Ok(())
    }
}

/// What the place of an entry says.
struct Named<'p> {
    name: String,
    version: &'p str,
    sdist: bool,
    /// The wheel's own name, which entries of uv up to 0.5 have.
    file: Option<String>,
}

/// `None` for what is no entry of a bucket, or an entry of one without names (`path`, `url` of sdists).
fn named(path: &TreePath) -> Option<Named<'_>> {
    let parts: Vec<&str> = path.components().filter_map(|c| std::str::from_utf8(c).ok()).collect();
    let bucket = parts.iter().rposition(|c| is_wheel_bucket(c.as_bytes()) || is_sdist_bucket(c.as_bytes()))?;
    let below = match parts.get(bucket + 1..)? {
        ["pypi", rest @ ..] => rest,
        ["index" | "url" | "path" | "editable" | "flat", hash, rest @ ..] if is_hex(hash.as_bytes()) => rest,
        _ => return None,
    };
    let sdist = parts.get(bucket).is_some_and(|c| is_sdist_bucket(c.as_bytes()));
    let (name, version) = match below {
        [name, version, "revision.http" | "revision.rev" | "manifest.msgpack"] if sdist => (*name, *version),
        [name, file] if !sdist => (*name, version_in(name, file.rsplit_once('.')?.0)?),
        _ => return None,
    };
    let stem = path.name().strip_suffix(b".http").and_then(|s| std::str::from_utf8(s).ok());
    let file = stem.map(|s| format!("{s}.whl")).filter(|f| wheel_parts(f).is_some_and(|(_, v)| v == version));
    (is_name(name) && is_version(version)).then(|| Named { name: normalise(name), version, sdist, file })
}

/// Of `1.82.8-py3-none-any`, or of `litellm-1.82.8-py3-none-any`, as uv up to 0.5 has it.
fn version_in<'s>(name: &str, stem: &'s str) -> Option<&'s str> {
    let mut parts = stem.split('-');
    let first = parts.next()?;
    if normalise(first) == normalise(name) { parts.next() } else { Some(first) }
}

/// Hash, size and file name, wherever this release of uv writes them.
fn artifact(pointer: &Value, named: &Named<'_>) -> Artifact {
    let mut found = Artifact::default();
    let mut todo = vec![pointer];
    while let Some(value) = todo.pop() {
        match value {
            Value::Array(items) => {
                if let [Value::String(kind), Value::String(hash)] = items.as_slice() {
                    found.sha256 = found.sha256.or_else(|| sha256(kind.as_str(), hash.as_str()));
                }
                // The size is the fifth of a wheel's pointer and the third of an sdist's.
                let size = items.get(if named.sdist { 2 } else { 4 }).and_then(Value::as_u64);
                found.size = found.size.or(size);
                todo.extend(items);
            }
            Value::Map(pairs) => {
                for (key, value) in pairs {
                    found.sha256 = found.sha256.or_else(|| sha256(key.as_str(), value.as_str()));
                    if key.as_str() == Some("size") {
                        found.size = found.size.or(value.as_u64());
                    }
                    todo.push(value);
                }
            }
            Value::String(text) => {
                let is_its = |f: &&str| wheel_parts(f).is_some_and(|(n, _)| normalise(n) == named.name);
                found.name = found.name.or_else(|| text.as_str().filter(is_its).map(str::to_owned));
            }
            _ => {}
        }
    }
    found
}

fn sha256(kind: Option<&str>, hash: Option<&str>) -> Option<String> {
    let hash = hash.filter(|h| h.len() == 64 && is_hex(h.as_bytes()))?;
    (kind? == "Sha256").then(|| hash.to_owned())
}

/// `[name, version, [requires_dist…], …]`
fn requirements(metadata: &Value) -> Vec<Requirement> {
    let listed = metadata.as_array().and_then(|m| m.get(2)).and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(|r| requirement(r.as_str()?)).collect()
}

/// The time that the policy holds more than once, in seconds, at some multiple of four bytes from its end.
fn request_time(policy: &[u8]) -> Option<At> {
    let mut times: BTreeMap<u64, u32> = BTreeMap::new();
    let tail = policy.get(policy.len().saturating_sub(1 << 12)..)?;
    for end in (8..=tail.len()).rev().step_by(4) {
        let Some(word) = tail.get(..end).and_then(<[u8]>::last_chunk::<8>) else {
            continue;
        };
        let seconds = u64::from_le_bytes(*word);
        if SECONDS.contains(&seconds) {
            *times.entry(seconds).or_default() += 1;
        }
    }
    let (seconds, count) = times.into_iter().max_by_key(|(_, count)| *count)?;
    (count >= 2).then(|| At::unix(i64::try_from(seconds).ok()?, "time of the request in uv's cache"))?
}

#[cfg(test)]
mod tests {
    use super::{super::trial::tried, *};
    use crate::surface::python::archive::made;

    const CLICK: &str = "ae74fb96c20a0277a1d615f1e4d73c8414f5a98db8b799a7931d1582f3390c28";

    fn pointer(bytes: &[u8], path: &str) -> (Artifact, At) {
        let mut got = tried(&UvCache, path, bytes, &made::interest());
        assert_eq!(got.packages(), ["click 8.1.7 Cached"], "{path}");
        let seen = got.seen.remove(0);
        let Fact::Package(mut package) = seen.fact else { panic!() };
        (package.artifacts.remove(0), seen.at.unwrap())
    }

    #[test]
    fn pointers_of_every_generation_are_read() {
        let base = "c/uv/wheels-v5/pypi/click/8.1.7-py3-none-any.http";
        for (bytes, hash, size) in [
            (include_bytes!("../../../tests/fixtures/uv-cache/0.9.30_click.http.bin").as_slice(), None, None),
            (include_bytes!("../../../tests/fixtures/uv-cache/0.11.33_click.http.bin"), Some(CLICK), None),
            (include_bytes!("../../../tests/fixtures/uv-cache/0.12.24_click.http.bin"), Some(CLICK), Some(97_941)),
            (include_bytes!("../../../tests/fixtures/uv-cache/0.13.9_click.http.bin"), Some(CLICK), Some(97_941)),
        ] {
            let (artifact, at) = pointer(bytes, base);
            assert_eq!(artifact.name.as_deref(), Some("click-8.1.7-py3-none-any.whl"));
            assert_eq!((artifact.sha256.as_deref(), artifact.size), (hash, size));
            assert_eq!(at.source, "time of the request in uv's cache");
            assert_eq!(at.time.strftime("%Y-%m-%d").to_string(), "2026-11-22");
        }
        // uv up to 0.5: the whole stem in the name, id and hashes in the value.
        let old = "c/uv/wheels-v1/index/0123456789abcdef/click/click-8.1.7-py3-none-any.http";
        let (artifact, at) = pointer(b"\x92\xa3abc\x90", old);
        assert_eq!(artifact.name.as_deref(), Some("click-8.1.7-py3-none-any.whl"));
        assert_eq!((artifact.sha256, &*at.source), (None, "mtime of the cache entry"));
    }

    #[test]
    fn metadata_and_sdists_have_their_own_placement() {
        let metadata = b"\x96\xa7litellm\xa61.82.8\x91\xabopenai>=1.0\xc0\x90\xc2";
        let got = tried(&UvCache, "c/wheels-v8/pypi/litellm/1.82.8-py3-none-any.msgpack", metadata, &made::interest());
        assert_eq!(got.packages(), ["litellm 1.82.8 Listed"]);
        let revision =
            [b"\x93\xa3abc\x91\x81\xa6Sha256\xd9\x40".as_slice(), CLICK.as_bytes(), b"\xcd\x01\x22"].concat();
        let got = tried(&UvCache, "c/sdists-v9/pypi/telnyx/4.87.1/revision.http", &revision, &made::interest());
        assert_eq!(got.packages(), ["telnyx 4.87.1 Cached"]);
        let Fact::Package(package) = &got.seen[0].fact else { panic!() };
        assert_eq!((package.artifacts[0].size, package.artifacts[0].sha256.as_deref()), (Some(290), Some(CLICK)));
    }

    #[test]
    fn what_stands_elsewhere_is_left_alone() {
        for path in [
            "api/requests/1.82.8-get.http",
            "c/wheels/pypi/litellm/1.82.8-py3-none-any.http",
            "c/interpreter-v5/1697c3caa117b6e6/07d59966ee24306f.msgpack",
            "c/sdists-v11/path/f25a61dd91bda606/revision.rev",
            "c/sdists-v11/pypi/litellm/1.82.8/5KyE/metadata.msgpack",
            "c/wheels-v8/pypi/lite\u{1b}llm/1.82.8-py3-none-any.http",
        ] {
            let got = tried(&UvCache, path, b"\x92\xa3abc\x90", &made::interest());
            assert!(got.seen.is_empty() && got.flaw.is_none(), "{path}");
        }
    }

    #[test]
    fn damage_is_a_flaw() {
        let path = "c/wheels-v8/pypi/litellm/1.82.8-py3-none-any.http";
        for bad in [b"".as_slice(), b"\x92\xa3ab", b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", &[0x91; 100_000]] {
            assert!(tried(&UvCache, path, bad, &made::interest()).flaw.is_some());
        }
    }
}
