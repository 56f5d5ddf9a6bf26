//! Blobs by their digests, whatever the folders are that a store keeps them in.

use std::{collections::HashMap, fmt};

use super::{
    Store,
    below::Below,
    flaws::{Flaws, note},
};
use crate::{fact::TreePath, image::manifest::sha256, stop, surface::Flaw, text::hex};

/// Blobs of one store.
const BLOBS: usize = 2_000_000;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::image) struct Digest([u8; 32]);

impl Digest {
    /// From 64 digits.
    pub(super) fn of_hex(text: &[u8]) -> Option<Self> {
        let digit = |b: u8| match b {
            b'0'..=b'9' => Some(b - b'0'),
            b'a'..=b'f' => Some(b - b'a' + 10),
            _ => None,
        };
        let (pairs, rest) = text.as_chunks::<2>();
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }

    /// From `sha256:` and 64 digits.
    pub(super) fn new(text: &str) -> Option<Self> {
        Self::of_hex(sha256(text)?.as_bytes())
    }

    /// Its 64 digits.
    pub(super) fn hex(&self) -> String {
        hex(&self.0)
    }
}

/// As manifests write it.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a blob stands in its store.
enum Place {
    /// Where the layout says.
    ByLayout,
    /// Elsewhere.
    At(Box<[u8]>),
}

/// How a store names the file of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// `<prefix>/<digest>`
    Flat,
    /// `<prefix>/<first two digits>/<digest>/data`
    Sharded,
}

/// The blobs of a store, each with its size in bytes.
pub(super) struct Blobs {
    layout: Layout,
    /// With a slash at its end, or empty.
    prefix: String,
    found: HashMap<Digest, (u64, Place)>,
    full: bool,
    /// What is wrong with single ones.
    pub(super) flaws: Flaws,
}

impl Blobs {
    /// None, for a store that names the file of each.
    pub(super) fn empty() -> Self {
        Self { layout: Layout::Flat, prefix: String::new(), found: HashMap::new(), flaws: Flaws::new(), full: false }
    }

    /// All below the folder `prefix` of a store: `blobs/sha256`.
    pub(super) fn list(store: &Below, prefix: &str, layout: Layout) -> Self {
        let slash = if prefix.is_empty() { "" } else { "/" };
        let mut blobs = Self { layout, prefix: format!("{prefix}{slash}"), ..Self::empty() };
        let listed = store.within(prefix.as_bytes()).and_then(|folder| match (folder, layout) {
            (None, _) => Ok(()),
            (Some(folder), Layout::Flat) => blobs.level(&folder, b"", b""),
            (Some(folder), Layout::Sharded) => blobs.shards(&folder),
        });
        if let Err(flaw) = listed {
            blobs.flaw(prefix.as_bytes(), flaw);
        }
        blobs
    }

    fn shards(&mut self, folder: &Below) -> Result<(), Flaw> {
        for (name, _) in folder.names()?.into_iter().take_while(|_| !stop::requested()) {
            let listed = if name.len() == 2 && name.iter().all(u8::is_ascii_hexdigit) {
                folder.within(&name)
            } else {
                Err(Flaw::malformed("blob", "a name that is none of a blob"))
            };
            if let Err(flaw) =
                listed.and_then(|shard| shard.map_or(Ok(()), |shard| self.level(&shard, &name, b"/data")))
            {
                self.flaw(&[self.prefix.as_bytes(), &name].concat(), flaw);
            }
        }
        Ok(())
    }

    /// The blobs of one folder: of a shard, all of them start with its name.
    fn level(&mut self, folder: &Below, shard: &[u8], ending: &[u8]) -> Result<(), Flaw> {
        for (name, _) in folder.names()?.into_iter().take_while(|_| !stop::requested()) {
            let slash = if shard.is_empty() { b"".as_slice() } else { b"/" };
            let path = [self.prefix.as_bytes(), shard, slash, &name].concat();
            let Some(digest) = Digest::of_hex(&name).filter(|_| name.starts_with(shard)) else {
                self.flaw(&path, Flaw::malformed("blob", "a name that is none of a blob"));
                continue;
            };
            match folder.size(&[name.as_slice(), ending].concat()) {
                Some(len) => self.add(digest, len, None),
                None => self.flaw(&path, Flaw::malformed("blob", "not a file")),
            }
        }
        Ok(())
    }

    /// Adds one, with its file where the layout does not say it.
    pub(super) fn add(&mut self, digest: Digest, len: u64, place: Option<&[u8]>) {
        if self.found.len() >= BLOBS {
            if !std::mem::replace(&mut self.full, true) {
                let why = "it holds more blobs than are looked at";
                self.flaws.push((TreePath::root(), Flaw::malformed("store of images", why)));
            }
            return;
        }
        let place = place.map_or(Place::ByLayout, |p| Place::At(p.into()));
        self.found.entry(digest).or_insert((len, place));
    }

    fn flaw(&mut self, path: &[u8], flaw: Flaw) {
        note(&mut self.flaws, path, flaw);
    }

    /// Whether the store has it.
    pub(super) fn has(&self, digest: &Digest) -> bool {
        self.found.contains_key(digest)
    }

    /// Its file and its size.
    pub(super) fn file(&self, digest: &Digest) -> Option<(TreePath, u64)> {
        let (len, place) = self.found.get(digest)?;
        let path = match (place, self.layout) {
            (Place::At(path), _) => TreePath::new(path),
            (Place::ByLayout, Layout::Flat) => TreePath::new(format!("{}{}", self.prefix, digest.hex()).as_bytes()),
            (Place::ByLayout, Layout::Sharded) => {
                let hex = digest.hex();
                TreePath::new(format!("{}{}/{hex}/data", self.prefix, hex.get(..2)?).as_bytes())
            }
        };
        Some((path?, *len))
    }

    /// What `plan` asks a store for: `blobs/sha256/<digest>`, or where that is.
    pub(super) fn find(&self, name: &[u8]) -> Option<(TreePath, u64)> {
        self.file(&Digest::of_hex(name.strip_prefix(b"blobs/sha256/")?)?)
    }

    /// All of them with their sizes, in order.
    pub(super) fn all(&self) -> Vec<(Digest, u64)> {
        let mut all: Vec<_> = self.found.iter().map(|(digest, (len, _))| (*digest, *len)).collect();
        all.sort_unstable();
        all
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }
}

/// The blobs of a store that stand in its folder.
pub(super) struct Held<'s> {
    pub(super) store: &'s Below,
    pub(super) blobs: &'s Blobs,
}

impl Store for Held<'_> {
    fn small(&self, name: &[u8]) -> Result<Option<Vec<u8>>, Flaw> {
        self.store.small(name)
    }

    fn find(&self, name: &[u8]) -> Option<(TreePath, u64)> {
        self.blobs.find(name)
    }
}
