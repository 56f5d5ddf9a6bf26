//! RPM package files.
//!
//! ```text
//! var/cache/dnf/REPOSITORY/packages/trivy-0.69.4-1.x86_64.rpm          also of zypp, yum and libdnf5, and wherever somebody put one
//! ├── lead, 96 bytes                  "\xed\xab\xee\xdb"
//! ├── header of the signatures        "\x8e\xad\xe8\x01", four bytes, then a header, filled up to eight bytes
//! └── header of the package           the same; name, version, release, epoch
//! ```
//!
//! A hit proves that the file is stored. What the file says counts; of one that cannot be read the name alone is known. Documented in
//! rpm's "Package format V4".

use super::{is_name, package, rpm_header::Header};
use crate::{
    ecosystem::{is_version, rpm},
    fact::{Ecosystem, Fact, Placement, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

const WHAT: &str = "RPM package";
const LEAD: &[u8] = b"\xed\xab\xee\xdb";
const HEADER: &[u8] = b"\x8e\xad\xe8\x01";
/// Bytes of the lead.
const SIGNATURES: usize = 96;
/// Both headers of a package with ten thousand files have less.
const HEADERS: usize = 4 << 20;

/// `*.rpm`.
pub struct RpmFile;

static META: Meta = Meta {
    id: "system/rpm-file",
    title: "RPM package files",
    proves: "the package is stored; not that it was installed",
};

impl Surface for RpmFile {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::suffix(".rpm")]
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        let (name, version) = by_name(path).filter(|_| kind != Kind::Dir)?;
        Some((path.clone(), Fact::Named(package(Ecosystem::Rpm, name, version, Placement::Cached)?)))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the package file");
        let named = by_name(&file.entry.path);
        let known = named.is_some_and(|(name, _)| file.interest.knows_package(Ecosystem::Rpm, name));
        let bytes = file.head(HEADERS)?;
        let header = main_header(bytes).and_then(Header::new);
        let found = header.and_then(|header| Some((header.package(Placement::Cached)?, header.built())));
        if let Some((found, built)) = found {
            out.push(built.or(at), Fact::Package(found));
            return Ok(());
        }
        let by_name = named.and_then(|(name, version)| package(Ecosystem::Rpm, name, version, Placement::Cached));
        by_name.into_iter().for_each(|named| out.push(at.clone(), Fact::Named(named)));
        if known { Err(Flaw::malformed(WHAT, "its headers are damaged")) } else { Ok(()) }
    }
}

fn by_name(path: &TreePath) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(path.name()).ok()?;
    let (name, version) = rpm::split(text.strip_suffix(".rpm")?)?;
    (is_name(name) && is_version(Ecosystem::Rpm, version)).then_some((name, version))
}

/// The header of the package, from its counts on.
fn main_header(bytes: &[u8]) -> Option<&[u8]> {
    let signatures = bytes.starts_with(LEAD).then(|| header(bytes.get(SIGNATURES..)?))??;
    let rest = signatures.get(Header::len(signatures)?.checked_next_multiple_of(8)?..)?;
    header(rest)
}

/// Behind the mark and what is reserved.
fn header(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(HEADER)?.get(4..)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{rpm_header::made, trial::said},
        *,
    };

    fn file(name: &str, version: &str, release: &str) -> Vec<u8> {
        let mark = [HEADER, &[0; 4]].concat();
        let mut file = LEAD.to_vec();
        file.resize(SIGNATURES, 0);
        file.extend_from_slice(&mark);
        file.extend_from_slice(&made::header("s", "1", "1", Some(7)));
        file.resize((file.len() - SIGNATURES).next_multiple_of(8) + SIGNATURES, 0);
        [file.as_slice(), &mark, &made::header(name, version, release, None), b"payload"].concat()
    }

    fn of(name: &str, bytes: &[u8]) -> Vec<String> {
        said(&RpmFile, &format!("var/cache/dnf/r-1/packages/{name}"), bytes, &[(Ecosystem::Rpm, "trivy")])
    }

    #[test]
    fn the_package_says_what_it_is_whatever_its_name() {
        let found = ["trivy 0.69.4-1 Cached 2026-03-23T21:06:40Z"];
        assert_eq!(of("trivy-0.69.4-1.x86_64.rpm", &file("trivy", "0.69.4", "1")), found);
        assert_eq!(of("download.rpm", &file("trivy", "0.69.4", "1")), found);
    }

    #[test]
    fn of_a_damaged_one_the_name_is_known() {
        let whole = file("trivy", "0.69.4", "1");
        for end in [0, 4, 96, 100, 110, 200, whole.len() - 80] {
            let found = of("trivy-0.69.4-1.x86_64.rpm", &whole[..end]);
            let flaw = "flaw: not a valid RPM package: its headers are damaged";
            assert_eq!(found, ["named trivy 0.69.4-1 Cached 2026-03-24T11:00:00Z", flaw], "{end}");
        }
        assert_eq!(of("xz-5.4.6-3.fc40.x86_64.rpm", b"x"), ["named xz 5.4.6-3.fc40 Cached 2026-03-24T11:00:00Z"]);
        for name in ["trivy.rpm", "trivy-0.69.4.rpm", ".rpm", "-1-1.noarch.rpm"] {
            assert_eq!(of(name, b"x"), [""; 0], "{name}");
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            of("trivy-0.69.4-1.x86_64.rpm", &bytes);
        }
    }
}
