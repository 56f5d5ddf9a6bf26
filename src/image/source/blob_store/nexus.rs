//! A blob store of Sonatype Nexus in files.
//!
//! ```text
//! content/vol-<n>/chap-<n>/<uuid>.properties    @BlobStore.blob-name=v2/app/manifests/1.0  @Bucket.repo-name=images  deleted=true
//! content/vol-<n>/chap-<n>/<uuid>.bytes         (newer: content/<year>/<month>/<day>/<hour>/<minute>/<uuid>.…)
//! ```
//!
//! Names: `v2/-/blobs/sha256:<digest>`, `v2/<name>/manifests/<tag or digest>`, with or without a slash in front; those of other formats
//! are passed over. What was deleted stays until the store is compacted.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::{
    super::{
        below::{Below, Folders},
        blobs::{Blobs, Digest},
    },
    Found, State,
};
use crate::{stop, surface::Flaw, text::hex};

/// Folders within folders.
const DEPTH: usize = 8;
/// Bytes of the properties of one blob.
const PROPERTIES: u64 = 64 << 10;
const WHAT: &str = "blob store of Nexus";

/// Reads a store of this form; `None` where the folder is none.
///
/// # Errors
/// Where that cannot be found out.
pub(super) fn read(store: &Below) -> Result<Option<(Blobs, Found)>, Flaw> {
    let mut found = None;
    for top in ["content", ""] {
        if let Some(folder) = store.folder_within(top.as_bytes())?
            && folder.names()?.iter().any(|(name, kind)| kind.is_dir() && is_volume(name))
        {
            found = Some(top);
            break;
        }
    }
    let Some(top) = found else {
        return Ok(None);
    };
    let (mut blobs, mut found) = (Blobs::empty(), Found::default());
    let mut waiting = Folders::new(top.as_bytes());
    while let Some(place) = waiting.next() {
        let folder = store.within(&place);
        let names = folder.and_then(|folder| folder.map(|f| f.names().map(|names| (f, names))).transpose());
        match names {
            Ok(Some((folder, names))) => {
                for (name, kind) in names.into_iter().take_while(|_| !stop::requested()) {
                    let slash = if place.is_empty() { b"".as_slice() } else { b"/" };
                    let path = [place.as_slice(), slash, &name].concat();
                    if kind.is_dir() {
                        if path.iter().filter(|b| **b == b'/').count() < DEPTH {
                            waiting.add(path);
                        } else {
                            found.flaw(&path, Flaw::malformed(WHAT, "folders are nested too deeply"));
                        }
                    } else if let Some(stem) = name.strip_suffix(b".properties") {
                        let stem = [place.as_slice(), slash, stem].concat();
                        if let Err(flaw) = blob(&folder, &name, &stem, &mut blobs, &mut found) {
                            found.flaw(&path, flaw);
                        }
                    }
                }
            }
            Ok(None) => {}
            Err(flaw) => found.flaw(&place, flaw),
        }
    }
    if let Some(flaw) = waiting.flaw() {
        found.flaw(b"", flaw);
    }
    Ok(Some((blobs, found)))
}

/// `vol-01`, or a year with the layout of newer ones.
fn is_volume(name: &[u8]) -> bool {
    name.starts_with(b"vol-") || name.len() == 4 && name.starts_with(b"20") && name.iter().all(u8::is_ascii_digit)
}

/// One blob, by its properties.
fn blob(folder: &Below, name: &[u8], stem: &[u8], blobs: &mut Blobs, found: &mut Found) -> Result<(), Flaw> {
    let Some(text) = folder.text(name, PROPERTIES)? else {
        return Ok(());
    };
    let properties = properties(&text);
    let property = |name: &str| properties.get(name).map(String::as_str);
    let Some(what) = property("@BlobStore.blob-name").and_then(|n| n.trim_start_matches('/').strip_prefix("v2/"))
    else {
        return Ok(());
    };
    let bytes = [stem, b".bytes"].concat();
    let own = [name.strip_suffix(b".properties").unwrap_or(name), b".bytes"].concat();
    let is_deleted = property("deleted") == Some("true");
    if let Some((_, digest)) = what.rsplit_once("/blobs/") {
        let digest = Digest::new(digest).ok_or_else(|| Flaw::malformed(WHAT, "a blob without a digest"))?;
        let len = folder.size(&own).ok_or_else(|| Flaw::malformed(WHAT, "the bytes of a blob are missing"))?;
        blobs.add(digest, len, Some(&bytes));
    } else if let Some((image, reference)) = what.rsplit_once("/manifests/") {
        let repository = match property("@Bucket.repo-name").or_else(|| property("@Repo.repo-name")) {
            Some(hosted) => format!("{hosted}/{image}"),
            None => image.to_owned(),
        };
        // The manifest of a tag is stored under its tag.
        let content =
            folder.small(&own)?.ok_or_else(|| Flaw::malformed(WHAT, "the bytes of a manifest are missing"))?;
        let digest = Digest::of_hex(hex(&Sha256::digest(&content)).as_bytes());
        let digest = digest.ok_or_else(|| Flaw::malformed(WHAT, "a manifest without a digest"))?;
        blobs.add(digest, u64::try_from(content.len()).unwrap_or(u64::MAX), Some(&bytes));
        let tag = Some(reference).filter(|r| !r.contains(':'));
        let state = match (is_deleted, tag) {
            (true, _) => State::Deleted,
            (false, Some(_)) => State::Current,
            (false, None) => State::Untagged,
        };
        found.add(&repository.into(), tag, digest, state);
    }
    Ok(())
}

/// Java's properties: a line each, with a backslash before some signs.
fn properties(text: &[u8]) -> HashMap<String, String> {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().filter(|line| !line.starts_with(['#', '!']));
    let plain = |value: &str| value.trim().replace('\\', "");
    lines.filter_map(|line| line.split_once('=')).map(|(name, value)| (plain(name), plain(value))).collect()
}
