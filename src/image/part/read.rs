//! Parts, read again and put together.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _},
    os::unix::fs::FileExt as _,
    sync::Arc,
};

use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::{END, End, FORMAT, HEAD, Layer, Line, PLAN, PartHead, VERSION, hash};
use crate::{
    coverage::{Coverage, Exclusion, Gap, GapKind, IMAGE},
    fact::{Origin, TreePath},
    image::{listing::ImageUse, planned::Planned, scan::Unit, shard::MOST, sweep::Key},
    inventory::{self, v1},
    stop,
    text::hex,
};

/// Bytes of the head and of the end.
const SMALL: u64 = 64 << 10;
/// Bytes of the plan, packed and plain.
const PLAN_BYTES: (u64, u64) = (256 << 20, 1 << 30);
/// Bytes of a line of the plan.
const LINE: u64 = 64 << 20;
/// Bytes of what one layer holds.
const LAYER: u64 = 512 << 20;
/// Layers of one part.
const LAYERS: usize = 4_000_000;

/// What problems with shards are problems of.
pub const SHARDS: &str = "shards";

/// Why a file is not used as a part.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is another thing.
    #[error("it is no part of a sweep")]
    Other,
    /// A later version wrote it.
    #[error("a newer version of this program wrote it")]
    Newer,
    /// It ends too early.
    #[error("it ends too early: the run that wrote it was ended by force, or it was not copied wholly")]
    Short,
    /// It is not what was written.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
}

impl PartError {
    /// As a gap.
    pub fn kind(&self) -> GapKind {
        match self {
            Self::Io(_) => GapKind::Unreadable,
            Self::Other | Self::Damaged(_) => GapKind::Malformed,
            Self::Newer => GapKind::Unsupported,
            Self::Short => GapKind::Truncated,
        }
    }
}

/// One part, whole.
#[derive(Debug)]
pub struct Part {
    /// What it says of itself.
    pub head: PartHead,
    file: File,
    plan: Box<[u8]>,
    /// By digest, where in the file a layer stands, and its bytes.
    digests: HashMap<String, (u64, u64)>,
    /// The same by source and path.
    places: HashMap<(usize, TreePath), (u64, u64)>,
    end: End,
}

impl Part {
    /// Reads all of it once.
    ///
    /// # Errors
    /// Where it is none, or not what was written.
    pub fn read(file: File) -> Result<Self, PartError> {
        let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 16, file.try_clone()?));
        let (mut head, mut plan, mut end): (Option<PartHead>, _, Option<End>) = (None, None, None);
        let (mut digests, mut places) = (HashMap::new(), HashMap::new());
        let mut sum = Sha256::new();
        let mut bytes = Vec::new();
        let entries = archive.entries().map_err(short)?;
        for entry in entries {
            stop::check()?;
            let mut entry = entry.map_err(short)?;
            let name = entry.path_bytes().into_owned();
            let most = match name.as_slice() {
                name if name == HEAD.as_bytes() || name == END.as_bytes() => SMALL,
                name if name == PLAN.as_bytes() => PLAN_BYTES.0,
                _ => LAYER,
            };
            let (at, len) = (entry.raw_file_position(), entry.size());
            if len > most {
                return Err(PartError::Damaged("a member is larger than any is"));
            }
            bytes.clear();
            (&mut entry).take(most).read_to_end(&mut bytes).map_err(short)?;
            if u64::try_from(bytes.len()).is_ok_and(|read| read < len) {
                return Err(PartError::Short);
            }
            if name == END.as_bytes() {
                end = Some(json(&bytes)?);
                break;
            }
            hash(&mut sum, &name, &bytes);
            match std::str::from_utf8(&name).ok().and_then(|name| name.split_once('/')) {
                None if name == HEAD.as_bytes() => head = Some(checked(json(&bytes)?)?),
                None if name == PLAN.as_bytes() => plan = Some(bytes.as_slice().into()),
                Some(("sha256", digest)) => drop(digests.insert(digest.to_owned(), (at, len))),
                Some(("place", _)) => {
                    let layer: Layer = json(&bytes)?;
                    let (source, path) = layer.place.ok_or(PartError::Damaged("a layer without a place"))?;
                    let path = path.read().ok_or(PartError::Damaged("a place is no path"))?;
                    places.insert((source, path), (at, len));
                }
                _ if head.is_none() => return Err(PartError::Other),
                _ => return Err(PartError::Damaged("a member that this version does not know")),
            }
            if digests.len() + places.len() > LAYERS {
                return Err(PartError::Damaged("it has more layers than a part has"));
            }
        }
        let head = head.ok_or(PartError::Other)?;
        let (plan, end) = plan.zip(end).ok_or(PartError::Short)?;
        let layers = u64::try_from(digests.len() + places.len()).unwrap_or(u64::MAX);
        if end.sha256 != hex(&sum.finalize()) || end.layers != layers {
            return Err(PartError::Damaged("its bytes have another SHA-256 than was written"));
        }
        Ok(Self { head, file, plan, digests, places, end })
    }

    /// Whether it says the same as another: it was handed in twice.
    fn is(&self, other: &Self) -> bool {
        self.end.sha256 == other.end.sha256
    }

    fn layer(&self, (at, len): (u64, u64)) -> Option<super::LayerFacts> {
        let mut bytes = vec![0; usize::try_from(len).ok()?];
        self.file.read_exact_at(&mut bytes, at).ok()?;
        serde_json::from_slice::<Layer>(&bytes).ok()?.facts.read()
    }
}

/// A tar that ends in the middle of something.
fn short(error: io::Error) -> PartError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => PartError::Short,
        io::ErrorKind::Other | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            PartError::Damaged("it is no tar that this program wrote")
        }
        _ => PartError::Io(error),
    }
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, PartError> {
    serde_json::from_slice(bytes).map_err(|_| PartError::Damaged("a member is not what this program writes"))
}

fn checked(head: PartHead) -> Result<PartHead, PartError> {
    match (head.format == FORMAT, head.version) {
        (true, VERSION) if head.of <= MOST && (1..=head.of).contains(&head.number) => Ok(head),
        (true, version) if version > VERSION => Err(PartError::Newer),
        (true, _) => Err(PartError::Damaged("its head names no shard")),
        (false, _) => Err(PartError::Other),
    }
}

/// What a plan says.
#[derive(Default)]
struct Plan {
    sources: Vec<(Arc<str>, Vec<Planned>)>,
    coverage: Coverage,
    uses: Vec<ImageUse>,
    names: Vec<(String, Vec<String>)>,
}

/// All parts of one sweep, of one plan or of several that differ a little: a registry may have changed between two shards.
pub struct Parts {
    parts: Vec<Part>,
    /// Digests of the plans, in order, each with the position of its first source.
    plans: Vec<(String, usize)>,
    sources: Vec<(Arc<str>, Vec<Planned>)>,
    coverage: Coverage,
    uses: Vec<ImageUse>,
    names: Vec<(String, Vec<String>)>,
}

/// What is not in the parts, of one division of one plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lacking {
    /// A shard of so many.
    Shard(usize, usize),
    /// A shard of so many that ended before it had read all of its layers: so many of so many.
    Half(usize, usize, u64, u64),
}

impl Parts {
    /// Puts them together, in whatever order they come; the same one twice is one.
    ///
    /// # Errors
    /// Where a plan is not what was written.
    pub fn new(mut parts: Vec<Part>) -> Result<Self, PartError> {
        parts.sort_by(|a, b| {
            let key = |p: &Part| (p.head.plan.clone(), p.head.of, p.head.number, p.end.sha256.clone());
            key(a).cmp(&key(b))
        });
        parts.dedup_by(|a, b| a.is(b));
        let mut all = Self {
            parts,
            plans: Vec::new(),
            sources: Vec::new(),
            coverage: Coverage::default(),
            uses: Vec::new(),
            names: Vec::new(),
        };
        for part in &all.parts {
            if all.plans.iter().any(|(digest, _)| *digest == part.head.plan) {
                continue;
            }
            let plan = plan(&part.plan, &part.head.plan)?;
            all.plans.push((part.head.plan.clone(), all.sources.len()));
            all.sources.extend(plan.sources);
            all.coverage.absorb(plan.coverage);
            all.uses.extend(plan.uses);
            all.names.extend(plan.names);
        }
        all.uses.sort();
        all.uses.dedup();
        Ok(all)
    }

    /// What they say of themselves, sorted by shard.
    pub fn heads(&self) -> impl Iterator<Item = &PartHead> {
        self.parts.iter().map(|part| &part.head)
    }

    /// What is missing, where something is: shards of the divisions that some part belongs to.
    pub fn lacking(&self) -> Vec<Lacking> {
        let mut divisions: BTreeMap<(&str, usize), BTreeSet<usize>> = BTreeMap::new();
        let (mut lacking, mut whole) = (Vec::new(), BTreeSet::new());
        for part in &self.parts {
            divisions.entry((&part.head.plan, part.head.of)).or_default().insert(part.head.number);
            if part.end.layers >= part.end.share {
                whole.insert((&*part.head.plan, part.head.of, part.head.number));
            }
        }
        for part in self.parts.iter().filter(|part| part.end.layers < part.end.share) {
            let PartHead { plan, of, number, .. } = &part.head;
            // It was run again.
            if !whole.contains(&(&**plan, *of, *number)) {
                lacking.push(Lacking::Half(*number, *of, part.end.layers, part.end.share));
            }
        }
        for ((_, of), numbers) in divisions {
            let missing = (1..=of).filter(|number| !numbers.contains(number));
            lacking.extend(missing.map(|number| Lacking::Shard(number, of)));
        }
        lacking
    }

    /// Who uses images.
    pub fn uses(&self) -> &[ImageUse] {
        &self.uses
    }

    /// What engines call images, by id.
    pub fn names(&self) -> &[(String, Vec<String>)] {
        &self.names
    }

    /// Bytes that were read for one plan, and for the layers of all; of a shard that was run again, what it read at most.
    pub fn bytes(&self) -> u64 {
        let plan = self.parts.iter().map(|part| part.end.bytes.0).max().unwrap_or(0);
        let mut layers: BTreeMap<(&str, usize, usize), u64> = BTreeMap::new();
        for part in &self.parts {
            let most = layers.entry((&part.head.plan, part.head.of, part.head.number)).or_default();
            *most = part.end.bytes.1.max(*most);
        }
        layers.into_values().fold(plan, u64::saturating_add)
    }

    pub(in crate::image) fn coverage(&self) -> Coverage {
        self.coverage.clone()
    }

    pub(in crate::image) fn sources(&mut self) -> Vec<(Arc<str>, Vec<Planned>)> {
        std::mem::take(&mut self.sources)
    }

    /// Whether some part holds this layer.
    pub(in crate::image) fn has(&self, key: &Key) -> bool {
        self.find(key).is_some()
    }

    fn find(&self, key: &Key) -> Option<(&Part, (u64, u64))> {
        match key {
            Key::Digest(digest) => self.parts.iter().find_map(|part| Some((part, *part.digests.get(digest)?))),
            Key::Place(source, path) => {
                let (plan, first) = self.plans.iter().rev().find(|(_, first)| first <= source)?;
                let key = (source - first, path.clone());
                let of_plan = self.parts.iter().filter(|part| part.head.plan == *plan);
                of_plan.into_iter().find_map(|part| Some((part, *part.places.get(&key)?)))
            }
        }
    }

    /// What parts hold of these.
    pub(in crate::image) fn read(&self, units: &mut [Unit], which: &BTreeSet<usize>) {
        for at in which.iter().take_while(|_| !stop::requested()) {
            let Some(unit) = units.get_mut(*at) else { continue };
            unit.facts = self.find(&unit.key).and_then(|(part, place)| part.layer(place)).map(Arc::new);
        }
    }
}

/// Reads a plan.
fn plan(packed: &[u8], digest: &str) -> Result<Plan, PartError> {
    let damaged = || PartError::Damaged("its plan is not what this program writes");
    let decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(|_| damaged())?;
    let mut lines = BufReader::new(decoder.take(PLAN_BYTES.1));
    let (mut plan, mut sum, mut bytes) = (Plan::default(), Sha256::new(), Vec::new());
    loop {
        stop::check()?;
        bytes.clear();
        if (&mut lines).take(LINE).read_until(b'\n', &mut bytes).map_err(|_| damaged())? == 0 {
            break;
        }
        sum.update(&bytes);
        match serde_json::from_slice(&bytes).map_err(|_| damaged())? {
            Line::Source(name) => plan.sources.push((name.into(), Vec::new())),
            Line::Image(image) => {
                let (_, images) = plan.sources.last_mut().ok_or_else(damaged)?;
                images.push(image.read().ok_or_else(damaged)?);
            }
            Line::Tree(tree) => plan.coverage.trees.push(tree),
            Line::Gap(tree, gap) => plan.coverage.gaps.push(read_gap(&tree.into(), gap).ok_or_else(damaged)?),
            Line::Exclusion(tree, v1::Exclusion { place, reason }) => {
                let origin = place.read(&tree.into()).ok_or_else(damaged)?;
                plan.coverage.exclusions.push(Exclusion { origin, reason });
            }
            Line::Use(image) => plan.uses.push(*image),
            Line::Names(id, names) => plan.names.push((id, names)),
        }
    }
    if hex(&sum.finalize()) == digest { Ok(plan) } else { Err(damaged()) }
}

fn read_gap(tree: &Arc<str>, gap: v1::Gap) -> Option<Gap> {
    let surface = inventory::fixed(&gap.surface)?;
    Some(Gap { origin: gap.place.read(tree)?, surface, kind: gap.kind, detail: gap.detail })
}

impl Lacking {
    /// As a gap.
    pub fn gap(&self) -> Gap {
        let (kind, detail) = match self {
            Self::Shard(number, of) => (
                GapKind::Unreadable,
                format!("shard {number}/{of} is missing: run it again, and merge its part with the others"),
            ),
            Self::Half(number, of, read, share) => (
                GapKind::Interrupted,
                format!(
                    "shard {number}/{of} read {read} of its {share} layers: run it again, and merge its part with the others"
                ),
            ),
        };
        Gap { origin: Origin::file(&SHARDS.into(), TreePath::root()), surface: IMAGE, kind, detail }
    }
}
