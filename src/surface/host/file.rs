//! Files that an indicator names, wherever they stand: dropped backdoors, staging archives, trojaned modules.
//!
//! A hit by hash proves the bytes. A hit by path proves as much as the path is distinctive; an indicator whose name others
//! use too asks for a text in the file as well, and only whether that text is there leaves this reader.
//! Start-up code (`*.pth`, `sitecustomize.py`) is read by `python/hook`, units by `systemd/unit`.

use crate::{
    fact::Fact,
    interest::{Interest, WantedFile, WantedFolder},
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface, python::hook::is_hook_name, systemd::unit::is_unit,
    },
};

/// Texts are looked for in the first part of a file; what a payload drops is far smaller.
const TEXTS_IN: usize = 4 << 20;

/// The first bytes of a program.
const MAGIC: usize = 16;

/// Files by name.
pub struct NamedFile;

/// Of `NamedFile`.
pub static META: Meta = Meta {
    id: "host/file",
    title: "files that an indicator names",
    proves: "the bytes, where the hash is known; else that a file of that name stands there",
};

impl Surface for NamedFile {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Files, Shows::Artifacts]
    }

    fn claims(&self, interest: &Interest) -> Vec<Claim> {
        let own = |f: &&WantedFile| !is_hook_name(f.name.as_bytes()) && !is_unit(f.name.as_bytes());
        let claim = |f: &WantedFile| match &f.folder {
            WantedFolder::Any => Claim::pattern(&f.name),
            WantedFolder::Tail(tail) => Claim::pattern(&f.name).in_tail(tail),
            WantedFolder::Root(root) => Claim::pattern(&f.name).in_root(root),
        };
        interest.files.iter().filter(own).map(claim).collect()
    }

    fn subject(&self) -> Subject {
        Subject::Identity
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if !file.interest.wants_size(file.entry.path.name(), file.entry.len) {
            return Ok(());
        }
        let at = file.entry.btime.map(|t| crate::fact::At::new(t, "birth time"));
        let at = at.or_else(|| file.mtime("mtime of the file"));
        let interest = file.interest;
        let asked = interest.wants_texts(file.entry.path.name());
        let head = file.head(if asked { TEXTS_IN } else { MAGIC })?;
        let (texts, program) = (if asked { interest.texts_in(head) } else { Vec::new() }, is_program(head));
        let fact = Fact::File { sha256: file.sha256_or_gap(out), digest: None, size: file.entry.len, texts, program };
        out.push(at, fact);
        Ok(())
    }
}

/// Whether bytes start like a native program: ELF, Mach-O in each order and width, fat Mach-O, PE.
fn is_program(head: &[u8]) -> bool {
    const MAGICS: &[&[u8]] = &[
        b"\x7fELF",
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"MZ",
    ];
    MAGICS.iter().any(|magic| head.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use super::is_program;

    #[test]
    fn programs_are_known_by_their_first_bytes() {
        for head in [&b"\x7fELF\x02\x01\x01"[..], b"\xcf\xfa\xed\xfe\x07", b"MZ\x90\0"] {
            assert!(is_program(head), "{head:?}");
        }
        for head in [&b"2026-03-01 10:00:00 UTC [1] LOG:"[..], b"#!/bin/sh\n", b"", b"\x7fEL", b"M"] {
            assert!(!is_program(head), "{head:?}");
        }
    }
}
