//! What one shard read of a sweep: the plan of all images, and what the layers of the shard hold, as plain data. Parts of all shards
//! give the report that one run would have given.
//!
//! ```text
//! a tar: dosimeter-part.json     which shard of which plan, and what read it
//!        plan.ndjson.zst         the sources and their images, problems so far, who uses images
//!        sha256/<digest>         what a layer holds
//!        place/<number>          the same of a layer that nothing but its place is known by
//!        end.json                how many there are, and the SHA-256 of all names and bytes before it
//! ```
//!
//! It holds no secret, and judgements only as far as facts that no indicator asked for are left out. Whoever may write to it can hide
//! findings.

mod planned;
mod read;

use std::{
    io::{self, Write},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use self::read::{Lacking, Part, PartError, Parts, SHARDS};
use super::{
    facts::{LayerFacts, Plain},
    listing::ImageUse,
    planned::Planned,
    sweep::Key,
};
use crate::{
    coverage::{Coverage, Exclusion},
    inventory::v1,
    text::hex,
};

const FORMAT: &str = "dosimeter-part";
const VERSION: u32 = 1;
const HEAD: &str = "dosimeter-part.json";
const PLAN: &str = "plan.ndjson.zst";
const END: &str = "end.json";
const LEVEL: i32 = 6;

/// Whether the start of a file is that of a part.
pub fn is_part(start: &[u8]) -> bool {
    start.strip_prefix(HEAD.as_bytes()).is_some_and(|rest| rest.first() == Some(&0))
}

/// The first member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartHead {
    /// `dosimeter-part`.
    pub format: String,
    /// 1.
    pub version: u32,
    /// Name and version.
    pub tool: String,
    /// Which shard, from 1.
    pub number: usize,
    /// Of so many.
    pub of: usize,
    /// The SHA-256 of its plan: equal digests plan the same.
    pub plan: String,
    /// The digest of the indicators that it was read with.
    pub indicators: String,
    /// What limits the facts of a layer, as in a layer cache.
    pub reader: String,
    /// When it began, UTC.
    pub started: Timestamp,
    /// What the command line named.
    pub target: String,
}

impl PartHead {
    /// Of a shard that begins now.
    pub fn new(
        (number, of): (usize, usize),
        (indicators, reader): (String, String),
        target: String,
        started: Timestamp,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
            number,
            of,
            plan: String::new(),
            indicators,
            reader,
            started,
            target,
        }
    }
}

/// The last member.
#[derive(Debug, Serialize, Deserialize)]
struct End {
    /// Layers that it holds.
    layers: u64,
    /// Layers of the shard.
    share: u64,
    /// Bytes that were read for the plan, and for the layers.
    bytes: (u64, u64),
    sha256: String,
}

/// One line of the plan.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The images that follow are those of a source of this name.
    Source(String),
    Image(Box<planned::Planned>),
    Tree(String),
    Gap(String, v1::Gap),
    Exclusion(String, v1::Exclusion),
    Use(Box<ImageUse>),
    /// What an engine calls the image of this id.
    Names(String, Vec<String>),
}

/// The plan, as it is kept.
pub struct Stored {
    out: Option<zstd::stream::write::Encoder<'static, Vec<u8>>>,
    hash: Sha256,
    failed: Option<io::Error>,
}

impl Default for Stored {
    fn default() -> Self {
        let (out, failed) = match zstd::stream::write::Encoder::new(Vec::new(), LEVEL) {
            Ok(out) => (Some(out), None),
            Err(error) => (None, Some(error)),
        };
        Self { out, hash: Sha256::new(), failed }
    }
}

impl Stored {
    fn line(&mut self, line: &Line) {
        let put = |out: &mut zstd::stream::write::Encoder<'static, Vec<u8>>, hash: &mut Sha256| -> io::Result<()> {
            let mut bytes = serde_json::to_vec(line)?;
            bytes.push(b'\n');
            hash.update(&bytes);
            out.write_all(&bytes)
        };
        if let Some(out) = &mut self.out
            && let Err(error) = put(out, &mut self.hash)
        {
            self.failed.get_or_insert(error);
        }
    }

    pub(super) fn source(&mut self, name: &Arc<str>, images: &[Planned]) {
        self.line(&Line::Source(name.to_string()));
        images.iter().for_each(|image| self.line(&Line::Image(Box::new(image.into()))));
    }

    /// What is known of the examination before a layer is read.
    pub fn coverage(&mut self, coverage: &Coverage) {
        let Coverage { trees, gaps, exclusions, .. } = coverage;
        trees.iter().for_each(|tree| self.line(&Line::Tree(tree.clone())));
        for gap in gaps {
            self.line(&Line::Gap(gap.origin.tree.to_string(), gap.into()));
        }
        for Exclusion { origin, reason } in exclusions {
            let stored = v1::Exclusion { place: origin.into(), reason: reason.clone() };
            self.line(&Line::Exclusion(origin.tree.to_string(), stored));
        }
    }

    /// Who uses images.
    pub fn uses(&mut self, uses: &[ImageUse]) {
        uses.iter().for_each(|image| self.line(&Line::Use(Box::new(image.clone()))));
    }

    /// What an engine calls the image of this id.
    pub fn names(&mut self, id: &str, names: &[String]) {
        self.line(&Line::Names(id.to_owned(), names.to_vec()));
    }
}

/// A part that is being written.
pub struct Writing<W: Write> {
    out: tar::Builder<W>,
    hash: Sha256,
    layers: u64,
    places: u64,
    problems: usize,
}

/// What stands in a layer's member.
#[derive(Debug, Serialize, Deserialize)]
struct Layer {
    /// Source and path of what has no digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<(usize, v1::Path)>,
    facts: Plain,
}

impl<W: Write> Writing<W> {
    /// Begins with the plan.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn begin(out: W, mut head: PartHead, plan: Stored) -> io::Result<Self> {
        if let Some(error) = plan.failed {
            return Err(error);
        }
        let packed = plan.out.map(zstd::stream::write::Encoder::finish).transpose()?.unwrap_or_default();
        head.plan = hex(&plan.hash.finalize());
        let mut part = Self { out: tar::Builder::new(out), hash: Sha256::new(), layers: 0, places: 0, problems: 0 };
        part.member(HEAD, &serde_json::to_vec(&head)?)?;
        part.member(PLAN, &packed)?;
        Ok(part)
    }

    /// Adds what a layer holds.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn layer(&mut self, key: &Key, facts: &LayerFacts) -> io::Result<()> {
        let (name, place) = match key {
            Key::Digest(digest) => (format!("sha256/{digest}"), None),
            Key::Place(source, path) => {
                self.places += 1;
                (format!("place/{}", self.places), Some((*source, path.into())))
            }
        };
        self.layers += 1;
        self.problems += usize::from(facts.has_gaps());
        self.member(&name, &serde_json::to_vec(&Layer { place, facts: facts.plain() })?)
    }

    /// Layers so far that could not be read wholly.
    pub fn problems(&self) -> usize {
        self.problems
    }

    /// Ends it. `share` are the layers of the shard, `bytes` those that were read for the plan and for the layers.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn end(mut self, share: usize, bytes: (u64, u64)) -> io::Result<W> {
        let share = u64::try_from(share).unwrap_or(u64::MAX);
        let sha256 = hex(&std::mem::take(&mut self.hash).finalize());
        let end = End { layers: self.layers, share, bytes, sha256 };
        self.member(END, &serde_json::to_vec(&end)?)?;
        self.out.into_inner()
    }

    fn member(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        hash(&mut self.hash, name.as_bytes(), bytes);
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        header.set_mode(0o644);
        self.out.append_data(&mut header, name, bytes)
    }
}

fn hash(hash: &mut Sha256, name: &[u8], bytes: &[u8]) {
    hash.update(name);
    hash.update([0]);
    hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(bytes);
}
