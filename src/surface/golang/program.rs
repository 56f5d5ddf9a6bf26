//! Programs that Go built, by the list of modules that they carry.
//!
//! ```text
//! ~/go/bin/x, /usr/local/bin/x, /app/x, bin/x.exe      ELF, PE, Mach-O
//! └── `\xff Go buildinf:` in the data of the program   path, mod, dep lines: `dep\texample.com/a\tv1.2.3\th1:…`, `=>` what replaces it
//! ```
//!
//! Go 1.18 and later put the texts right behind the mark; 1.13 to 1.17 an address of them. `strip` leaves them; `-trimpath` too. Only programs in
//! folders of programs are read, and of each some tables and the start of its data. A hit proves that the code is part of a program that stands
//! there; not that it ran. Documented in Go's `debug/buildinfo`.

use std::io::{Read as _, SeekFrom};

use super::{
    image::{BLOB, Image, START},
    package,
};
use crate::{
    ecosystem::golang::{self, PROGRAM, is_name, is_release},
    fact::{Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::body::ReadSeek,
};

/// Larger lists of modules are cut: the largest programs have some 100 kB.
const TEXT: usize = 4 << 20;
const MODULES: usize = 20_000;
const MARK: &[u8] = b"\xff Go buildinf:";
const SECTION: &[u8] = b".go.buildinfo\0";
/// What stands before and behind the list of modules.
const SENTINEL: usize = 16;

/// Executables of Go.
pub struct Program;

static META: Meta = Meta {
    id: "golang/program",
    title: "programs that Go built, by the modules in them",
    proves: "the code is part of a program that stands there; not that it ran",
};

impl Surface for Program {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, _: bool) -> Option<Unit> {
        Some(golang::unit(path.clone(), path.clone(), PROGRAM))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        claims()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let Some(image) = Image::of(file.head(START)?) else {
            return Ok(());
        };
        let at = file.mtime("mtime of the program");
        let direct = match file.seekable() {
            Ok(mut body) => Some(modules(&image, &mut *body)),
            Err(Flaw::TooLarge(_)) => None,
            Err(flaw) => return Err(flaw),
        };
        let text = match direct {
            Some(text) => text,
            // Of a large member of a layer the front is read.
            None => match image.data() {
                Some(data) => {
                    let mut blob = Vec::new();
                    let mut body = file.reader();
                    std::io::copy(&mut (&mut body).take(data), &mut std::io::sink())?;
                    body.take(BLOB).read_to_end(&mut blob)?;
                    in_blob(&blob, &image, &mut |_, _| None)
                }
                None => None,
            },
        };
        for found in listed(&text.unwrap_or_default()) {
            out.push(at.clone(), Fact::Package(found));
        }
        Ok(())
    }
}

/// Programs, where they stand.
pub(in crate::surface) fn claims() -> Vec<Claim> {
    let anywhere = ["bin", "sbin", "libexec"].into_iter();
    let tails = anywhere.flat_map(|f| [Claim::no_ending().in_tail(f), Claim::suffix(".exe").in_tail(f)]);
    let roots = ["", "app", "go", "root"].map(|folder| Claim::no_ending().in_root(folder));
    tails.chain(roots).map(Claim::without_links).collect()
}

/// The list of modules of a program; `None` where it has none.
fn modules(image: &Image, body: &mut dyn ReadSeek) -> Option<String> {
    let place = image.section(body, SECTION).map(|(place, _)| place).or(image.data())?;
    let blob = read_at(body, place, BLOB)?;
    in_blob(&blob, image, &mut |address, length| {
        read_at(body, image.offset_of(address)?, u64::try_from(length.min(TEXT)).unwrap_or(0))
    })
}

/// So many bytes from there, or fewer where the file ends.
pub(in crate::surface) fn read_at(body: &mut dyn ReadSeek, place: u64, length: u64) -> Option<Vec<u8>> {
    body.seek(SeekFrom::Start(place)).ok()?;
    let mut bytes = Vec::new();
    body.take(length).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

type Fetch<'f> = dyn FnMut(u64, usize) -> Option<Vec<u8>> + 'f;

/// The list behind the mark in the data of a program.
fn in_blob(blob: &[u8], image: &Image, fetch: &mut Fetch<'_>) -> Option<String> {
    let at = memchr::memmem::find(blob, MARK)?;
    let header = blob.get(at..)?;
    let (pointer, flags) = (*header.get(14)?, *header.get(15)?);
    let bytes = if flags & 2 == 0 {
        // An address of an address and a length.
        let size = usize::from(pointer);
        let big = flags & 1 != 0;
        let number = |bytes: &[u8], at: usize| image.number(bytes.get(at..at.checked_add(size)?)?, big);
        let text = number(header, 16_usize.checked_add(size)?)?;
        let of_text = fetch(text, size.checked_mul(2)?)?;
        let (address, length) = (number(&of_text, 0)?, number(&of_text, size)?);
        fetch(address, usize::try_from(length).ok()?)?
    } else {
        let (_, rest) = counted(header.get(32..)?)?;
        counted(rest)?.0.to_vec()
    };
    let inner = bytes.get(SENTINEL..bytes.len().checked_sub(SENTINEL)?)?;
    Some(String::from_utf8_lossy(inner).into_owned())
}

/// A text behind its length, and what follows.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut length, mut shift) = (0_usize, 0_u32);
    for (at, byte) in bytes.iter().take(5).enumerate() {
        length |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return bytes.get(at + 1..)?.split_at_checked(length.min(TEXT));
        }
        shift += 7;
    }
    None
}

/// The modules of a list, and the program's own.
fn listed(text: &str) -> Vec<Package> {
    let mut found: Vec<Package> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let words: Vec<&str> = line.split('\t').take(5).collect();
        let (name, version) = match words.as_slice() {
            ["mod" | "dep", name, version, ..] => (name, version),
            // In place of the last one.
            ["=>", name, version, ..] => {
                if open {
                    found.pop();
                }
                (name, version)
            }
            _ => continue,
        };
        open = is_name(name) && is_release(version);
        if open && found.len() < MODULES {
            found.push(package(name, version, Placement::Loadable));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    const LIST: &str = "path\texample.com/app\nmod\texample.com/app\t(devel)\t\ndep\tgithub.com/boltdb-go/bolt\tv1.3.1\th1:x=\n\
                        dep\texample.com/a\tv1.0.0\n=>\texample.com/b\tv1.0.1\th1:y=\nbuild\t-compiler=gc\n";

    /// A program of 64 bits with one segment of data.
    fn elf(data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(32, 0);
        bytes.extend(64_u64.to_le_bytes());
        bytes.resize(54, 0);
        bytes.extend([56, 0, 1, 0]);
        bytes.resize(64, 0);
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(6_u32.to_le_bytes());
        bytes.extend(128_u64.to_le_bytes());
        bytes.extend(0x40_0000_u64.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend(u64::try_from(data.len()).unwrap().to_le_bytes());
        bytes.resize(128, 0);
        bytes.extend(data);
        bytes
    }

    fn inline(list: &str) -> Vec<u8> {
        let mut data = vec![0; 16];
        data.extend([MARK, &[8, 2]].concat());
        data.resize(48, 0);
        data.extend([&[6][..], b"go1.22"].concat());
        let length = list.len() + 32;
        data.push(u8::try_from(length & 0x7f | 0x80).unwrap());
        data.push(u8::try_from(length >> 7).unwrap());
        data.extend([&[7; 16], list.as_bytes(), &[7; 16]].concat());
        data
    }

    fn read(bytes: &[u8]) -> Vec<String> {
        let (said, flaw) = said(&Program, "h/go/bin/app", bytes, &[]);
        assert!(flaw.is_none());
        said
    }

    const IS: [&str; 2] =
        ["package github.com/boltdb-go/bolt v1.3.1 Loadable", "package example.com/b v1.0.1 Loadable"];

    #[test]
    fn modules_of_a_program_are_listed() {
        assert_eq!(read(&elf(&inline(LIST))), IS);
    }

    #[test]
    fn older_programs_point_at_the_list() {
        let mut data = [MARK, &[8, 0]].concat();
        data.extend(0_u64.to_le_bytes());
        data.extend(0x40_0040_u64.to_le_bytes());
        data.resize(64, 0);
        data.extend(0x40_0080_u64.to_le_bytes());
        data.extend(u64::try_from(LIST.len() + 32).unwrap().to_le_bytes());
        data.resize(128, 0);
        data.extend([&[7; 16], LIST.as_bytes(), &[7; 16]].concat());
        assert_eq!(read(&elf(&data)), IS);
    }

    #[test]
    fn other_and_broken_programs_say_nothing() {
        let whole = elf(&inline(LIST));
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).len() <= 2);
        }
        for at in 0..200 {
            let mut broken = whole.clone();
            broken[at] = 0xff;
            read(&broken);
        }
        for bytes in
            [b"".as_slice(), b"#!/bin/sh\n", b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", &[0xff; 4096], &elf(&[0; 5000])]
        {
            assert_eq!(read(bytes), [""; 0]);
        }
        let odd = "dep\ta\u{1b}\tv1.0.0\ndep\ta\tlatest\ndep\n=>\tb\n";
        assert_eq!(read(&elf(&inline(odd))), [""; 0]);
    }
}
