//! Where the data of a program lies in its file: ELF, PE, Mach-O. What is no sound program has none.

use super::program::read_at;
use crate::tree::body::ReadSeek;

/// What of the start of a file is enough for its tables of segments.
pub const START: usize = 4096;
/// What is read of the data.
pub const BLOB: u64 = 1 << 20;
/// A program has some tens of sections and segments.
const ENTRIES: usize = 200;

/// A program's segments.
pub struct Image {
    /// Address, place in the file and size there of each.
    segments: Vec<(u64, u64, u64)>,
    /// Where the first one lies that can be written.
    data: Option<u64>,
    /// Of ELF: the table of sections: its place, the size and number of its rows, and the row that holds the names.
    sections: Option<Sections>,
}

struct Sections {
    place: u64,
    row: usize,
    count: usize,
    names: usize,
    wide: bool,
    big: bool,
}

/// A number of 2, 4 or 8 bytes.
fn number(bytes: &[u8], big: bool) -> Option<u64> {
    let step = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    match bytes.len() {
        1..=8 if big => Some(bytes.iter().fold(0, step)),
        1..=8 => Some(bytes.iter().rev().fold(0, step)),
        _ => None,
    }
}

/// Reads numbers of one byte order from a table.
struct Numbers<'b>(&'b [u8], bool);

impl Numbers<'_> {
    fn at(&self, place: usize, size: usize) -> Option<u64> {
        number(self.0.get(place..place.checked_add(size)?)?, self.1)
    }

    fn index(&self, place: usize, size: usize) -> Option<usize> {
        usize::try_from(self.at(place, size)?).ok()
    }
}

impl Image {
    /// By the start of a file; `None` where it is no program.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x7f, b'E', b'L', b'F', ..] => elf(head),
            [b'M', b'Z', ..] => pe(head),
            [0xcf, 0xfa, 0xed, 0xfe, ..] => macho(head),
            _ => None,
        }
    }

    /// A number in the program.
    #[expect(clippy::unused_self, reason = "it is one of this program")]
    pub fn number(&self, bytes: &[u8], big: bool) -> Option<u64> {
        number(bytes, big)
    }

    /// Where the data starts in the file.
    pub fn data(&self) -> Option<u64> {
        self.data
    }

    /// Where an address lies in the file.
    pub fn offset_of(&self, address: u64) -> Option<u64> {
        self.segments.iter().find_map(|(start, place, size)| {
            let into = address.checked_sub(*start).filter(|into| into < size)?;
            place.checked_add(into)
        })
    }

    /// Where a section of this name lies, which ends in a zero, and its size.
    pub fn section(&self, body: &mut dyn ReadSeek, wanted: &[u8]) -> Option<(u64, u64)> {
        let table = self.sections.as_ref()?;
        let size = u64::try_from(table.row.checked_mul(table.count)?).ok()?;
        let rows = read_at(body, table.place, size)?;
        let rows = Numbers(&rows, table.big);
        let (offset, width) = if table.wide { (24, 8) } else { (16, 4) };
        let names = table.names.checked_mul(table.row)?;
        let texts = read_at(body, rows.at(names.checked_add(offset)?, width)?, 64 << 10)?;
        (0..table.count).find_map(|row| {
            let row = row.checked_mul(table.row)?;
            let name = texts.get(rows.index(row, 4)?..)?;
            let number = |into: usize| rows.at(row.checked_add(into)?, width);
            name.starts_with(wanted).then(|| number(offset).zip(number(offset + width)))?
        })
    }
}

fn elf(head: &[u8]) -> Option<Image> {
    let wide = *head.get(4)? == 2;
    let big = *head.get(5)? == 2;
    let all = Numbers(head, big);
    let (place, row, count) = if wide { (all.index(32, 8)?, 54, 56) } else { (all.index(28, 4)?, 42, 44) };
    let (row, count) = (all.index(row, 2)?, all.index(count, 2)?.min(ENTRIES));
    let (mut segments, mut data) = (Vec::new(), None);
    for nth in 0..count {
        let at = nth.checked_mul(row).and_then(|into| place.checked_add(into))?;
        let Some(kind) = all.at(at, 4) else {
            break;
        };
        let field = |wide_at: usize, at_narrow: usize| {
            if wide { all.at(at.checked_add(wide_at)?, 8) } else { all.at(at.checked_add(at_narrow)?, 4) }
        };
        let flags = all.at(at.checked_add(if wide { 4 } else { 24 })?, 4)?;
        let (Some(offset), Some(address), Some(size)) = (field(8, 4), field(16, 8), field(32, 16)) else {
            break;
        };
        if kind == 1 {
            segments.push((address, offset, size));
            if flags & 3 == 2 {
                data = data.or(Some(offset));
            }
        }
    }
    let sections = if wide { (all.at(40, 8)?, 58) } else { (all.at(32, 4)?, 46) };
    let (place, fields) = sections;
    let (row, count, names) = (all.index(fields, 2)?, all.index(fields + 2, 2)?, all.index(fields + 4, 2)?);
    let sound = place > 0 && (40..=64).contains(&row) && count <= ENTRIES && names < count;
    let sections = sound.then_some(Sections { place, row, count, names, wide, big });
    Some(Image { segments, data, sections })
}

fn pe(head: &[u8]) -> Option<Image> {
    let all = Numbers(head, false);
    let start = all.index(0x3c, 4)?;
    if head.get(start..start.checked_add(4)?)? != b"PE\0\0" {
        return None;
    }
    let (count, optional) = (all.index(start + 6, 2)?.min(ENTRIES), all.index(start + 20, 2)?);
    let base = match all.at(start + 24, 2)? {
        0x20b => all.at(start + 48, 8)?,
        _ => all.at(start + 52, 4)?,
    };
    let table = start.checked_add(24)?.checked_add(optional)?;
    let (mut segments, mut data) = (Vec::new(), None);
    for nth in 0..count {
        let row = table.checked_add(nth * 40)?;
        let field = |at: usize| all.at(row.checked_add(at)?, 4);
        let (Some(address), Some(size), Some(place), Some(flags)) = (field(12), field(16), field(20), field(36)) else {
            break;
        };
        segments.push((base.checked_add(address)?, place, size));
        // Initialised data that can be read and written.
        if flags & 0xc000_0040 == 0xc000_0040 && size > 0 {
            data = data.or(Some(place));
        }
    }
    Some(Image { segments, data, sections: None })
}

fn macho(head: &[u8]) -> Option<Image> {
    let all = Numbers(head, false);
    let count = all.index(16, 4)?.min(ENTRIES);
    let (mut segments, mut data, mut at) = (Vec::new(), None, 32_usize);
    for _ in 0..count {
        let (Some(kind), Some(size)) = (all.at(at, 4), all.index(at.checked_add(4)?, 4)) else {
            break;
        };
        if kind == 0x19 {
            let field = |into: usize, size: usize| all.at(at.checked_add(into)?, size);
            let (Some(address), Some(place), Some(bytes)) = (field(24, 8), field(40, 8), field(48, 8)) else {
                break;
            };
            segments.push((address, place, bytes));
            let name = head.get(at.checked_add(8)?..at.checked_add(24)?)?;
            // Of its sections the one with the build information, else its start.
            if name.starts_with(b"__DATA") {
                let sections = all.index(at.checked_add(64)?, 4)?.min(ENTRIES);
                let own = (0..sections).find_map(|nth| {
                    let section = at.checked_add(72)?.checked_add(nth * 80)?;
                    let is = head.get(section..)?.starts_with(b"__go_buildinfo");
                    is.then(|| all.at(section.checked_add(48)?, 4))?
                });
                data = own.or(data).or(Some(place));
            }
        }
        if size == 0 {
            break;
        }
        at = at.checked_add(size)?;
    }
    Some(Image { segments, data, sections: None })
}
