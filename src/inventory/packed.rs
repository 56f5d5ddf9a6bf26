//! Facts of one tree in little memory, as an inventory writes them: a layer that many images share is kept so until they are judged.

use std::{io::Read as _, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    read::{Place, Today},
    v1::{self, Known},
};
use crate::{
    coverage::{Exclusion, Gap},
    fact::Seen,
    interest::Interest,
};

/// Fast, since it is done for every layer; most of what there is to gain is in the words that facts share.
const LEVEL: i32 = 1;
/// Bytes of one pack, unpacked.
const LIMIT: u64 = 1 << 30;

/// Something that was packed.
#[derive(Debug, Clone, Default)]
pub struct Packed(Box<[u8]>);

impl Packed {
    /// Packs plain data.
    pub fn of(value: &impl Serialize) -> Option<Self> {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), LEVEL).ok()?;
        serde_json::to_writer(&mut encoder, value).ok()?;
        Some(Self(encoder.finish().ok()?.into()))
    }

    /// The data again; `None` where they are not what was packed.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let decoder = zstd::stream::read::Decoder::with_buffer(&*self.0).ok()?;
        serde_json::from_reader(std::io::BufReader::new(decoder.take(LIMIT))).ok()
    }

    /// As it is packed.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What was packed by another run. It may be anything.
    pub fn of_bytes(bytes: Box<[u8]>) -> Self {
        Self(bytes)
    }

    /// Bytes in memory.
    pub fn size(&self) -> usize {
        self.0.len()
    }
}

/// Packs facts and brings them back, for the indicators of one run.
pub struct Packing<'p> {
    interest: &'p Interest,
    known: Known,
}

impl<'p> Packing<'p> {
    /// For these indicators.
    pub fn new(interest: &'p Interest) -> Self {
        Self { interest, known: Known::new(interest) }
    }

    /// Facts that stand in the order of their files. `None` where there are none.
    pub fn pack<'s>(&self, facts: impl Iterator<Item = &'s Seen>) -> Option<Packed> {
        let mut files: Vec<v1::Inspection> = Vec::new();
        let mut before: Option<&Seen> = None;
        for seen in facts {
            let is_same = before.is_some_and(|b| b.surface == seen.surface && b.origin.path == seen.origin.path);
            before = Some(seen);
            if !is_same {
                files.push(v1::Inspection::of_facts(seen));
            }
            if let Some(file) = files.last_mut() {
                file.put(seen, self.interest);
            }
        }
        if files.is_empty() { None } else { Packed::of(&files) }
    }

    /// The facts, in a tree of this name; `None` where they are not what was packed.
    pub fn unpack(&self, packed: &Packed, tree: &Arc<str>) -> Option<Vec<Seen>> {
        let files: Vec<v1::Inspection> = packed.read()?;
        let mut all = Vec::new();
        self.with_place(tree, |place| {
            for file in files {
                all.append(&mut place.inspection(file)?.facts);
            }
            Some(())
        })?;
        Some(all)
    }

    /// A problem, in a tree of this name.
    pub fn gap(&self, gap: v1::Gap, tree: &Arc<str>) -> Option<Gap> {
        self.with_place(tree, |place| place.gap(gap))
    }

    /// What was left out, in a tree of this name.
    pub fn exclusion(&self, e: v1::Exclusion, tree: &Arc<str>) -> Option<Exclusion> {
        Some(Exclusion { origin: e.place.read(tree)?, reason: e.reason })
    }

    fn with_place<T>(&self, tree: &Arc<str>, read: impl FnOnce(&Place<'_>) -> Option<T>) -> Option<T> {
        let today = Today { known: &self.known, same: true, is_idle: &|_| false, names: None };
        read(&Place { tree, today: &today, interest: self.interest })
    }
}

impl v1::Inspection {
    fn of_facts(seen: &Seen) -> Self {
        let (uid, gid, mode) = (seen.uid, seen.gid, seen.mode);
        Self {
            surface: seen.surface.to_owned(),
            file: v1::Entry { path: (&seen.origin.path).into(), size: 0, mtime: None, uid, gid, mode },
            by_hand: false,
            unit: None,
            member_unit: None,
            facts: Vec::new(),
            further: Vec::new(),
            asked: Vec::new(),
            salvaged: Vec::new(),
            cut: false,
            flawed: false,
            gaps: Vec::new(),
            more_gaps: 0,
            weight: None,
        }
    }

    fn put(&mut self, seen: &Seen, interest: &Interest) {
        let unit = if seen.origin.inner.is_some() { &mut self.member_unit } else { &mut self.unit };
        if unit.is_none() {
            *unit = seen.unit.as_deref().map(v1::Unit::from);
        }
        self.facts.push(v1::Stood::new(seen, interest));
    }
}
