//! Programs that were built with `cargo auditable`, by the list of crates that they carry.
//!
//! ```text
//! ~/.cargo/bin/x, /usr/bin/x, /app/x                ELF, where programs of Go are looked for too
//! └── section `.dep-v0`                             zlib, in it JSON:
//!     {"packages": [{"name": "serde", "version": "1.0.203", "source": "crates.io", "kind": "runtime", "dependencies": [3], "root": false}]}
//! ```
//!
//! Distributions build their programs so; `strip` leaves it. A hit proves that the program which stands there was built with the version (of `kind` `build`: that
//! it ran where that was); not that it ran here. Documented in "PARSING.md" of cargo-auditable.

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use serde::Deserialize;

use super::{package, requirement};
use crate::{
    ecosystem::cargo::{self, PROGRAM, is_name, is_version},
    fact::{Fact, Package, Placement, Requirement, TreePath, Unit},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        golang::{
            image::{Image, START},
            program::{claims, read_at},
        },
    },
};

const SECTION: &[u8] = b".dep-v0\0";
/// What is read of the section, packed and unpacked: the largest programs have some hundred kilobytes.
const PACKED: u64 = 4 << 20;
const UNPACKED: u64 = 16 << 20;
const CRATES: usize = 20_000;
const REQUIRED: usize = 1_000;

/// Executables of Rust.
pub struct Program;

static META: Meta = Meta {
    id: "cargo/program",
    title: "programs of Rust that list the crates in them",
    proves: "the program which stands there was built with the version; not that it ran",
};

#[derive(Deserialize)]
struct List {
    packages: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    version: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    dependencies: Vec<usize>,
}

impl Surface for Program {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, _: bool) -> Option<Unit> {
        Some(cargo::unit(path.clone(), path.clone(), PROGRAM))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        claims()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let head = file.head(START)?;
        if !head.starts_with(b"\x7fELF") {
            return Ok(());
        }
        let Some(image) = Image::of(head) else {
            return Ok(());
        };
        let at = file.mtime("mtime of the program");
        let mut body = match file.seekable() {
            Ok(body) => body,
            // Of a large member of a layer the end, where the table of sections is, would have to be held.
            Err(Flaw::TooLarge(_)) => return Ok(()),
            Err(flaw) => return Err(flaw),
        };
        let Some((place, size)) = image.section(&mut *body, SECTION) else {
            return Ok(());
        };
        let packed = read_at(&mut *body, place, size.min(PACKED)).unwrap_or_default();
        drop(body);
        let list = list(&packed).ok_or(Flaw::malformed("list of crates", "it is no packed JSON of that form"))?;
        let mut whole = list.packages.len() <= CRATES;
        for listed in list.packages.iter().take(CRATES).filter(|listed| is_of_registry(&listed.source)) {
            if !is_name(&listed.name) || !is_version(&listed.version) {
                whole = false;
                continue;
            }
            let requires = listed.dependencies.iter().take(REQUIRED).filter_map(|at| required(list.packages.get(*at)?));
            let found = package(&listed.name, &listed.version, Placement::Loadable);
            out.push(at.clone(), Fact::Package(Package { requires: requires.collect(), ..found }));
        }
        if whole { Ok(()) } else { Err(Flaw::malformed("list of crates", "a crate without a proper name and version")) }
    }
}

fn list(packed: &[u8]) -> Option<List> {
    let mut text = Vec::new();
    ZlibDecoder::new(packed).take(UNPACKED).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// A folder and a repository are somebody's own; another registry is `registry`, or its address.
fn is_of_registry(source: &str) -> bool {
    !matches!(source, "local" | "git") && !source.starts_with("git+") && !source.starts_with("path+")
}

fn required(other: &Listed) -> Option<Requirement> {
    let sound = is_name(&other.name) && is_version(&other.version);
    sound.then(|| requirement(&other.name, format!("{}@{}", other.name, other.version)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::ZlibEncoder};

    use super::{super::trial::said, *};

    /// A program of 64 bits with two sections: the names, and one of this name.
    fn elf(name: &[u8], data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(64, 0);
        let names = [b"\0.x\0".as_slice(), name, b"\0"].concat();
        bytes.extend(&names);
        let data_at = u64::try_from(bytes.len()).unwrap();
        bytes.extend(data);
        let table = u64::try_from(bytes.len()).unwrap();
        for (name, place, size) in [(1_u32, 64_u64, names.len()), (4, data_at, data.len())] {
            let mut row = name.to_le_bytes().to_vec();
            row.resize(24, 0);
            row.extend(place.to_le_bytes());
            row.extend(u64::try_from(size).unwrap().to_le_bytes());
            row.resize(64, 0);
            bytes.extend(row);
        }
        bytes[40..48].copy_from_slice(&table.to_le_bytes());
        bytes[58..64].copy_from_slice(&[64, 0, 2, 0, 0, 0]);
        bytes
    }

    fn packed(json: &str) -> Vec<u8> {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(json.as_bytes()).unwrap();
        zlib.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> (Vec<String>, Option<String>) {
        said(&Program, "h/.cargo/bin/x", bytes, &[])
    }

    const LIST: &str = r#"{"packages":[{"name":"serde","version":"1.0.203","source":"crates.io"},{"name":"x","version":"0.1.0","source":"local","dependencies":[0],"root":true}]}"#;

    #[test]
    fn crates_of_a_program_are_listed() {
        assert_eq!(read(&elf(b".dep-v0", &packed(LIST))), (vec!["package serde 1.0.203 Loadable".into()], None));
        assert_eq!(read(&elf(b".dep-v1", &packed(LIST))), (vec![], None));
    }

    #[test]
    fn broken_programs_are_survived() {
        let whole = elf(b".dep-v0", &packed(LIST));
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).0.len() <= 1);
        }
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] = 0xff;
            read(&broken);
        }
        for (json, gap) in [
            ("{", true),
            ("[]", true),
            ("{\"packages\":[]}", false),
            (r#"{"packages":[{"name":"a\u001b","version":"1.0.0"}]}"#, true),
        ] {
            let (said, flaw) = read(&elf(b".dep-v0", &packed(json)));
            assert_eq!((said, flaw.is_some()), (vec![], gap), "{json}");
        }
        assert!(read(&elf(b".dep-v0", &packed(&" ".repeat(64 << 20)))).1.is_some());
        for bytes in [b"".as_slice(), b"MZ", b"#!/bin/sh", &[0xff; 4096]] {
            assert_eq!(read(bytes), (vec![], None));
        }
    }
}
