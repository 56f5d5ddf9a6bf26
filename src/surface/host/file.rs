//! Files that an indicator names, wherever they stand: dropped backdoors, staging archives, trojaned modules.
//!
//! A hit by hash proves the bytes. A hit by path proves as much as the path is distinctive; an indicator whose name others
//! use too asks for a text in the file as well, and only whether that text is there leaves this reader.
//! Start-up code (`*.pth`, `sitecustomize.py`) is read by `python/hook`, units by `systemd/unit`.

use super::systemd::is_unit;
use crate::{
    fact::Fact,
    interest::{Interest, WantedFile, WantedFolder},
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, python::hook::is_hook_name},
};

/// Texts are looked for in the first part of a file; what a payload drops is far smaller.
const TEXTS_IN: usize = 4 << 20;

/// Files by name.
pub struct NamedFile;

/// Every file by hash: `--deep`.
pub struct EveryFile;

static NAMED: Meta = Meta {
    id: "host/file",
    title: "files that an indicator names",
    proves: "the bytes, where the hash is known; else that a file of that name stands there",
};

static EVERY: Meta =
    Meta { id: "host/every-file", title: "every file, by hash (--deep)", proves: "the bytes, whatever the name" };

impl Surface for NamedFile {
    fn meta(&self) -> &'static Meta {
        &NAMED
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

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if !file.interest.wants_size(file.entry.path.name(), file.entry.len) {
            return Ok(());
        }
        let at = file.entry.btime.map(|t| crate::fact::At::new(t, "birth time"));
        let at = at.or_else(|| file.mtime("mtime of the file"));
        let interest = file.interest;
        let texts = interest.texts_in(file.head(TEXTS_IN)?);
        let fact = Fact::File { sha256: file.sha256_or_gap(out), size: file.entry.len, texts };
        out.push(at, fact);
        Ok(())
    }
}

impl Surface for EveryFile {
    fn meta(&self) -> &'static Meta {
        &EVERY
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::any()]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the file");
        let fact = Fact::File { sha256: Some(file.sha256()?), size: file.entry.len, texts: Vec::new() };
        out.push(at, fact);
        Ok(())
    }
}
