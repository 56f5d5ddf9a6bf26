//! Archives: what is in them is read member by member, each within bounds.

use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};

use super::{Context, Fault, Imported, structured, text};
use crate::{stop, work};

/// More than any list of one file has, unpacked.
const FILE: u64 = 128 << 20;
/// Members of an archive: twice the records of the largest ecosystem. Each is some hundred bytes of its directory in memory.
const MEMBERS: usize = 500_000;
/// More than any archive of an ecosystem has, unpacked.
const ALL: u64 = 8 << 30;

/// By its first bytes.
pub fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// By its first bytes.
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// The bytes of a gzip file.
pub fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut unpacked = Vec::new();
    let decoder = Watched(flate2::read::MultiGzDecoder::new(bytes));
    decoder.take(FILE + 1).read_to_end(&mut unpacked).map_err(|e| or_ended(format!("broken gzip: {e}")))?;
    if larger(&unpacked, FILE) {
        return Err(Fault::Broken(format!("more than {} MB unpacked", FILE >> 20)));
    }
    Ok(unpacked)
}

/// The fault of a reader, unless the user ended it.
fn or_ended(what: String) -> Fault {
    if stop::requested() { Fault::Ended } else { Fault::Broken(what) }
}

/// Ends in an error where the user wishes to end.
struct Watched<R>(R);

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        stop::check()?;
        self.0.read(buf)
    }
}

/// No more than so many entries of a directory can be in an archive.
fn entries(archive: &mut (impl Read + Seek)) -> io::Result<usize> {
    archive.seek(SeekFrom::Start(0))?;
    let mut input = BufReader::with_capacity(1 << 17, Watched(&mut *archive));
    let (mut found, mut rest) = (0, Vec::new());
    loop {
        let block = input.fill_buf()?;
        if block.is_empty() {
            break;
        }
        // One may lie across two blocks.
        rest.extend_from_slice(block);
        let used = block.len();
        found += memchr::memmem::find_iter(&rest, b"PK\x01\x02").count();
        work::done(used);
        rest.drain(..rest.len().saturating_sub(3));
        input.consume(used);
    }
    archive.seek(SeekFrom::Start(0))?;
    Ok(found)
}

fn larger(bytes: &[u8], limit: u64) -> bool {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit
}

/// Every member of a zip that says what it is: JSON or CSV with a header, gzip accepted. A wheel is one.
pub fn zip(bytes: &mut (impl Read + Seek), context: Context<'_>, out: &mut Imported) -> Result<(), Fault> {
    let broken = |e: &dyn std::fmt::Display| or_ended(format!("broken zip: {e}"));
    if entries(bytes).map_err(|e| broken(&e))? > MEMBERS {
        return Err(Fault::Broken(format!("an archive of more than {MEMBERS} members")));
    }
    let mut archive = zip::ZipArchive::new(BufReader::new(bytes)).map_err(|e| broken(&e))?;
    let (mut known, mut budget) = (0_usize, ALL);
    for n in 0..archive.len() {
        out.goes_on()?;
        let mut member = match archive.by_index(n) {
            Ok(member) => member,
            Err(e) => {
                out.leave(format!("a member of an archive that cannot be read: {e}"), &format!("member {n}"));
                continue;
            }
        };
        if member.is_dir() {
            continue;
        }
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        let mut unpacked = Vec::new();
        let limit = FILE.min(budget);
        let read = Watched(&mut member).take(limit + 1).read_to_end(&mut unpacked);
        budget = budget.saturating_sub(u64::try_from(unpacked.len()).unwrap_or(u64::MAX));
        if larger(&unpacked, limit) {
            if budget == 0 {
                return Err(Fault::Broken(format!("`{name}`: the archive has more than {} GB unpacked", ALL >> 30)));
            }
            out.leave(format!("a member of an archive with more than {} MB", FILE >> 20), &name);
            continue;
        }
        if let Err(e) = read {
            return Err(or_ended(format!("`{name}`: {e}")));
        }
        let own = Context { name: context.name, ..context };
        match member_of(&unpacked, own, out, &mut budget) {
            Ok(()) => known += 1,
            Err(Fault::Unknown) => out.leave("a member of an archive that is no known format", &name),
            Err(Fault::Broken(what)) => {
                let line = what.lines().next().unwrap_or_default();
                out.leave("a member of an archive that is broken", &format!("{name}: {line}"));
            }
            Err(fault @ (Fault::TooMany | Fault::Ended)) => return Err(fault),
        }
    }
    if known == 0 { Err(Fault::Unknown) } else { Ok(()) }
}

fn member_of(bytes: &[u8], context: Context<'_>, out: &mut Imported, budget: &mut u64) -> Result<(), Fault> {
    if is_zip(bytes) {
        return Err(Fault::Unknown);
    }
    let unpacked;
    let bytes = if is_gzip(bytes) {
        unpacked = gunzip(bytes)?;
        *budget = budget.saturating_sub(u64::try_from(unpacked.len()).unwrap_or(u64::MAX));
        unpacked.as_slice()
    } else {
        bytes
    };
    // Programs and pictures of a wheel.
    let Ok(text) = text(bytes) else {
        return Err(Fault::Unknown);
    };
    // What a broken member gave before it broke is not half taken.
    let mut own = Imported::default();
    structured(text, context, &mut own)?;
    out.merge(own);
    out.goes_on()
}
