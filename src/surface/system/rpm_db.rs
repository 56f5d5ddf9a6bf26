//! Packages that rpm installed.
//!
//! ```text
//! usr/lib/sysimage/rpm/rpmdb.sqlite     table Packages (hnum, blob): Fedora 36, RHEL 9 and later; before that in var/lib/rpm
//! usr/lib/sysimage/rpm/rpmdb.sqlite-wal its newest rows
//! usr/lib/sysimage/rpm/Packages.db      "ndb": openSUSE
//! var/lib/rpm/Packages                  Berkeley DB, a hash: RHEL 8, Amazon Linux 2, CentOS 7
//!
//! ndb, little-endian:
//!   header   "RpmP", version, generation, pages of slots; 32 bytes
//!   slots    "Slot", number of the package, offset (0: none) and length in blocks of 16 bytes; 16 bytes each, to the end of their pages
//!   blob     "BlbS", number of the package, generation, length; then the header of the package
//! ```
//!
//! A hit proves that rpm installed the version for the whole machine and did not remove it. Nothing is opened in place: the bytes of all
//! forms are read here. Documented in rpm's source, `lib/backend`.

use std::io::{Read as _, SeekFrom};

use super::rpm_header::Header;
use crate::{
    fact::{Fact, Placement},
    interest::Interest,
    sqlite::{Database, SqliteError, Value},
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::body::{Beside, ReadSeek},
};

const WHAT: &str = "database of rpm";

/// Of a desktop with five thousand packages.
const FILE: usize = 512 << 20;
const WAL: usize = 64 << 20;
/// Of one header that is read: what counts stands at its start, the time of the installation at its end.
const HEADER: u64 = 16 << 20;
/// More packages than any machine has.
const PACKAGES: usize = 200_000;
/// Bytes of all headers of an ndb: its slots may name the same one again and again.
const HEADERS: u64 = 2 << 30;
const NDB: &[u8] = b"RpmP";
const NDB_PAGE: u64 = 4096;
const NDB_BLOCK: u64 = 16;

/// `rpmdb.sqlite`, `Packages.db`, `Packages`.
pub struct RpmDb;

static META: Meta = Meta {
    id: "system/rpm-db",
    title: "packages that rpm installed",
    proves: "the version is installed for the whole machine; not that anybody used it",
};

impl Surface for RpmDb {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let names = ["rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages.db", "Packages"];
        let folders = ["lib/rpm", "lib/sysimage/rpm", "share/rpm"];
        names.iter().flat_map(|name| folders.map(|folder| Claim::name(name).in_tail(folder))).collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        match file.entry.path.name() {
            b"rpmdb.sqlite" => sqlite(file, out),
            b"rpmdb.sqlite-wal" => {
                // On a disk it is read with its database; in an archive the two cannot be brought together.
                let apart = file.beside("-wal", WAL)? == Beside::Unknown && !file.head(1)?.is_empty();
                if apart { Err(Flaw::Unsupported("the log of a database in an archive")) } else { Ok(()) }
            }
            b"Packages.db" if file.head(NDB.len())?.starts_with(NDB) => ndb(&mut *file.seekable()?, out),
            b"Packages.db" => Err(Flaw::malformed(WHAT, "it has no mark of ndb")),
            _ => super::berkeley::packages(file, &mut |bytes| push(bytes, out)),
        }
    }
}

/// Hands on the package of one header; whether it is one.
fn push(bytes: &[u8], out: &mut Sink<'_>) -> bool {
    let Some(header) = Header::new(bytes) else {
        return false;
    };
    if let Some(package) = header.package(Placement::Loadable) {
        out.push(header.installed(), Fact::Package(package));
    }
    true
}

fn sqlite(file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let beside = file.beside("-wal", WAL)?;
    let wal = match &beside {
        Beside::Bytes(bytes) => Some(bytes.as_slice()),
        Beside::Absent | Beside::Unknown => None,
    };
    let database = Database::new(file.all(FILE)?, wal).map_err(flaw)?;
    let tables = database.tables().map_err(flaw)?;
    let found = tables.iter().find(|t| t.name == "Packages").and_then(|t| Some((t, t.column("blob")?)));
    let (table, blob) = found.ok_or(Flaw::Unsupported("a database without packages of rpm"))?;
    let mut broken = false;
    let end = database.rows(table, &mut |_, row| {
        if let Some(Value::Blob(bytes)) = row.get(blob) {
            broken |= !push(bytes, out);
        }
        true
    });
    end.map_err(flaw)?;
    if broken { Err(Flaw::malformed(WHAT, "a header in it is damaged")) } else { Ok(()) }
}

fn flaw(error: SqliteError) -> Flaw {
    match error {
        SqliteError::Malformed(why) => Flaw::malformed(WHAT, why),
        SqliteError::Truncated => Flaw::Truncated(WHAT),
    }
}

fn ndb(file: &mut dyn ReadSeek, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let mut head = [0; 32];
    read_at(file, 0, &mut head)?;
    let pages = le32(&head, 12).map(u64::from).filter(|pages| *pages > 0);
    let pages = pages.ok_or(Flaw::malformed(WHAT, "it has no slots"))?;
    let (mut slots, mut count, mut broken, mut left) = (vec![0; 4096], 0_usize, false, HEADERS);
    for page in 0..pages {
        read_at(file, page * NDB_PAGE, &mut slots)?;
        for slot in slots.chunks_exact(16).skip(if page == 0 { 2 } else { 0 }) {
            if !slot.starts_with(b"Slot") || count > PACKAGES {
                return Err(Flaw::malformed(WHAT, "a slot has another form"));
            }
            let (Some(index), Some(offset @ 1..)) = (le32(slot, 4), le32(slot, 8)) else {
                continue;
            };
            count += 1;
            let Some(bytes) = blob(file, u64::from(offset) * NDB_BLOCK, index)? else {
                broken = true;
                continue;
            };
            left = left.checked_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX)).ok_or(Flaw::TooLarge(HEADERS))?;
            broken |= !push(&bytes, out);
        }
    }
    if broken { Err(Flaw::malformed(WHAT, "a header in it is damaged")) } else { Ok(()) }
}

/// The header at an offset; `None` where another package's is there.
fn blob(file: &mut dyn ReadSeek, offset: u64, index: u32) -> Result<Option<Vec<u8>>, Flaw> {
    let mut head = [0; 16];
    read_at(file, offset, &mut head)?;
    let length = le32(&head, 12).map(u64::from).unwrap_or_default();
    if !head.starts_with(b"BlbS") || le32(&head, 4) != Some(index) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(length.min(HEADER)).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn read_at(file: &mut dyn ReadSeek, offset: u64, into: &mut [u8]) -> Result<(), Flaw> {
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(into).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => Flaw::Truncated(WHAT),
        _ => e.into(),
    })
}

/// Four bytes, the low one first.
fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{rpm_header::made::header, trial::said},
        *,
    };

    // Made by rpm 4.18 from three packages of its own builder, of which one was removed again.
    const SQLITE: &[u8] = include_bytes!("../../../tests/fixtures/system/rpmdb.sqlite");
    // The same headers, put into a hash by `db5.3_load`.
    const BERKELEY: &[u8] = include_bytes!("../../../tests/fixtures/system/Packages");

    fn of(name: &str, bytes: &[u8]) -> Vec<String> {
        said(&RpmDb, &format!("var/lib/rpm/{name}"), bytes, &[])
    }

    /// As rpm's ndb writes it: a page of slots, then blobs.
    fn ndb(headers: &[Vec<u8>]) -> Vec<u8> {
        let mut file = [b"RpmP".as_slice(), &[0; 8], &1_u32.to_le_bytes(), &[9, 0, 0, 0], &[0; 12]].concat();
        let (mut blobs, mut at) = (Vec::new(), 4096_usize);
        for (header, number) in headers.iter().zip(1_u32..) {
            let length = u32::try_from(header.len()).unwrap();
            let mut blob =
                [b"BlbS".as_slice(), &number.to_le_bytes(), &[0; 4], &length.to_le_bytes(), header, b"BlbE"].concat();
            blob.resize(blob.len().next_multiple_of(16), 0);
            file.extend_from_slice(b"Slot");
            for field in [number, u32::try_from(at / 16).unwrap(), u32::try_from(blob.len() / 16).unwrap()] {
                file.extend_from_slice(&field.to_le_bytes());
            }
            at += blob.len();
            blobs.append(&mut blob);
        }
        while file.len() < 4096 {
            file.extend_from_slice(b"Slot\0\0\0\0\0\0\0\0\0\0\0\0");
        }
        [file, blobs].concat()
    }

    #[test]
    fn each_form_of_the_database_is_read() {
        let two = ["liblzma5 5.6.0-1.1 Loadable", "trivy 0.69.4-1 Loadable"];
        for (name, bytes) in [("rpmdb.sqlite", SQLITE), ("Packages", BERKELEY)] {
            let mut found = of(name, bytes);
            found.sort();
            let without: Vec<&str> = found.iter().map(|line| line.rsplit_once(' ').unwrap().0).collect();
            assert_eq!(without, two, "{name}");
        }
        let made = ndb(&[header("liblzma5", "5.6.0", "1.1", None), header("trivy", "0.69.4", "1", None)]);
        let at = "2026-03-24T11:00:00Z";
        assert_eq!(of("Packages.db", &made), two.map(|line| format!("{line} {at}")));
    }

    #[test]
    fn damaged_databases_say_so() {
        let made = ndb(&[header("trivy", "0.69.4", "1", None)]);
        let mut far = made.clone();
        far[32 + 8..32 + 12].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut other = made.clone();
        other[4096 + 4] = 7;
        let mut pages = made.clone();
        pages[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut length = made.clone();
        length[4096 + 12..4096 + 16].copy_from_slice(&u32::MAX.to_le_bytes());
        for (name, bytes) in [
            ("Packages.db", b"".as_slice()),
            ("Packages.db", b"RpmP"),
            ("Packages.db", &made[..4000]),
            ("Packages.db", &far),
            ("Packages.db", &other),
            ("Packages.db", &pages),
            ("rpmdb.sqlite", b""),
            ("rpmdb.sqlite", &SQLITE[..SQLITE.len() / 2]),
            ("rpmdb.sqlite", include_bytes!("../../../tests/fixtures/sqlite/plain.db")),
            ("Packages", b""),
            ("Packages", &[7; 4096]),
            ("Packages", &BERKELEY[..BERKELEY.len() / 2]),
        ] {
            let found = of(name, bytes);
            assert!(found.last().is_some_and(|last| last.starts_with("flaw: ")), "{name} {} {found:?}", bytes.len());
        }
        // A length beyond the end of the file costs nothing.
        assert_eq!(of("Packages.db", &length).len(), 1);
    }

    #[test]
    fn no_broken_byte_of_a_page_breaks_the_reader() {
        for at in (0..BERKELEY.len()).step_by(37) {
            let mut bytes = BERKELEY.to_vec();
            bytes[at] ^= 0xff;
            of("Packages", &bytes);
        }
    }
}
