//! Files that are named by their digests: a copy of a bucket, an OCI layout without its index, the storage of Quay, Gitea or
//! Artifactory.
//!
//! ```text
//! blobs/sha256/<digest>    sha256/<2>/<digest>    <2>/<2>/<digest>    sha256:<digest>    sha256__<digest>
//! ```
//!
//! Nothing gives the images names.

use super::{
    super::{
        below::Below,
        blobs::{Blobs, Digest},
    },
    Found,
};
use crate::surface::Flaw;

/// Folders within folders.
const DEPTH: usize = 8;
/// Folders looked into.
const FOLDERS: usize = 1_000_000;

/// Reads a store of this form; `None` where no file is named by a digest, or where it is an OCI layout, which has names.
pub(super) fn read(store: &Below) -> Option<(Blobs, Found)> {
    if store.size(b"index.json").is_some() {
        return None;
    }
    let (mut blobs, mut found, mut folders) = (Blobs::empty(), Found::default(), 0);
    let mut waiting = vec![Vec::new()];
    while let Some(place) = waiting.pop() {
        folders += 1;
        if folders > FOLDERS {
            found.flaw(b"", Flaw::malformed("store of blobs", "it has more folders than are looked into"));
            break;
        }
        let folder = store.within(if place.is_empty() { b"." } else { &place });
        let names = folder.and_then(|folder| folder.map(|f| f.names().map(|names| (f, names))).transpose());
        match names {
            Ok(Some((folder, names))) => {
                for (name, kind) in names {
                    let path = if place.is_empty() { name.clone() } else { [place.as_slice(), b"/", &name].concat() };
                    if kind.is_dir() {
                        if path.iter().filter(|b| **b == b'/').count() < DEPTH {
                            waiting.push(path);
                        } else {
                            found.flaw(&path, Flaw::malformed("store of blobs", "folders are nested too deeply"));
                        }
                    } else if let Some(digest) = digest(&name) {
                        match folder.size(&name) {
                            Some(len) => blobs.add(digest, len, Some(&path)),
                            None => found.flaw(&path, Flaw::malformed("blob", "not a file")),
                        }
                    }
                }
            }
            Ok(None) => {}
            Err(flaw) => found.flaw(&place, flaw),
        }
    }
    (blobs.len() > 0).then_some((blobs, found))
}

/// The digest in a name, whatever stands before it and whatever ending it has.
fn digest(name: &[u8]) -> Option<Digest> {
    const FRONTS: &[&[u8]] = &[b"", b"sha256:", b"sha256-", b"sha256_", b"sha256__", b"sha256%3A"];
    let stem = name.split(|b| *b == b'.').next()?;
    FRONTS.iter().find_map(|front| Digest::of_hex(stem.strip_prefix(*front)?))
}
