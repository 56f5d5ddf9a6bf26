//! The binary lock file of Bun before its 1.2.
//!
//! ```text
//! "#!/usr/bin/env bun\nbun-lockfile-format-v0\n"
//! u32 format (2, 3)    [u8; 32] hash    u64 length of the file
//! u64 packages    u64 alignment    u64 columns (8)    u64 begin    u64 end
//! at begin, a column behind the other:
//!   name [u8; 8]    hash of the name u64    resolution [u8; 64] (format 2) or [u8; 72] (3)    …
//!     resolution: u8 kind (1 the project, 2 of a registry), at 8 the address, at 16 major, minor, patch (u32, in format 3 u64),
//!                 then the pre-release and the build, each a text
//! at end, six arrays: u64 start, u64 end, "\n<type> N sizeof, M alignof\n"; the last one holds the texts
//! ```
//!
//! All numbers are little-endian. A text of 8 bytes stands in place where the top bit of its last byte is 0; else it is a u32 offset and a
//! u32 length (without that bit) in the last array. Only packages of a registry are read. A hit proves that the project resolves to the
//! version; not that it was installed. Documented only by Bun's code; worked out of files of Bun 1.0 to 1.2.

use super::{
    listing::{FILE, Listing, is_of_dependency},
    raw,
};
use crate::{
    fact::{Fact, Package},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

const WHAT: &str = "bun.lockb";
const MAGIC: &[u8] = b"#!/usr/bin/env bun\nbun-lockfile-format-v0\n";
const ARRAYS: usize = 6;
const OF_A_REGISTRY: u8 = 2;

/// `bun.lockb`.
pub struct BunLockb;

static META: Meta = Meta {
    id: "node/bun-lockb",
    title: "the binary lock file of Bun",
    proves: "the project resolves to the version; not that it was installed",
};

impl Surface for BunLockb {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("bun.lockb")]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        head.starts_with(MAGIC).then_some("bun.lockb")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if is_of_dependency(&file.entry.path) {
            return Ok(());
        }
        let at = file.mtime("mtime of bun.lockb");
        let root = file.entry.path.parent();
        let bytes = file.all(FILE)?;
        if !bytes.starts_with(MAGIC) {
            return Err(Flaw::malformed(WHAT, "it does not start like one"));
        }
        let lock = Lock::new(bytes)?;
        // What it trusts stands in it as numbers, and in package.json by name.
        let allowed = [].into();
        out.push(at.clone(), Fact::ScriptsBlocked { by: "bun", root, allowed });
        let mut listing = Listing::new(out, at);
        for at in 0..lock.packages {
            if let Some((name, version)) = lock.package(at).ok_or(Flaw::Truncated(WHAT))? {
                listing.push(&name, &version, None, Vec::new());
            }
        }
        listing.end(WHAT)
    }
}

struct Lock<'b> {
    bytes: &'b [u8],
    texts: &'b [u8],
    packages: usize,
    begin: usize,
    /// Bytes of a resolution.
    resolution: usize,
}

impl<'b> Lock<'b> {
    fn new(bytes: &'b [u8]) -> Result<Self, Flaw> {
        let mut at = MAGIC.len();
        let format = number(bytes, at, 4).ok_or(Flaw::Truncated(WHAT))?;
        let resolution = match format {
            2 => 64,
            3 => 72,
            _ => return Err(Flaw::Unsupported("this format of bun.lockb")),
        };
        at += 4 + 32 + 8;
        let field = |nth: usize| number(bytes, at + nth * 8, 8).ok_or(Flaw::Truncated(WHAT));
        let (packages, begin, mut end) = (field(0)?, field(3)?, field(4)?);
        // Each has more bytes than these in its columns.
        if packages.checked_mul(resolution).is_none_or(|size| size > bytes.len()) {
            return Err(Flaw::malformed(WHAT, "more packages than it has room for"));
        }
        let mut texts: &[u8] = &[];
        for _ in 0..ARRAYS {
            let (start, stop) = (number(bytes, end, 8), number(bytes, end.saturating_add(8), 8));
            let (Some(start), Some(stop)) = (start, stop) else {
                return Err(Flaw::Truncated(WHAT));
            };
            texts = bytes.get(start..stop).ok_or(Flaw::malformed(WHAT, "an array that lies outside"))?;
            end = stop;
        }
        Ok(Self { bytes, texts, packages, begin, resolution })
    }

    /// The outer `None` where the file ends too early, the inner one for what is of no registry.
    fn package(&self, at: usize) -> Option<Option<(String, String)>> {
        let name = self.begin.checked_add(at.checked_mul(8)?)?;
        let resolutions = self.begin.checked_add(self.packages.checked_mul(16)?)?;
        let resolution = resolutions.checked_add(at.checked_mul(self.resolution)?)?;
        let entry = self.bytes.get(resolution..resolution.checked_add(self.resolution)?)?;
        if entry.first() != Some(&OF_A_REGISTRY) {
            return Some(None);
        }
        let size = if self.resolution == 64 { 4 } else { 8 };
        let part = |nth: usize| whole(entry.get(16 + nth * size..16 + (nth + 1) * size)?);
        let (major, minor, patch) = (part(0)?, part(1)?, part(2)?);
        // A text and its hash each; in format 2 aligned to 8 bytes behind three numbers of 4.
        let tags = if size == 4 { 32 } else { 40 };
        let mut version = format!("{major}.{minor}.{patch}");
        for (mark, from) in [('-', tags), ('+', tags + 16)] {
            let tag = self.text(entry.get(from..from + 8)?)?;
            if !tag.is_empty() {
                version.push(mark);
                version.push_str(&tag);
            }
        }
        let name = self.text(self.bytes.get(name..name.checked_add(8)?)?)?;
        Some(Some((name, version)))
    }

    fn text(&self, bytes: &[u8]) -> Option<String> {
        let text = if bytes.last()? & 0x80 == 0 {
            bytes.split(|b| *b == 0).next()?
        } else {
            let (offset, length) = (number(bytes, 0, 4)?, number(bytes, 4, 4)? & 0x7fff_ffff);
            self.texts.get(offset..offset.checked_add(length)?)?
        };
        // Longer ones are no names, and a hostile file could give each package the whole of the texts.
        Some(String::from_utf8_lossy(text.get(..300).unwrap_or(text)).into_owned())
    }
}

/// A little-endian number of `size` bytes.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<usize> {
    usize::try_from(whole(bytes.get(at..at.checked_add(size)?)?)?).ok()
}

fn whole(bytes: &[u8]) -> Option<u64> {
    let mut wide = [0; 8];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(u64::from_le_bytes(wide))
}

#[cfg(test)]
mod tests {
    use super::{
        super::listed::{Read, listed},
        *,
    };

    const V2: &[u8] = include_bytes!("../../../tests/fixtures/node-locks/bun.lockb.v2.sample");
    const V3: &[u8] = include_bytes!("../../../tests/fixtures/node-locks/bun.lockb.v3.sample");

    #[test]
    fn files_of_bun() {
        for bytes in [V2, V3] {
            let read = listed(&BunLockb, "p/bun.lockb", bytes);
            let expected = ["is-odd 3.0.1@?", "is-number 6.0.0@?", "@types/node 20.1.0@?"];
            assert_eq!((read.packages, read.gaps), (expected.map(str::to_owned).to_vec(), vec![]));
        }
        assert_eq!(listed(&BunLockb, "p/node_modules/x/bun.lockb", V2), Read::default());
    }

    #[test]
    fn a_prerelease_is_part_of_the_version() {
        // The pre-release of the last package, as a text in place.
        for (bytes, size, tags) in [(V2, 64, 32), (V3, 72, 40)] {
            let mut bytes = bytes.to_vec();
            let lock = Lock::new(&bytes).unwrap();
            let at = lock.begin + lock.packages * 16 + 3 * size + tags;
            bytes.get_mut(at..at + 4).unwrap().copy_from_slice(b"rc.1");
            let read = listed(&BunLockb, "p/bun.lockb", &bytes);
            assert!(read.packages.iter().any(|p| p.ends_with("-rc.1@?")), "{:?}", read.packages);
        }
    }

    #[test]
    fn hostile_files_are_gaps() {
        for cut in 0..V3.len() {
            // What lies behind the texts is not read.
            let read = listed(&BunLockb, "bun.lockb", V3.get(..cut).unwrap());
            assert!(read.packages.len() <= 3 && (read.gaps.len() == 1 || read.packages.len() == 3), "{cut}");
        }
        for at in MAGIC.len()..V3.len() {
            let mut bytes = V3.to_vec();
            *bytes.get_mut(at).unwrap() = 0xff;
            listed(&BunLockb, "bun.lockb", &bytes);
        }
        let mut many = V3.to_vec();
        let count = MAGIC.len() + 44;
        many.get_mut(count..count + 8).unwrap().fill(0xff);
        assert_eq!(listed(&BunLockb, "bun.lockb", &many).packages, [""; 0]);
        assert_eq!(listed(&BunLockb, "bun.lockb", b"{}").gaps.len(), 1);
    }
}
