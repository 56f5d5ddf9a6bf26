//! The header of an RPM package, as databases and package files hold it.
//!
//! ```text
//! u32 il, u32 dl                    entries of the index, bytes of the store; big-endian, also below
//! il × (tag, type, offset, count)   32 bits each; the offset is into the store
//! dl bytes                          a string ends with NUL
//! ```
//!
//! Documented in rpm's "Package format V4". Sizes and offsets are hostile: what points out of the bytes is not there.

use crate::{
    ecosystem::is_version,
    fact::{At, Ecosystem, Package, Placement},
};

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const BUILD_TIME: u32 = 1006;
const INSTALL_TIME: u32 = 1008;
/// Types of values.
const INT32: u32 = 4;
const STRING: u32 = 6;
/// Of the index; rpm accepts no more.
const ENTRIES: usize = 65_536;
const ENTRY: usize = 16;
/// Of a name, a version or a release.
const TEXT: usize = 512;

/// The bytes of a header.
pub struct Header<'b> {
    index: &'b [u8],
    store: &'b [u8],
}

impl<'b> Header<'b> {
    /// From its counts on; the store may be cut. `None` where it is none.
    pub fn new(bytes: &'b [u8]) -> Option<Self> {
        let entries = usize::try_from(be32(bytes, 0)?).ok().filter(|n| (1..=ENTRIES).contains(n))?;
        let store = usize::try_from(be32(bytes, 4)?).ok()?;
        let rest = bytes.get(8..)?;
        let (index, rest) = rest.split_at_checked(entries.checked_mul(ENTRY)?)?;
        Some(Self { index, store: rest.get(..store).unwrap_or(rest) })
    }

    /// Bytes of a whole header, by its first eight; `None` where it is none.
    pub fn len(bytes: &[u8]) -> Option<usize> {
        let entries = usize::try_from(be32(bytes, 0)?).ok().filter(|n| *n <= ENTRIES)?;
        let store = usize::try_from(be32(bytes, 4)?).ok()?;
        entries.checked_mul(ENTRY)?.checked_add(store)?.checked_add(8)
    }

    /// The package, as `rpm -qa` names it: the epoch only where there is one.
    pub fn package(&self, placement: Placement) -> Option<Package> {
        let (name, version, release) = (self.text(NAME)?, self.text(VERSION)?, self.text(RELEASE)?);
        let whole = match self.number(EPOCH) {
            Some(epoch) if epoch != 0 => format!("{epoch}:{version}-{release}"),
            _ => format!("{version}-{release}"),
        };
        // Keys of signatures are packages too.
        let good = is_version(Ecosystem::Rpm, &whole) && name != "gpg-pubkey";
        if good { super::package(Ecosystem::Rpm, name, &whole, placement) } else { None }
    }

    /// When it was installed.
    pub fn installed(&self) -> Option<At> {
        At::unix(self.number(INSTALL_TIME)?.into(), "time of installation in rpm's database")
    }

    /// When it was built.
    pub fn built(&self) -> Option<At> {
        At::unix(self.number(BUILD_TIME)?.into(), "time of the build in the package file")
    }

    /// Where the first value of a tag stands.
    fn at(&self, tag: u32, kind: u32) -> Option<usize> {
        let wanted = |entry: &&[u8]| be32(entry, 0) == Some(tag) && be32(entry, 4) == Some(kind);
        let entry = self.index.chunks_exact(ENTRY).find(wanted)?;
        usize::try_from(be32(entry, 8)?).ok()
    }

    fn text(&self, tag: u32) -> Option<&'b str> {
        let rest = self.store.get(self.at(tag, STRING)?..)?;
        let end = memchr::memchr(0, rest.get(..TEXT).unwrap_or(rest))?;
        std::str::from_utf8(rest.get(..end)?).ok()
    }

    fn number(&self, tag: u32) -> Option<u32> {
        be32(self.store, self.at(tag, INT32)?)
    }
}

/// Four bytes, the high one first.
fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
}

#[cfg(test)]
pub mod made {
    //! Headers for tests, in rpm's own form.

    /// A header with these values; each text also says its tag.
    pub fn header(name: &str, version: &str, release: &str, epoch: Option<u32>) -> Vec<u8> {
        let (mut index, mut store, mut count) = (Vec::new(), Vec::new(), 0_u32);
        let mut add = |tag: u32, kind: u32, value: &[u8], store: &mut Vec<u8>| {
            while kind == 4 && !store.len().is_multiple_of(4) {
                store.push(0);
            }
            let offset = u32::try_from(store.len()).unwrap();
            for field in [tag, kind, offset, 1] {
                index.extend_from_slice(&field.to_be_bytes());
            }
            store.extend_from_slice(value);
            count += 1;
        };
        for (tag, text) in [(1000, name), (1001, version), (1002, release)] {
            add(tag, 6, &[text.as_bytes(), b"\0"].concat(), &mut store);
        }
        epoch.iter().for_each(|e| add(1003, 4, &e.to_be_bytes(), &mut store));
        add(1006, 4, &1_774_300_000_u32.to_be_bytes(), &mut store);
        add(1008, 4, &1_774_350_000_u32.to_be_bytes(), &mut store);
        let length = u32::try_from(store.len()).unwrap();
        [count.to_be_bytes().as_slice(), &length.to_be_bytes(), &index, &store].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::{made::header, *};

    fn of(bytes: &[u8]) -> Option<String> {
        let header = Header::new(bytes)?;
        let package = header.package(Placement::Loadable)?;
        let at = header.installed().map(|at| at.time.to_string()).unwrap_or_default();
        Some(format!("{} {} {at}", package.name, package.version))
    }

    #[test]
    fn name_version_and_time_are_read() {
        assert_eq!(
            of(&header("xz-libs", "5.6.0", "1.fc40", None)).unwrap(),
            "xz-libs 5.6.0-1.fc40 2026-03-24T11:00:00Z"
        );
        assert_eq!(of(&header("vim", "9.0", "1", Some(2))).unwrap(), "vim 2:9.0-1 2026-03-24T11:00:00Z");
        assert_eq!(of(&header("vim", "9.0", "1", Some(0))).unwrap(), "vim 9.0-1 2026-03-24T11:00:00Z");
        assert_eq!(of(&header("gpg-pubkey", "a15b79cc", "63d04c2c", None)), None);
        assert_eq!(of(&header("../x", "1", "1", None)), None);
        assert_eq!(of(&header("x", "1 2", "1", None)), None);
    }

    #[test]
    fn every_cut_and_every_broken_byte_is_borne() {
        let whole = header("xz-libs", "5.6.0", "1.fc40", Some(1));
        assert_eq!(Header::len(&whole), Some(whole.len()));
        for end in 0..whole.len() {
            of(&whole[..end]);
        }
        for at in 0..whole.len() {
            for bits in [0xff, 0x80, 0x01] {
                let mut bytes = whole.clone();
                bytes[at] ^= bits;
                of(&bytes);
            }
        }
        for counts in [[0xff; 8], [0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff], [0; 8]] {
            assert_eq!(of(&[counts.as_slice(), &[0; 64]].concat()), None);
        }
    }
}
