//! What one layer holds, in the types of an inventory: plain data that depends on the layer alone, whoever shares it.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{join::Marks, layer::LayerScan, names::Names};
use crate::{
    coverage::{Coverage, Gap, GapKind, LAYER, SurfaceCount},
    fact::{Fact, Origin, Seen, TreePath},
    inventory::{Packed, Packing, fixed, v1},
    walk::{Keep, Worth},
};

/// What was read of one layer. Its facts and gaps carry neither image nor layer: several images may hold it.
#[derive(Debug, Default)]
pub(super) struct LayerFacts {
    names: Names,
    /// The names as images ask for them, once one did.
    marks: OnceLock<Arc<Marks>>,
    pub(super) verified: bool,
    /// Members, whiteouts included.
    pub(super) entries: u64,
    pub(super) whiteouts: u64,
    /// Some fact fits an indicator.
    pub(super) has_evidence: bool,
    surfaces: BTreeMap<&'static str, SurfaceCount>,
    /// What is wanted of every image: what fits an indicator, secrets, and what runs or was typed.
    main: Option<Packed>,
    /// What explains what fits: wanted where an image holds some of that.
    context: Option<Packed>,
    rest: Option<Packed>,
}

/// Of most layers there is nothing of this.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Rest {
    gaps: Vec<v1::Gap>,
    leading: Vec<v1::Origin>,
    weightless: Vec<v1::Gap>,
    weightless_unlisted: u64,
    exclusions: Vec<v1::Exclusion>,
    elsewhere: Vec<(v1::Path, v1::Path)>,
    passwd: Option<Vec<u8>>,
    group: Option<Vec<u8>>,
}

/// The same as plain data, in text: what another run joins images from.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Plain {
    verified: bool,
    entries: u64,
    whiteouts: u64,
    has_evidence: bool,
    /// By surface, the files that it inspected and the facts that it read.
    surfaces: BTreeMap<String, (u64, u64)>,
    /// Runs of names, base64.
    names: Vec<String>,
    count: u64,
    dropped: bool,
    main: Option<String>,
    context: Option<String>,
    rest: Option<String>,
}

/// What is known of a layer beside its facts.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) coverage: Coverage,
    /// Links to names that this layer does not hold, with those names.
    pub(super) elsewhere: Vec<(TreePath, TreePath)>,
    /// The start of `etc/passwd`, and of `etc/group`.
    pub(super) passwd: Option<Vec<u8>>,
    pub(super) group: Option<Vec<u8>>,
}

/// Whether a fact is wanted of an image that holds nothing else.
fn is_sign(fact: &Fact) -> bool {
    matches!(fact, Fact::Hook { .. } | Fact::Owned { .. } | Fact::Command(_))
}

impl LayerFacts {
    /// Packs what was read of a layer.
    pub(super) fn new(scan: LayerScan, keep: &Keep<'_>, packing: &Packing<'_>) -> Self {
        let LayerScan { facts, names, coverage, elsewhere, whiteouts, verified, passwd, group, is_twice: _ } = scan;
        let worth: Vec<Worth> = facts.iter().map(|seen| keep(seen)).collect();
        let is_main = |worth: &Worth, seen: &Seen| *worth != Worth::Context || is_sign(&seen.fact);
        let of = |main: bool| {
            let here = worth.iter().zip(&facts).filter(move |(w, seen)| is_main(w, seen) == main);
            packing.pack(here.map(|(_, seen)| &**seen))
        };
        let Coverage { files_seen, surfaces, gaps, weightless, weightless_unlisted, leading, exclusions, .. } =
            coverage;
        let rest = Rest {
            gaps: gaps.iter().map(v1::Gap::from).collect(),
            leading: leading.iter().map(v1::Origin::from).collect(),
            weightless: weightless.iter().map(v1::Gap::from).collect(),
            weightless_unlisted,
            exclusions: exclusions
                .iter()
                .map(|e| v1::Exclusion { place: (&e.origin).into(), reason: e.reason.clone() })
                .collect(),
            elsewhere: elsewhere.iter().map(|(link, target)| (link.into(), target.into())).collect(),
            passwd,
            group,
        };
        Self {
            names,
            marks: OnceLock::new(),
            verified,
            entries: files_seen,
            whiteouts,
            has_evidence: worth.contains(&Worth::Evidence),
            surfaces,
            main: of(true),
            context: of(false),
            rest: if rest.is_empty() { None } else { Packed::of(&rest) },
        }
    }

    /// One of which more would be kept than there is room for.
    pub(super) fn given_up(scan: &Self) -> Self {
        let detail = "more is known of the layers of these images than is kept: this one was left out".to_owned();
        let origin = Origin::file(&"".into(), TreePath::root());
        let gap = Gap { origin, surface: LAYER, kind: GapKind::TooLarge, detail };
        let rest = Rest { gaps: vec![v1::Gap::from(&gap)], ..Rest::default() };
        Self { verified: scan.verified, entries: scan.entries, rest: Packed::of(&rest), ..Self::default() }
    }

    /// Whether something of it could not be read.
    pub(super) fn has_gaps(&self) -> bool {
        self.rest.as_ref().and_then(Packed::read::<Rest>).is_some_and(|rest| !rest.gaps.is_empty())
    }

    /// As plain data.
    pub(super) fn plain(&self) -> Plain {
        let packed = |packed: &Option<Packed>| packed.as_ref().map(|packed| STANDARD.encode(packed.bytes()));
        Plain {
            verified: self.verified,
            entries: self.entries,
            whiteouts: self.whiteouts,
            has_evidence: self.has_evidence,
            surfaces: self.surfaces.iter().map(|(id, count)| ((*id).to_owned(), (count.files, count.facts))).collect(),
            names: self.names.runs().map(|run| STANDARD.encode(run)).collect(),
            count: self.names.count(),
            dropped: self.names.dropped(),
            main: packed(&self.main),
            context: packed(&self.context),
            rest: packed(&self.rest),
        }
    }

    /// Its names, as images ask for them.
    pub(super) fn marks(&self) -> Arc<Marks> {
        if let Some(known) = self.marks.get() {
            return known.clone();
        }
        match Marks::new(&self.names).kept() {
            Ok(marks) => self.marks.get_or_init(|| Arc::new(marks)).clone(),
            Err(marks) => Arc::new(marks),
        }
    }

    /// Bytes in memory, about.
    pub(super) fn size(&self) -> usize {
        let packs = [&self.main, &self.context, &self.rest];
        self.names.size() + packs.into_iter().flatten().map(Packed::size).sum::<usize>() + size_of::<Self>()
    }

    /// The facts, as those of a tree of this name. Without `context`, those that are wanted of every image.
    pub(super) fn facts(&self, tree: &Arc<str>, context: bool, packing: &Packing<'_>) -> Vec<Seen> {
        let packs = [self.main.as_ref(), self.context.as_ref().filter(|_| context)];
        let mut all: Vec<Seen> =
            packs.into_iter().flatten().filter_map(|packed| packing.unpack(packed, tree)).flatten().collect();
        if context && self.main.is_some() {
            all.sort_by(|a, b| (&a.origin.path, a.surface).cmp(&(&b.origin.path, b.surface)));
        }
        all
    }

    /// The rest, as that of a tree of this name.
    pub(super) fn beside(&self, tree: &Arc<str>, packing: &Packing<'_>) -> Beside {
        let rest: Rest = self.rest.as_ref().and_then(Packed::read).unwrap_or_default();
        let gaps = |list: Vec<v1::Gap>| list.into_iter().filter_map(|gap| packing.gap(gap, tree)).collect();
        let elsewhere = rest.elsewhere.iter().filter_map(|(link, target)| Some((link.read()?, target.read()?)));
        Beside {
            elsewhere: elsewhere.collect(),
            passwd: rest.passwd,
            group: rest.group,
            coverage: Coverage {
                files_seen: self.entries,
                surfaces: self.surfaces.clone(),
                gaps: gaps(rest.gaps),
                weightless: gaps(rest.weightless),
                weightless_unlisted: rest.weightless_unlisted,
                leading: rest.leading.into_iter().filter_map(|origin| origin.read(tree)).collect(),
                exclusions: rest.exclusions.into_iter().filter_map(|e| packing.exclusion(e, tree)).collect(),
                ..Coverage::default()
            },
        }
    }
}

impl Plain {
    /// `None` where it is not what this program writes.
    pub(super) fn read(self) -> Option<LayerFacts> {
        let bytes = |text: String| STANDARD.decode(text).ok().map(Box::<[u8]>::from);
        let packed = |text: Option<String>| match text {
            Some(text) => bytes(text).map(|bytes| Some(Packed::of_bytes(bytes))),
            None => Some(None),
        };
        let surfaces =
            self.surfaces.into_iter().map(|(id, (files, facts))| Some((fixed(&id)?, SurfaceCount { files, facts })));
        let runs = self.names.into_iter().map(bytes).collect::<Option<_>>()?;
        Some(LayerFacts {
            names: Names::of_runs(runs, self.count, self.dropped),
            marks: OnceLock::new(),
            verified: self.verified,
            entries: self.entries,
            whiteouts: self.whiteouts,
            has_evidence: self.has_evidence,
            surfaces: surfaces.collect::<Option<_>>()?,
            main: packed(self.main)?,
            context: packed(self.context)?,
            rest: packed(self.rest)?,
        })
    }
}

impl Rest {
    fn is_empty(&self) -> bool {
        let lists =
            [self.gaps.len(), self.leading.len(), self.weightless.len(), self.exclusions.len(), self.elsewhere.len()];
        lists.iter().sum::<usize>() == 0
            && self.weightless_unlisted == 0
            && self.passwd.is_none()
            && self.group.is_none()
    }
}
