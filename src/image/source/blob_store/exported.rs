//! Files that are named by their digests: a copy of a bucket, an OCI layout without its index, the storage of Quay, Gitea or
//! Artifactory.
//!
//! ```text
//! blobs/sha256/<digest>    sha256/<2>/<digest>    <2>/<2>/<digest>    sha256:<digest>    sha256__<digest>
//! ```
//!
//! Nothing gives the images names.

use rustix::io::Errno;

use super::{
    super::{
        below::{Below, Folders},
        blobs::{Blobs, Digest},
    },
    Found,
};
use crate::{stop, surface::Flaw};

/// Folders within folders.
const DEPTH: usize = 8;
/// Folders looked into.
const FOLDERS: usize = 1_000_000;

/// Reads a store of this form; `None` where no file is named by a digest, or where it is an OCI layout, which has names. Layouts
/// inside and what is mounted there are not entered: this form is looked for in whatever folder a user names.
///
/// # Errors
/// Where the folder itself cannot be read.
pub(super) fn read(store: &Below) -> Result<Option<(Blobs, Found)>, Flaw> {
    if store.size(b"index.json").is_some() {
        return Ok(None);
    }
    let (mut blobs, mut found, mut folders) = (Blobs::empty(), Found::default(), 0);
    let (mut waiting, mut layouts) = (Folders::new(b""), Vec::new());
    while let Some(place) = waiting.next() {
        folders += 1;
        if folders > FOLDERS {
            found.flaw(b"", Flaw::malformed("store of blobs", "it has more folders than are looked into"));
            break;
        }
        let folder = match store.own(&place) {
            Ok(folder) => folder,
            Err(Errno::NOENT) => continue,
            Err(Errno::XDEV) => {
                found.leave_out(&place, "a file system that is mounted inside a store of blobs");
                continue;
            }
            Err(e) if place.is_empty() => return Err(Flaw::Io(e.into())),
            Err(e) => {
                found.flaw(&place, Flaw::Io(e.into()));
                continue;
            }
        };
        match folder.names() {
            Ok(names) if names.iter().any(|(name, _)| name == b"oci-layout") => layouts.push(place),
            Ok(names) => {
                for (name, kind) in names.into_iter().take_while(|_| !stop::requested()) {
                    let path = if place.is_empty() { name.clone() } else { [place.as_slice(), b"/", &name].concat() };
                    if kind.is_dir() {
                        if path.iter().filter(|b| **b == b'/').count() < DEPTH {
                            waiting.add(path);
                        } else {
                            found.flaw(&path, Flaw::malformed("store of blobs", "folders are nested too deeply"));
                        }
                    } else if kind.is_symlink() {
                        found.flaw(&path, Flaw::Unsupported("a link in a store of images"));
                    } else if let Some(digest) = digest(&name) {
                        match folder.size(&name) {
                            Some(len) => blobs.add(digest, len, Some(&path)),
                            None => found.flaw(&path, Flaw::malformed("blob", "not a file")),
                        }
                    }
                }
            }
            Err(flaw) => found.flaw(&place, flaw),
        }
    }
    if let Some(flaw) = waiting.flaw() {
        found.flaw(b"", flaw);
    }
    for layout in layouts {
        found.leave_out(&layout, "an OCI layout inside a store of blobs: name it itself");
    }
    Ok((blobs.len() > 0).then_some((blobs, found)))
}

/// The digest in a name, whatever stands before it and whatever ending it has.
fn digest(name: &[u8]) -> Option<Digest> {
    const FRONTS: &[&[u8]] = &[b"", b"sha256:", b"sha256-", b"sha256_", b"sha256__", b"sha256%3A"];
    let stem = name.split(|b| *b == b'.').next()?;
    FRONTS.iter().find_map(|front| Digest::of_hex(stem.strip_prefix(*front)?))
}
