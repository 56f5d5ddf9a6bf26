//! The storage of Distribution, on which Harbor and GitLab build.
//!
//! ```text
//! docker/registry/v2/blobs/sha256/<2>/<digest>/data
//! docker/registry/v2/repositories/<name>/_manifests/tags/<tag>/current/link          "sha256:<digest>"
//! docker/registry/v2/repositories/<name>/_manifests/tags/<tag>/index/sha256/<digest>/link
//! docker/registry/v2/repositories/<name>/_manifests/revisions/sha256/<digest>/link
//! docker/registry/v2/repositories/<name>/{_layers,_uploads}
//! ```
//!
//! `index` has every manifest that the tag ever named, `revisions` every manifest of the repository; a deleted one has a folder and no
//! link. Documented in Distribution's `registry/storage/paths.go`.

use std::sync::Arc;

use super::{
    super::{
        below::{Below, Folders},
        blobs::{Blobs, Digest, Layout},
    },
    Found, State,
};
use crate::{stop, surface::Flaw, text::escape_short};

/// What of the path to the version's folder the caller may have left to us.
const FRONTS: &[&str] = &["", "v2/", "registry/v2/", "docker/registry/v2/"];
/// Parts of a repository's name.
const DEPTH: usize = 64;
/// Bytes of a link: a digest.
const LINK: u64 = 256;
const WHAT: &str = "registry";

/// Reads a store of this form; `None` where the folder is none.
///
/// # Errors
/// Where that cannot be found out.
pub(super) fn read(store: &Below) -> Result<Option<(Blobs, Found)>, Flaw> {
    let mut found = Found::default();
    let mut front = None;
    for known in FRONTS {
        let repositories = format!("{known}repositories");
        if store.has(repositories.as_bytes())? || is_sharded(store, &format!("{known}blobs/sha256"))? {
            front = Some(known);
            break;
        }
    }
    let Some(front) = front else {
        // The blobs alone.
        for below in ["sha256", ""] {
            if is_sharded(store, below)? {
                return Ok(Some((Blobs::list(store, below, Layout::Sharded), found)));
            }
        }
        return Ok(None);
    };
    let blobs = Blobs::list(store, &format!("{front}blobs/sha256"), Layout::Sharded);
    let place = format!("{front}blobs");
    each(store, b"", place.as_bytes(), &mut found, &mut |_, name, _| match name {
        b"sha256" => Ok(()),
        _ => Err(Flaw::Unsupported("a digest that is no SHA-256")),
    });
    let place = format!("{front}repositories");
    match store.within(place.as_bytes()) {
        Ok(Some(folder)) => repositories(&folder, place.as_bytes(), &mut found),
        Ok(None) => found.leave_out(place.as_bytes(), "the folder of names is missing: images have none"),
        Err(flaw) => found.flaw(place.as_bytes(), flaw),
    }
    Ok(Some((blobs, found)))
}

/// Whether this folder has folders of two digits.
fn is_sharded(store: &Below, name: &str) -> Result<bool, Flaw> {
    let Some(folder) = store.folder_within(name.as_bytes())? else {
        return Ok(false);
    };
    let names = folder.names()?;
    let mut shards = names.iter().filter(|(name, _)| name.len() == 2 && name.iter().all(u8::is_ascii_hexdigit));
    Ok(shards.next().is_some_and(|(shard, _)| {
        let slash = if name.is_empty() { b"".as_slice() } else { b"/" };
        let inner = store.within([name.as_bytes(), slash, shard].concat().as_slice()).ok().flatten();
        let blobs = inner.as_ref().and_then(|inner| inner.names().ok()).unwrap_or_default();
        // Others keep the file itself there.
        blobs.is_empty() || blobs.iter().any(|(blob, kind)| Digest::of_hex(blob).is_some() && kind.is_dir())
    }))
}

/// All repositories below a folder, in no order.
fn repositories(top: &Below, place: &[u8], found: &mut Found) {
    let mut waiting = Folders::new(b"");
    while let Some(name) = waiting.next() {
        let path = || [place, b"/", &name].concat();
        let folder = top.within(&name);
        let names = folder.and_then(|folder| folder.map(|f| f.names().map(|names| (f, names))).transpose());
        let (folder, names) = match names {
            Ok(Some(found)) => found,
            Ok(None) => continue,
            Err(flaw) => {
                found.flaw(&path(), flaw);
                continue;
            }
        };
        for (part, kind) in names {
            if part == b"_manifests" {
                manifests(&folder, &name, &path(), found);
            } else if kind.is_dir() && !part.starts_with(b"_") {
                let below = if name.is_empty() { part } else { [name.as_slice(), b"/", &part].concat() };
                if below.iter().filter(|b| **b == b'/').count() >= DEPTH {
                    found.flaw(&path(), Flaw::malformed(WHAT, "names are nested too deeply"));
                } else {
                    waiting.add(below);
                }
            } else if kind.is_symlink() {
                found.flaw(&path(), Flaw::Unsupported("a link in place of a repository"));
            }
        }
    }
    if let Some(flaw) = waiting.flaw() {
        found.flaw(place, flaw);
    }
}

/// The manifests of one repository.
fn manifests(folder: &Below, name: &[u8], path: &[u8], found: &mut Found) {
    // A name that is none is shown as one that cannot be mistaken for another.
    let repository: Arc<str> = std::str::from_utf8(name).map_or_else(|_| escape_short(name, 500).into(), Into::into);
    each(folder, path, b"_manifests/revisions/sha256", found, &mut |inner, name, found| {
        let digest = Digest::of_hex(name).ok_or_else(|| Flaw::malformed(WHAT, "a name that is no digest"))?;
        let has_link = inner.size(&[name, b"/link"].concat()).is_some();
        found.add(&repository, None, digest, if has_link { State::Untagged } else { State::Deleted });
        Ok(())
    });
    each(folder, path, b"_manifests/tags", found, &mut |inner, name, found| {
        let tag = std::str::from_utf8(name).map_err(|_| Flaw::malformed(WHAT, "a tag that is none"))?;
        let current = current(inner, name);
        if let Ok(Some(digest)) = &current {
            found.add(&repository, Some(tag), *digest, State::Current);
        }
        let now = current.as_ref().ok().copied().flatten();
        if let Some(history) = inner.within(&[name, b"/index/sha256"].concat())? {
            for (name, _) in history.names()? {
                let digest = Digest::of_hex(&name).ok_or_else(|| Flaw::malformed(WHAT, "a name that is no digest"))?;
                if now != Some(digest) {
                    found.add(&repository, Some(tag), digest, State::Overwritten);
                }
            }
        }
        current.map(|_| ())
    });
}

/// What one name in a folder of the registry says.
type Take<'t> = dyn FnMut(&Below, &[u8], &mut Found) -> Result<(), Flaw> + 't;

/// Hands on each name in a folder; what is wrong with one does not keep the others from being read.
fn each(folder: &Below, path: &[u8], below: &[u8], found: &mut Found, take: &mut Take<'_>) {
    let listed = folder.within(below).and_then(|f| f.map(|f| f.names().map(|names| (f, names))).transpose());
    match listed {
        Ok(Some((inner, names))) => {
            for (name, _) in names.into_iter().take_while(|_| !stop::requested()) {
                if let Err(flaw) = take(&inner, &name, found) {
                    found.flaw(&[path, b"/", below, b"/", &name].concat(), flaw);
                }
            }
        }
        Ok(None) => {}
        Err(flaw) => found.flaw(&[path, b"/", below].concat(), flaw),
    }
}

/// What a tag names today.
fn current(tags: &Below, name: &[u8]) -> Result<Option<Digest>, Flaw> {
    let Some(text) = tags.text(&[name, b"/current/link"].concat(), LINK)? else {
        return Ok(None);
    };
    let text = std::str::from_utf8(text.trim_ascii()).ok().and_then(Digest::new);
    text.map(Some).ok_or_else(|| Flaw::malformed(WHAT, "a link that names no digest"))
}
