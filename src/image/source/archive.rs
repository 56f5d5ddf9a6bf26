//! A saved image in one tar, whatever wrote it and however the file as a whole is compressed.
//!
//! ```text
//! docker save, up to 24    manifest.json  <config>.json  <id>/{VERSION,json,layer.tar}  repositories
//! skopeo, podman           manifest.json  <config>.json  <diff id>.tar  <id>/layer.tar -> ../<diff id>.tar
//! docker save, 25 on       manifest.json  index.json  oci-layout  blobs/sha256/<digest>  repositories
//! oci-archive              index.json  oci-layout  blobs/sha256/<digest>
//! docker export            the file system of a container itself
//! ```
//!
//! Members come in any order, often with the manifest last. A plain tar is indexed in one pass over its headers, and layers are then
//! opened by offset, several at a time. A compressed one is read twice: for the JSON members, then for the layers.

use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    io::Read as _,
    sync::{Arc, atomic::AtomicBool},
};

use super::{Content, ReadLayer, Source, Store};
use crate::{
    fact::TreePath,
    image::{
        codec::{self, Codec, Decoded, Hashing, Limits},
        entries::{Kind, Members},
        input::{Bytes, Section, to_u64},
        manifest::JSON,
        plan::{self, Readers},
        planned::Plan,
    },
    surface::Flaw,
};

/// Members indexed of one archive. A file system has more, but an image archive never has.
const MEMBERS: usize = 50_000;
/// Bytes of JSON held of a compressed archive.
const JSON_TOTAL: u64 = 32 << 20;
const WHAT: &str = "image archive";

pub(super) struct Slot {
    /// Which member of the archive: of two with one name the last counts.
    ordinal: usize,
    start: u64,
    len: u64,
    /// The bytes, where the archive is compressed and they may be JSON.
    json: Option<Vec<u8>>,
}

/// A tar and the index of its members.
pub(in crate::image) struct Archive<'a> {
    file: Arc<File>,
    len: u64,
    codec: Codec,
    limits: Limits,
    stop: &'a AtomicBool,
    index: Arc<Index>,
    /// The folder that holds the image, where that was packed with it.
    folder: TreePath,
    /// Why the index ends where it ends.
    broken: Option<Flaw>,
}

/// The members of a tar.
#[derive(Default)]
pub(super) struct Index {
    slots: HashMap<TreePath, Slot>,
    links: HashMap<TreePath, TreePath>,
    doubles: BTreeSet<TreePath>,
    overfull: bool,
    /// Members outside the layouts of images.
    files: bool,
    any: bool,
}

impl Index {
    /// Notes what there is, up to the end or to a flaw; with `keeps` the JSON too.
    pub(super) fn read(&mut self, members: &mut Members<'_>, keeps: bool) -> Result<(), Flaw> {
        let (mut ordinal, mut json_left) = (0, JSON_TOTAL);
        while let Some(member) = members.next()? {
            ordinal += 1;
            self.any = true;
            let Some(path) = TreePath::new(&member.path).filter(|p| p.as_bytes().len() < 1024) else {
                continue;
            };
            self.files |= member.kind == Kind::File && is_of_a_system(&path);
            let first = matches!(path.as_bytes(), b"manifest.json" | b"index.json" | b"oci-layout");
            if self.slots.len() + self.links.len() >= MEMBERS && !first {
                self.overfull = true;
                continue;
            }
            match member.kind {
                Kind::File => {
                    let is_small = keeps && member.len <= JSON.min(json_left);
                    let json = if is_small { json(&mut members.body()) } else { None };
                    json_left = json_left.saturating_sub(to_u64(json.as_ref().map_or(0, Vec::len)));
                    let start = members.position();
                    let slot = Slot { ordinal, start, len: member.len, json };
                    if self.slots.insert(path.clone(), slot).is_some() {
                        self.doubles.insert(path);
                    }
                }
                Kind::Symlink(target) => {
                    if let Some(target) = beside(&path, &target) {
                        self.links.insert(path, target);
                    }
                }
                Kind::HardLink(target) => {
                    if let Some(target) = TreePath::new(&target) {
                        self.links.insert(path, target);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What is wrong with the tar itself.
    pub(super) fn flaws(&self) -> impl Iterator<Item = (TreePath, Flaw)> + '_ {
        let twice = || Flaw::malformed(WHAT, "two members have this name; the last was examined");
        let more = || (TreePath::root(), Flaw::malformed(WHAT, "it has more members than an image has"));
        self.doubles.iter().map(move |path| (path.clone(), twice())).chain(self.overfull.then(more))
    }

    fn slot(&self, mut path: TreePath) -> Option<(&TreePath, &Slot)> {
        for _ in 0..4 {
            if let Some(found) = self.slots.get_key_value(&path) {
                return Some(found);
            }
            path = self.links.get(&path)?.clone();
        }
        None
    }
}

/// Of a stream: the JSON that was kept as it passed.
impl Store for Index {
    fn small(&self, name: &[u8]) -> Result<Option<Vec<u8>>, Flaw> {
        match TreePath::new(name).and_then(|path| self.slot(path)) {
            None => Ok(None),
            Some((_, slot)) if slot.len > JSON => Err(Flaw::TooLarge(JSON)),
            Some((_, slot)) => {
                slot.json.clone().map(Some).ok_or_else(|| Flaw::malformed(WHAT, "not JSON, or too much of it"))
            }
        }
    }

    fn find(&self, name: &[u8]) -> Option<(TreePath, u64)> {
        self.slot(TreePath::new(name)?).map(|(path, slot)| (path.clone(), slot.len))
    }
}

impl<'a> Archive<'a> {
    /// Indexes a tar.
    pub(in crate::image) fn open(
        file: Arc<File>,
        len: u64,
        limits: Limits,
        stop: &'a AtomicBool,
    ) -> Result<Self, Flaw> {
        // The file as a whole may be larger than any layer. It is read by one thread, so that `zstd -21` may have made it.
        let limits = Limits { layer_bytes: u64::MAX, window: limits.window + 1, ..limits };
        let (index, folder) = (Arc::default(), TreePath::root());
        let mut archive = Self { codec: Codec::Plain, file, len, limits, stop, index, folder, broken: None };
        let mut index = Index::default();
        archive.read_index(&mut index)?;
        archive.index = Arc::new(index);
        Ok(archive)
    }

    /// Whether anything in it looks like a tar.
    pub(in crate::image) fn is_tar(&self) -> bool {
        self.index.any
    }

    /// Whether something in it describes images.
    pub(in crate::image) fn is_image(&self) -> bool {
        plan::is_image(self)
    }

    /// Why nothing of a compressed file could be read, where its compression is what is damaged.
    pub(in crate::image) fn nothing_but(&mut self) -> Option<Flaw> {
        let any = self.index.any;
        self.broken.take_if(|flaw| !any && self.codec != Codec::Plain && codec::is_damage(flaw))
    }

    /// Whether it holds the files of a system, whatever manifest stands beside them.
    pub(in crate::image) fn holds_files(&self) -> bool {
        self.index.files
    }

    /// The folders that were packed whole, where each holds an image and nothing stands beside them.
    pub(in crate::image) fn folders(&self) -> Vec<TreePath> {
        let describes = |p: &&TreePath| matches!(p.name(), b"oci-layout" | b"manifest.json");
        let found = self.index.slots.keys().filter(describes).map(TreePath::parent);
        let found: BTreeSet<TreePath> = found.filter(|f| f.components().count() == 1).collect();
        let top = |p: &TreePath| p.components().next().and_then(TreePath::new);
        let alone = self.index.slots.keys().all(|p| top(p).is_some_and(|top| found.contains(&top)));
        if alone { found.into_iter().collect() } else { Vec::new() }
    }

    /// The same, with names that are those of this folder.
    pub(in crate::image) fn within(&self, folder: TreePath) -> Self {
        let (file, index) = (self.file.clone(), self.index.clone());
        let Self { len, codec, limits, stop, .. } = *self;
        Self { file, len, codec, limits, stop, index, folder, broken: None }
    }

    /// What is wrong with the archive itself.
    pub(in crate::image) fn flaws(&mut self) -> Vec<(TreePath, Flaw)> {
        let mut flaws: Vec<_> = self.broken.take().map(|f| (TreePath::root(), f)).into_iter().collect();
        flaws.extend(self.index.flaws());
        flaws
    }

    /// The whole file, as one layer.
    pub(in crate::image) fn whole(&self) -> Section {
        Section::new(self.file.clone(), 0, self.len)
    }

    fn read_index(&mut self, index: &mut Index) -> Result<(), Flaw> {
        let mut section = self.whole();
        let mut raw = Hashing::new(&mut section);
        let mut decoded = Decoded::new(&mut raw, self.limits, self.stop)?;
        self.codec = decoded.codec();
        self.broken = index.read(&mut Members::new(&mut decoded), self.codec != Codec::Plain).err();
        Ok(())
    }

    fn slot(&self, name: &[u8]) -> Option<(&TreePath, &Slot)> {
        let mut path = TreePath::new(name)?;
        if !path.is_within(&self.folder) {
            path = self.folder.join(path.as_bytes());
        }
        self.index.slot(path)
    }

    /// One pass over a compressed archive for the members with these ordinals.
    fn stream(&self, wanted: &HashMap<usize, usize>, read: &mut ReadLayer<'_>) -> Result<(), Flaw> {
        let mut section = self.whole();
        let mut raw = Hashing::new(&mut section);
        let mut decoded = Decoded::new(&mut raw, self.limits, self.stop)?;
        let mut members = Members::new(&mut decoded);
        let (mut ordinal, mut left) = (0, wanted.len());
        while left > 0 && members.next()?.is_some() {
            ordinal += 1;
            if let Some(at) = wanted.get(&ordinal) {
                left -= 1;
                read(*at, Ok(Content::Blob(Box::new(members.body()))));
            }
        }
        Ok(())
    }
}

impl Store for Archive<'_> {
    fn small(&self, name: &[u8]) -> Result<Option<Vec<u8>>, Flaw> {
        let Some((_, slot)) = self.slot(name) else {
            return Ok(None);
        };
        if slot.len > JSON {
            return Err(Flaw::TooLarge(JSON));
        }
        if self.codec != Codec::Plain {
            return slot.json.clone().map(Some).ok_or_else(|| Flaw::malformed(WHAT, "not JSON, or too much of it"));
        }
        let mut bytes = Vec::new();
        let mut section = Section::new(self.file.clone(), slot.start, slot.len);
        section.read_to_end(&mut bytes).map_err(|e| codec::flaw(e, WHAT))?;
        Ok(Some(bytes))
    }

    fn find(&self, name: &[u8]) -> Option<(TreePath, u64)> {
        self.slot(name).map(|(path, slot)| (path.clone(), slot.len))
    }
}

impl Source for Archive<'_> {
    fn plan(&self, readers: Readers<'_>) -> Plan {
        let mut plan = plan::plan(self, readers);
        // A file of the system that has the name of a manifest describes nothing.
        plan.is_image &= !(self.holds_files() && plan.images.is_empty());
        plan
    }

    fn open(&self, layer: &TreePath) -> Result<Content<'_>, Flaw> {
        let slot = self.index.slots.get(layer).ok_or_else(missing)?;
        if self.codec == Codec::Plain {
            return Ok(Content::Blob(Box::new(Section::new(self.file.clone(), slot.start, slot.len))));
        }
        Err(Flaw::Unsupported("a member of a compressed archive alone"))
    }

    fn each(&self, layers: &[TreePath], read: &mut ReadLayer<'_>) {
        if self.codec == Codec::Plain {
            return layers.iter().enumerate().for_each(|(at, layer)| read(at, self.open(layer)));
        }
        let slots = layers.iter().enumerate().filter_map(|(at, m)| Some((self.index.slots.get(m)?.ordinal, at)));
        let wanted: HashMap<usize, usize> = slots.collect();
        let mut seen = BTreeSet::new();
        let outcome = self.stream(&wanted, &mut |at, source| {
            seen.insert(at);
            read(at, source);
        });
        // Layers that the stream never came to are each a gap of their own.
        for at in (0..layers.len()).filter(|at| !seen.contains(at)) {
            read(at, Err(if outcome.is_err() { Flaw::Truncated(WHAT) } else { missing() }));
        }
    }

    fn is_stream(&self) -> bool {
        self.codec != Codec::Plain
    }
}

fn missing() -> Flaw {
    Flaw::malformed(WHAT, "a member is missing")
}

/// Layouts of images are flat but for their blobs.
fn is_of_a_system(path: &TreePath) -> bool {
    const TOP: &[&[u8]] =
        &[b"bin", b"etc", b"home", b"lib", b"lib64", b"opt", b"root", b"sbin", b"srv", b"usr", b"var"];
    let mut parts = path.components();
    let (first, deep) = (parts.next(), parts.nth(1).is_some());
    path.as_bytes() == b".dockerenv" || first.is_some_and(|f| TOP.contains(&f) || deep && f != b"blobs")
}

/// The bytes of a member that starts like JSON.
fn json(body: &mut impl Bytes) -> Option<Vec<u8>> {
    let mut bytes = vec![0];
    body.read_exact(&mut bytes).ok()?;
    if !matches!(bytes.as_slice(), b"{" | b"[" | b" " | b"\n") {
        return None;
    }
    body.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// What a symbolic link in an archive names: `../<diff id>.tar`.
fn beside(link: &TreePath, target: &[u8]) -> Option<TreePath> {
    let mut folder = link.parent();
    let mut target = target;
    while let Some(rest) = target.strip_prefix(b"../") {
        folder = folder.parent();
        target = rest;
    }
    let below = TreePath::new(target)?;
    TreePath::new(folder.join(below.as_bytes()).as_bytes())
}
