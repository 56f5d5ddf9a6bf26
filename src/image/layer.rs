//! One layer, streamed: its wanted files go to the surfaces as they come by, its names are remembered for the layers below.
//!
//! A wanted name may be a link to a member that went by already, and under a name that nobody wants: uv and conda hard-link
//! installed files to their cache, Debian links `sitecustomize.py` into `/etc`. A file may name others that are read because of that
//! (`-r base.txt`), before or behind it. So small files are held for a while (`held`), which answers nearly all of these; where it
//! does not, the layer is read a second time for what is missing.
//! A symbolic link is resolved by its text alone, within its layer: folders that are links themselves are not followed.

mod again;
mod held;
mod leaves;
mod links;
mod named;
mod place;
mod resolve;
mod silent;

use std::{
    collections::{BTreeMap, HashMap},
    io::Read,
    sync::{Arc, MutexGuard, PoisonError, atomic::Ordering},
};

use again::Included;
pub(super) use again::PASSES;
use held::Held;
pub(super) use leaves::Key;
use leaves::Leaves;
use links::{Noted, Via};
use place::clean;
pub(super) use place::resolve;
use resolve::Link;
use silent::Silent;

use super::{
    Job,
    codec::{self, Codec, Decoded, Hashing, sniff},
    entries::{Entries, Kind, Member, MemberName, Members, member_name},
    input::Bytes,
    kept::{Keeping, LayerKept},
    names::{Collecting, Mark, Names},
    source::Content,
};
use crate::{
    coverage::{Coverage, Gap, GapKind, LAYER},
    fact::{Origin, Seen, TreePath},
    surface::Flaw,
    tree::{self, Body, Entry, Visit as _},
    walk::{Folder, Inspector, Recording, Worth},
};

/// Of `etc/passwd` and `etc/group` no more is read.
const ACCOUNTS: u64 = 128 << 10;
/// A file that is read for several reasons is held meanwhile, up to this size.
const SHARED: u64 = 8 << 20;
/// Facts of one layer that are much: those of one such layer are in memory at a time.
const LARGE: usize = 20_000;
/// Links with a wanted name that wait for their target, in one layer.
const LINKS: usize = 100_000;
/// Longer names are no use to any system, and would cost time at every parent folder.
const NAME: usize = 4096;
/// Who lives in the image, and in which groups.
pub(super) const PASSWD: &[u8] = b"etc/passwd";
pub(super) const GROUP: &[u8] = b"etc/group";

/// What a layer should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Expected {
    /// SHA-256 of the bytes as stored, in hex.
    pub(super) blob: Option<String>,
    /// SHA-256 of the tar, in hex.
    pub(super) diff_id: Option<String>,
}

/// What was read of one layer. Its facts and gaps carry neither image nor layer yet: several images may hold it.
#[derive(Debug, Default)]
pub(super) struct LayerScan {
    #[expect(clippy::vec_box, reason = "they stay in the boxes that they were kept in: a fact has 400 bytes")]
    pub(super) facts: Vec<Box<Seen>>,
    pub(super) names: Names,
    pub(super) coverage: Coverage,
    /// Links to names that this layer does not hold, with those names.
    pub(super) elsewhere: Vec<(TreePath, TreePath)>,
    pub(super) whiteouts: u64,
    pub(super) verified: bool,
    /// The start of `etc/passwd`, and of `etc/group`.
    pub(super) passwd: Option<Vec<u8>>,
    pub(super) group: Option<Vec<u8>>,
    /// A member came a second time.
    pub(super) is_twice: bool,
}

/// A layer that is being read.
pub(super) struct LayerReader<'j> {
    job: &'j Job<'j>,
    recording: Option<&'j Recording<'j>>,
    key: Key,
    /// What else may be in memory waits while much of this layer is.
    alone: Option<MutexGuard<'j, ()>>,
    kept: Keeping,
    names: Collecting,
    /// Names of what is no folder.
    leaves: Leaves,
    expected: Expected,
    scan: LayerScan,
    tree: Arc<str>,
    /// Asked whether a name is wanted; each file has an inspector of its own, since a later member may replace it.
    gate: Inspector<'j>,
    folder: Option<(TreePath, Folder)>,
    /// Members of which something is kept.
    noted: Noted,
    /// What names say, by place and surface.
    by_name: BTreeMap<(TreePath, &'static str), Seen>,
    held: Held,
    links: BTreeMap<TreePath, Link>,
    /// Links that nobody wants may stand between a wanted one and its target.
    via: Via,
    second: HashMap<u64, Vec<TreePath>>,
    silent: Silent,
    included: Included,
    bad_names: u64,
    too_many_links: bool,
    unkept: u64,
}

impl<'j> LayerReader<'j> {
    pub(super) fn new(job: &'j Job<'j>, expected: Expected, recording: Option<&'j Recording<'j>>) -> Self {
        let tree: Arc<str> = "".into();
        Self {
            job,
            recording,
            key: Key::default(),
            alone: None,
            kept: Keeping::new(&job.limits),
            names: Collecting::new(job.limits.names),
            leaves: Leaves::new(job.limits.names),
            expected,
            scan: LayerScan::default(),
            gate: Inspector::new(job.router, job.interest, job.keep, tree.clone(), None),
            tree,
            folder: None,
            noted: Noted::default(),
            by_name: BTreeMap::new(),
            held: Held::default(),
            links: BTreeMap::new(),
            via: Via::default(),
            second: HashMap::new(),
            silent: Silent::default(),
            included: Included::default(),
            bad_names: 0,
            too_many_links: false,
            unkept: 0,
        }
    }

    /// Reads the whole layer.
    pub(super) fn read(&mut self, content: Content<'_>) {
        let read = match content {
            Content::Blob(mut bytes) => self.blob(&mut *bytes),
            Content::Unpacked(mut entries) => self.entries(&mut *entries),
        };
        if let Err(flaw) = read {
            self.trouble(&flaw);
        }
        self.leaves.sort();
        // A filter said so before, perhaps without need.
        self.scan.is_twice = if self.leaves.dropped() { self.scan.is_twice } else { !self.leaves.are_single() };
        self.via.sort();
        self.resolve();
        self.look_for_named();
        // What only the first pass needs.
        self.held = Held::default();
        self.silent = Silent::default();
        std::mem::take(&mut self.by_name).into_values().for_each(|seen| self.kept.put_named(seen));
    }

    /// Waits until no other layer has much in memory, where this one has.
    fn make_room(&mut self) {
        if self.alone.is_none() && self.kept.count() > LARGE {
            self.alone = self.job.large.map(|large| large.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// A problem with the layer as a whole.
    pub(super) fn trouble(&mut self, flaw: &Flaw) {
        self.report(TreePath::root(), flaw.kind(), flaw.to_string());
    }

    /// A fault of this program: what was read of the layer before it is kept.
    pub(super) fn panicked(&mut self) {
        let detail = "internal error: the rest of the layer was not read".to_owned();
        self.report(TreePath::root(), GapKind::Panicked, detail);
    }

    fn report(&mut self, path: TreePath, kind: GapKind, detail: String) {
        // What could not be read because the user stopped the run is no gap of the evidence.
        if !self.job.stop.load(Ordering::Relaxed) {
            let gap = Gap { origin: Origin::file(&self.tree, path), surface: LAYER, kind, detail };
            self.scan.coverage.gaps.push(gap);
        }
    }

    /// Joins what was read with what is kept of it.
    pub(super) fn finish(mut self) -> LayerScan {
        let kept: LayerKept = self.kept.finish(self.job.keep);
        self.scan.names = std::mem::take(&mut self.names).finish();
        self.scan.facts = kept.facts;
        self.scan.elsewhere = kept.elsewhere;
        self.scan.coverage.absorb(kept.coverage);
        if self.bad_names > 0 {
            let detail = format!("{} member names that no system would accept were not read", self.bad_names);
            self.report(TreePath::root(), GapKind::Malformed, detail);
        }
        if self.too_many_links || kept.not_looked_at > 0 {
            let detail = "more links than are kept: some with names worth reading were not followed".to_owned();
            self.report(TreePath::root(), GapKind::TooLarge, detail);
        }
        if kept.unlisted > 0 {
            let detail = format!("{} more problems with files of this layer are not listed", kept.unlisted);
            self.report(TreePath::root(), GapKind::TooLarge, detail);
        }
        let unkept = self.unkept.saturating_add(kept.dropped);
        if unkept > 0 {
            let detail = format!("{unkept} more facts than are kept were read in this layer");
            self.report(TreePath::root(), GapKind::TooLarge, detail);
        }
        if self.scan.names.dropped() {
            let detail =
                "more names than are kept: what this layer removes from lower ones is not fully known".to_owned();
            self.report(TreePath::root(), GapKind::TooLarge, detail);
        }
        self.scan
    }

    /// What the kernel shows of an unpacked layer.
    fn entries(&mut self, entries: &mut dyn Entries) -> Result<(), Flaw> {
        while let Some(member) = entries.next()? {
            if self.job.stop.load(Ordering::Relaxed) {
                break;
            }
            self.member(&member, entries);
        }
        for (name, flaw) in entries.unread() {
            self.problem(&clean(&name).unwrap_or_else(TreePath::root), &flaw);
        }
        Ok(())
    }

    /// The bytes of a tar.
    fn blob(&mut self, source: &mut dyn Bytes) -> Result<(), Flaw> {
        let mut raw = Hashing::new(source);
        let codec = sniff(raw.peek().map_err(|e| codec::flaw(e, "layer"))?)?;
        let (blob, diff_id) = (self.expected.blob.clone(), self.expected.diff_id.clone());
        let (of_raw, of_tar) = match (codec, blob) {
            (Codec::Plain, blob) => (blob.or(diff_id), None),
            (_, Some(blob)) => (Some(blob), None),
            (_, None) => (None, diff_id),
        };
        raw.digest_if(self.job.verify && of_raw.is_some());
        let mut decoded = Decoded::new(&mut raw, self.job.limits, self.job.stop)?;
        let mut tar = Hashing::new(&mut decoded);
        tar.digest_if(self.job.verify && of_tar.is_some());
        let mut members = Members::new(&mut tar);
        while let Some(member) = members.next()? {
            self.member(&member, &mut members);
        }
        let marked = members.marked();
        let tar = tar.finish().map_err(|e| codec::flaw(e, "layer"))?;
        let raw = raw.finish().map_err(|e| codec::flaw(e, "layer"))?;
        if raw.is_none() && tar.is_none() {
            return if marked { Ok(()) } else { Err(Flaw::Truncated("layer")) };
        }
        if raw.as_ref().is_some_and(|d| Some(d) != of_raw.as_ref())
            || tar.as_ref().is_some_and(|d| Some(d) != of_tar.as_ref())
        {
            return Err(Flaw::malformed("layer", "it does not match its digest"));
        }
        self.scan.verified = true;
        Ok(())
    }

    fn member(&mut self, member: &Member, members: &mut dyn Entries) {
        self.scan.coverage.files_seen += 1;
        let Some(path) = clean(&member.path) else {
            self.bad_names += 1;
            return;
        };
        if path.as_bytes().is_empty() {
            return;
        }
        let own = match member.kind {
            Kind::Whiteout => MemberName::Mark(path.clone(), Mark::Whiteout),
            Kind::Opaque => MemberName::Mark(path.clone(), Mark::Opaque),
            _ => member_name(&path),
        };
        match own {
            MemberName::Plain => {}
            MemberName::Nothing => return,
            MemberName::Bad => {
                self.bad_names += 1;
                return;
            }
            MemberName::Mark(path, mark) => {
                self.scan.whiteouts += 1;
                return self.names.add(path.as_bytes(), mark);
            }
        }
        let hash = self.key.hash(path.as_bytes());
        let mark = match &member.kind {
            Kind::Dir => Mark::Dir,
            Kind::File | Kind::Sparse => Mark::File(member.len),
            Kind::HardLink(target) => Mark::Hard(target),
            Kind::Symlink(target) => Mark::Link(target),
            Kind::Other | Kind::Whiteout | Kind::Opaque => Mark::Other,
        };
        if mark != Mark::Dir {
            self.leaves.add(hash);
        }
        self.names.add(path.as_bytes(), mark);
        // Of two members with one name, the last is what a container sees.
        if self.noted.may_have(hash) {
            self.scan.is_twice = true;
            self.kept.supersede(&path);
        }
        self.links.remove(&path);
        self.held.remove(hash);
        self.silent.remove(hash);
        let named = self.included.due(hash, &path);
        match &member.kind {
            Kind::Dir => self.named(&path, tree::Kind::Dir),
            Kind::Other | Kind::Whiteout | Kind::Opaque => {}
            // No surface wants it.
            Kind::File if matches!(path.as_bytes(), PASSWD | GROUP) => {
                let mut bytes = Vec::new();
                let _ = members.body().take(ACCOUNTS).read_to_end(&mut bytes);
                let is_passwd = path.as_bytes() == PASSWD;
                *(if is_passwd { &mut self.scan.passwd } else { &mut self.scan.group }) = Some(bytes);
            }
            Kind::File => {
                self.file(path, hash, member, members, &named);
                self.read_named();
            }
            Kind::Sparse => {
                if self.wants(&path, tree::Kind::File) {
                    self.named(&path, tree::Kind::File);
                    self.problem(&path, &Flaw::Unsupported("a sparse file in a layer"));
                }
            }
            Kind::HardLink(target) => {
                let Some(target) = clean(target) else {
                    self.bad_names += 1;
                    return;
                };
                self.link(path, hash, target, true);
            }
            Kind::Symlink(target) => {
                let from = if target.starts_with(b"/") { TreePath::root() } else { path.parent() };
                if let Some(target) = resolve(from.as_bytes(), target) {
                    self.link(path, hash, target, false);
                } else {
                    self.bad_names += 1;
                }
            }
        }
    }

    fn wants(&mut self, path: &TreePath, kind: tree::Kind) -> bool {
        let parent = path.parent();
        if self.folder.as_ref().is_none_or(|(known, _)| *known != parent) {
            self.folder = Some((parent.clone(), self.job.router.folder(&parent)));
            // Not every tar lists its folders.
            self.named(&parent, tree::Kind::Dir);
        }
        self.folder.as_ref().is_some_and(|(_, folder)| self.gate.wants(folder, path.name(), kind))
    }

    /// Hands one file to the surfaces that want its name.
    fn inspect(&mut self, entry: &Entry, body: &mut dyn Read) {
        self.inspect_with(entry, body, None);
    }

    /// The same, to surfaces of these ids whatever its name. Whether it says nothing to any of them.
    fn inspect_with(&mut self, entry: &Entry, body: &mut dyn Read, surfaces: Option<&[&'static str]>) -> bool {
        let one = Inspector::new(self.job.router, self.job.interest, self.job.keep, self.tree.clone(), None)
            .weighing(self.job.weigh)
            .recording(self.recording);
        let mut body = Body::stream(body, entry.len);
        match surfaces {
            None => one.file(entry, &mut body),
            Some(ids) => ids.iter().for_each(|id| one.read_with(id, entry, &mut body)),
        }
        self.names_others(one.take_includes());
        let (facts, mut coverage) = one.finish();
        let is_silent = coverage.surfaces.values().all(|count| count.facts == 0);
        for (id, count) in std::mem::take(&mut coverage.surfaces) {
            let mine = self.scan.coverage.surfaces.entry(id).or_default();
            mine.files += count.files;
            mine.facts += count.facts;
        }
        self.scan.coverage.exclusions.append(&mut coverage.exclusions);
        let facts: Vec<(Worth, Seen)> = facts.into_iter().map(|seen| ((self.job.keep)(&seen), seen)).collect();
        if facts.is_empty() && coverage.gaps.is_empty() && coverage.weightless.is_empty() {
            return is_silent;
        }
        self.noted.add(self.key.hash(entry.path.as_bytes()));
        facts.into_iter().for_each(|(worth, seen)| self.kept.put(&entry.path, worth, seen));
        self.kept.put_problems(&entry.path, coverage);
        self.make_room();
        false
    }

    /// A problem with one file.
    fn problem(&mut self, path: &TreePath, flaw: &Flaw) {
        self.noted.add(self.key.hash(path.as_bytes()));
        let origin = Origin::file(&self.tree, path.clone());
        let gap = Gap { origin, surface: LAYER, kind: flaw.kind(), detail: flaw.to_string() };
        self.kept.put_gap(path, gap, false);
    }
}

fn entry(path: TreePath, member: &Member) -> Entry {
    let Member { len, mtime, uid, gid, mode, .. } = member;
    Entry { path, len: *len, mtime: *mtime, btime: None, uid: *uid, gid: *gid, mode: *mode }
}
