//! Container images, examined as they are saved: a tar of docker, podman, skopeo or an OCI tool, or a folder in the OCI layout.
//! Nothing is unpacked; each layer is read once, however many images share it.
//!
//! A layer is named by its diff id (the digest of its tar) where the configuration has it, so that the same image gives the same
//! findings whether it was saved plain, as gzip or as zstd. A fact in a layer proves that the file was there when that layer was
//! made, and that everybody who pulls the image gets it, also where a later layer hides it (`ImageFact::gone_in`).

mod arguments;
mod cache;
mod codec;
#[cfg(feature = "online")]
pub mod engine;
mod entries;
mod facts;
mod few;
mod input;
mod inputs;
mod join;
mod kept;
mod labels;
mod layer;
pub mod listing;
mod manifest;
mod model;
mod names;
mod open;
mod part;
mod plan;
mod planned;
mod scan;
pub mod shard;
mod source;
mod sweep;
pub mod target;

#[cfg(test)]
mod tests;

use std::{
    fmt::Write as _,
    io,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

pub use cache::{LayerCache, Replayed, reader_of};
pub use codec::Limits;
pub use inputs::Inputs;
pub use manifest::Step;
pub use model::{Image, ImageFact, ImageLayer};
pub use open::{Home, Platforms, open, open_stores};
#[cfg(feature = "online")]
pub use open::{RegistryChoice, open_engine, open_registry};
pub use part::{Lacking, Part, PartError, PartHead, Parts, Stored, Writing, is_part};
pub use plan::Readers;
pub use planned::{Container, Holds};
pub(crate) use source::disk::Disk;
pub use sweep::Sweep;

use crate::{
    interest::Interest,
    inventory::Packing,
    surface::Meta,
    walk::{Keep, Router, Weigh},
};

/// The steps of an image's build.
pub static HISTORY: Meta = Meta {
    id: "image/history",
    title: "the steps that built an image",
    proves: "the command was a step of the build; a value that it left in the image",
};

/// The image itself, by its name and digests.
pub static CONFIG: Meta = Meta {
    id: "image/config",
    title: "name, tags and digests of an image",
    proves: "the image is the one that an indicator names",
};

/// How images are to be examined.
pub struct Options<'o> {
    /// Which surfaces want which files.
    pub router: &'o Router<'o>,
    /// What the indicators ask for.
    pub interest: &'o Interest,
    /// Which facts to keep.
    pub keep: &'o Keep<'o>,
    /// What a file weighs that cannot be read.
    pub weigh: &'o Weigh<'o>,
    /// Read what configurations say.
    pub readers: Readers<'o>,
    /// Layers read at a time; no more than three are.
    pub threads: usize,
    /// Budgets of each layer.
    pub limits: Limits,
    /// Compare layers with their digests. Without it, the bodies of a plain tar are seeked over instead of read.
    pub verify: bool,
    /// Ends the examination early when it is set.
    pub stop: &'o AtomicBool,
    /// How far it is.
    pub progress: &'o Progress,
    /// Where what layers hold is kept between runs.
    pub cache: Option<&'o LayerCache<'o>>,
}

/// How far a sweep is, for somebody who watches.
#[derive(Debug, Default)]
pub struct Progress {
    /// Layers that were read.
    pub layers: AtomicU64,
    /// Their bytes, as they are stored.
    pub bytes: AtomicU64,
    /// Further readings of layers that were read: for files that others name, where the archive was past them.
    pub again: AtomicU64,
    /// Layers of which a kept entry said everything.
    pub stored: AtomicU64,
    /// Layers whose entry was damaged: they were read.
    pub damaged: AtomicU64,
    /// Layers whose entry did not say what is asked today: they were read.
    pub unanswered: AtomicU64,
}

impl Progress {
    /// How many layers were read, and how many needed not be.
    pub fn words(&self) -> String {
        let [read, bytes, again, stored, damaged, unanswered] =
            [&self.layers, &self.bytes, &self.again, &self.stored, &self.damaged, &self.unanswered]
                .map(|n| n.load(Ordering::Relaxed));
        let mut words = format!("{read} layers read, {bytes} bytes");
        for (count, what) in [
            (again, "further readings for files that others name"),
            (stored, "known from the layer cache"),
            (damaged, "of these with a damaged entry in it"),
            (unanswered, "of these whose entry does not answer the indicators of today"),
        ] {
            if count > 0 {
                let _ = write!(words, "; {count} {what}");
            }
        }
        words
    }

    fn layer(&self, bytes: u64) {
        self.layers.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Why an input cannot be examined at all. The caller's fault: it named something else.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The path cannot be opened.
    #[error("cannot open: {0}")]
    Open(io::Error),
    /// The file is no tar, the folder no image layout.
    #[error("not a saved image: {0}")]
    NotAnImage(&'static str),
    /// The platform that was asked for is none.
    #[error("not a platform: it is written `OS/ARCHITECTURE[/VARIANT]`, as `linux/arm64/v8`")]
    Platform,
}

impl From<io::Error> for ImageError {
    fn from(error: io::Error) -> Self {
        Self::Open(error)
    }
}

/// What every layer's reader shares.
#[derive(Clone)]
struct Job<'j> {
    router: &'j Router<'j>,
    interest: &'j Interest,
    keep: &'j Keep<'j>,
    weigh: &'j Weigh<'j>,
    limits: Limits,
    verify: bool,
    stop: &'j AtomicBool,
    packing: &'j Packing<'j>,
    progress: &'j Progress,
    cache: Option<&'j LayerCache<'j>>,
    /// Held by the one layer of which much is in memory; `None` where one thread reads them all.
    large: Option<&'j Mutex<()>>,
}

impl<'j> Job<'j> {
    fn new(options: &Options<'j>, packing: &'j Packing<'j>, large: &'j Mutex<()>) -> Self {
        Self {
            router: options.router,
            interest: options.interest,
            keep: options.keep,
            weigh: options.weigh,
            limits: options.limits,
            verify: options.verify,
            stop: options.stop,
            packing,
            progress: options.progress,
            cache: options.cache,
            large: Some(large),
        }
    }
}
