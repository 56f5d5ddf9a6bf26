//! Packed gems, in caches and anywhere else.
//!
//! ```text
//! ~/.local/share/gem/ruby/3.1.0/cache/NAME-VERSION.gem     of each gem home; what `gem install` fetched
//! project/vendor/cache/NAME-VERSION.gem                    `bundle package`
//! ~/.bundle/cache/NAME-VERSION.gem                         Bundler's global cache
//! └── metadata.gz                                          the first member of the tar: YAML, with name and version at its start
//! ```
//!
//! A hit proves that the bytes were fetched; not that anything was installed from them. Where the name of the file says nothing, or a name
//! that an indicator knows, its metadata is read as well. Documented in RubyGems' "Gem::Package", the layout in its guides.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::package;
use crate::{
    ecosystem::{
        gem::{full_name, is_name},
        is_version, same_version,
    },
    fact::{Artifact, Ecosystem, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

/// What of the start is read: the header and the start of the metadata.
const HEAD: usize = 16 << 10;
/// What of the metadata is unpacked.
const UNPACKED: u64 = 8 << 10;
/// The header of a member of a tar.
const HEADER: usize = 512;

/// `*.gem`.
pub struct GemFile;

static META: Meta = Meta {
    id: "ruby/gem-file",
    title: "packed gems",
    proves: "the bytes were fetched; not that anything was installed from them",
};

impl Surface for GemFile {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::suffix(".gem")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        inside(head).map(|_| "x.gem")
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        let (name, version) = by_name(path).filter(|_| kind != Kind::Dir)?;
        Some((path.clone(), Fact::Named(package(name, version, Placement::Cached))))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        let at = file.mtime("mtime of the gem");
        let interest = file.interest;
        let knows = |name: &str| interest.knows_package(Ecosystem::Gem, name);
        let named = by_name(&path);
        let known = named.is_some_and(|(name, _)| knows(name));
        let inside = if known || named.is_none() { inside(file.head(HEAD)?) } else { None };
        let inside = inside.as_ref().map(|(name, version)| (name.as_str(), version.as_str()));
        let hashed = known || inside.is_some_and(|(name, _)| knows(name));
        let sha256 = if hashed { file.sha256_or_gap(out) } else { None };
        let size = Some(file.entry.len);
        let found = |name: &str, version: &str| {
            let sha256 = sha256.clone();
            let artifact =
                Artifact { name: Some(format!("{name}-{version}.gem")), size, sha256, ..Artifact::default() };
            Package { artifacts: vec![artifact], ..package(name, version, Placement::Cached) }
        };
        match (named, inside) {
            (Some((name, version)), Some((own, at_version)))
                if name != own || !same_version(Ecosystem::Gem, at_version, version) =>
            {
                let what = format!("its file name says {name} {version}, its metadata says {own} {at_version}");
                out.push(None, Fact::Disagreement { names: [name.into(), own.into()], what });
                out.push(at.clone(), Fact::Named(found(name, version)));
                out.push(at, Fact::Package(found(own, at_version)));
            }
            (Some((name, version)), None) if known => {
                out.push(at, Fact::Named(found(name, version)));
                return Err(Flaw::malformed("gem", "its first member is no metadata with a name and a version"));
            }
            (Some((name, version)), _) | (None, Some((name, version))) => {
                out.push(at, Fact::Package(found(name, version)));
            }
            (None, None) => {}
        }
        Ok(())
    }
}

/// Name and version by the file's name.
fn by_name(path: &TreePath) -> Option<(&str, &str)> {
    let stem = std::str::from_utf8(path.name()).ok()?.strip_suffix(".gem")?;
    full_name(stem.split([' ', '(']).next().unwrap_or(stem))
}

/// Name and version by the metadata at the start of a gem.
fn inside(head: &[u8]) -> Option<(String, String)> {
    if !head.starts_with(b"metadata.gz\0") {
        return None;
    }
    let mut start = Vec::new();
    // What is cut off ends in an error behind what was unpacked.
    let _ = MultiGzDecoder::new(head.get(HEADER..)?).take(UNPACKED).read_to_end(&mut start);
    let text = String::from_utf8_lossy(&start);
    let mut lines = text.lines();
    let value = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
    let name = lines.find_map(|line| line.strip_prefix("name: ")).map(value)?;
    lines.find(|line| line.starts_with("version: "))?;
    let version = lines.next()?.strip_prefix("  version: ").map(value)?;
    (is_name(&name) && is_version(Ecosystem::Gem, &version)).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::{super::trial::said, *};

    const CACHE: &str = "h/.local/share/gem/ruby/3.1.0/cache";

    /// The start of a gem.
    fn packed(metadata: &str) -> Vec<u8> {
        let mut gz = GzEncoder::new(Vec::new(), Compression::default());
        gz.write_all(metadata.as_bytes()).unwrap();
        let mut bytes = b"metadata.gz\0".to_vec();
        bytes.resize(HEADER, 0);
        bytes.extend(gz.finish().unwrap());
        bytes.resize(bytes.len().next_multiple_of(HEADER), 0);
        bytes
    }

    fn gem(name: &str, version: &str) -> Vec<u8> {
        packed(&format!(
            "--- !ruby/object:Gem::Specification\nname: {name}\nversion: !ruby/object:Gem::Version\n  version: {version}\nplatform: ruby\n"
        ))
    }

    fn read(path: &str, bytes: &[u8]) -> (Vec<String>, Option<String>) {
        said(&GemFile, path, bytes, &["rest-client"])
    }

    #[test]
    fn a_gem_is_found_under_any_name() {
        let bytes = gem("rest-client", "1.6.13");
        for path in ["rest-client-1.6.13.gem", "rest-client-1.6.13 (1).gem", "x.gem"] {
            let is = vec!["package rest-client 1.6.13 Cached".to_owned()];
            assert_eq!(read(&format!("{CACHE}/{path}"), &bytes), (is, None), "{path}");
        }
        assert_eq!(read("h/rest-client-1.6.13-java.gem", &bytes).0, ["package rest-client 1.6.13-java Cached"]);
        assert_eq!(read("h/rake-13.0.6.gem", b"").0, ["package rake 13.0.6 Cached"]);
        assert_eq!(GemFile.recognises(&bytes), Some("x.gem"));
    }

    #[test]
    fn other_files_are_left_alone() {
        for bytes in [
            b"".to_vec(),
            b"metadata.gz\0".to_vec(),
            packed("name: x\n"),
            packed("name: a\u{1b}\nversion: x\n  version: 1"),
            vec![0; 5000],
        ] {
            assert_eq!(read("h/x.gem", &bytes), (vec![], None));
        }
    }

    #[test]
    fn a_gem_that_is_another_one_disagrees_with_its_name() {
        let path = format!("{CACHE}/rest-client-1.6.13.gem");
        let (said, flaw) = read(&path, &gem("harmless", "1.0"));
        let says = "disagreement its file name says rest-client 1.6.13, its metadata says harmless 1.0";
        assert_eq!(said, [says, "named rest-client 1.6.13 Cached", "package harmless 1.0 Cached"]);
        assert!(flaw.is_none());
        for bytes in [b"".to_vec(), b"PK".to_vec(), gem("a b", "1.0"), gem("x", "1.0")[..520].to_vec()] {
            let (said, flaw) = read(&path, &bytes);
            assert_eq!((said, flaw.is_some()), (vec!["named rest-client 1.6.13 Cached".to_owned()], true));
        }
    }
}
