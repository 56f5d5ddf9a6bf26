//! One image that a running engine has, where no other source does: its export, read twice, for the JSON and for the layers.
//!
//! ```text
//! GET /images/get?names=ID      what `docker save` writes (see `archive`), its manifest last
//! ```
//!
//! The export is asked for by the image's id, which its configuration or manifest is compared with: a name may move meanwhile.

use std::{
    collections::HashMap,
    io::{self, Read},
    sync::atomic::{AtomicBool, Ordering},
};

use super::{Content, ReadLayer, Source, archive::Index};
use crate::{
    fact::TreePath,
    image::engine::{Engine, EngineImage, Export},
    image::{
        codec::{Decoded, Hashing, Limits, Trouble},
        entries::{Kind, Members},
        input::{Bytes, read_past},
        plan::{self, Readers},
        planned::{Plan, Planned},
    },
    surface::Flaw,
};

/// Bytes of one export.
const LARGEST: u64 = 256 << 30;
const WHAT: &str = "export of an engine";

/// An image, as far as an engine says that it has it.
pub(in crate::image) struct EngineExport<'e> {
    pub(in crate::image) engine: &'e Engine,
    pub(in crate::image) image: &'e EngineImage,
    /// Whether the engine is asked for it; else that it is there is a gap.
    pub(in crate::image) export: bool,
    pub(in crate::image) limits: Limits,
    pub(in crate::image) stop: &'e AtomicBool,
}

impl EngineExport<'_> {
    /// As it is reported: a name, else the id.
    fn place(&self) -> TreePath {
        let name = self.image.tags.first().unwrap_or(&self.image.id);
        TreePath::new(name.as_bytes()).unwrap_or_else(TreePath::root)
    }

    /// One export, front to back.
    fn pass(&self, work: &mut dyn FnMut(&mut Members<'_>) -> Result<(), Flaw>) -> Result<(), Flaw> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Flaw::Truncated(WHAT));
        }
        let export = self.engine.export(std::slice::from_ref(&self.image.id), LARGEST);
        let mut stream = Stream(export.map_err(|e| Flaw::Io(io::Error::other(e.to_string())))?);
        // All layers together may be larger than any of them.
        let limits = Limits { layer_bytes: u64::MAX, window: self.limits.window + 1, ..self.limits };
        let mut raw = Hashing::new(&mut stream);
        let mut decoded = Decoded::new(&mut raw, limits, self.stop)?;
        work(&mut Members::new(&mut decoded))
    }

    fn is_it(&self, planned: &Planned) -> bool {
        let hex = self.image.id.strip_prefix("sha256:").unwrap_or(&self.image.id);
        planned.id.iter().chain(&planned.manifests).any(|id| id == hex)
    }
}

impl Source for EngineExport<'_> {
    fn plan(&self, readers: Readers<'_>) -> Plan {
        let mut index = Index::default();
        let outcome = self.pass(&mut |members| index.read(members, true));
        let mut plan = plan::plan(&index, readers);
        plan.is_image = true;
        plan.flaws.extend(index.flaws());
        let is_whole = outcome.is_ok();
        plan.flaws.extend(outcome.err().map(|flaw| (self.place(), flaw)));
        if is_whole && !plan.images.iter().any(|planned| self.is_it(planned)) {
            let why = "it does not hold the image that was asked for";
            plan.flaws.push((self.place(), Flaw::malformed(WHAT, why)));
        }
        for planned in plan.images.iter_mut().filter(|planned| self.is_it(planned)) {
            let new: Vec<String> = self.image.tags.iter().filter(|tag| !planned.tags.contains(tag)).cloned().collect();
            planned.tags.extend(new);
        }
        plan
    }

    fn plan_others(&self, readers: Readers<'_>, is_known: &dyn Fn(&str) -> bool) -> Plan {
        if is_known(&self.image.id) {
            return Plan::default();
        }
        if self.export {
            return self.plan(readers);
        }
        let why = "the store of this engine is none of those read here; `--engine-export` asks the engine for it";
        Plan { flaws: vec![(self.place(), Flaw::Io(io::Error::other(why)))], ..Plan::default() }
    }

    fn open(&self, _: &TreePath) -> Result<Content<'_>, Flaw> {
        Err(Flaw::Unsupported("a member of an export alone"))
    }

    fn each(&self, layers: &[TreePath], read: &mut ReadLayer<'_>) {
        // An export for nothing would be one all the same.
        if layers.is_empty() {
            return;
        }
        let mut wanted: HashMap<&TreePath, usize> = layers.iter().zip(0..).collect();
        let outcome = self.pass(&mut |members| {
            while !wanted.is_empty()
                && let Some(member) = members.next()?
            {
                let path = TreePath::new(&member.path).filter(|_| member.kind == Kind::File);
                if let Some(at) = path.and_then(|path| wanted.remove(&path)) {
                    read(at, Ok(Content::Blob(Box::new(members.body()))));
                }
            }
            Ok(())
        });
        let why = outcome.err().map(|flaw| flaw.to_string());
        let missing = || Flaw::malformed(WHAT, "a member is missing");
        let broken = |why: &String| Flaw::Io(io::Error::other(format!("the export ended before it: {why}")));
        let mut left: Vec<usize> = wanted.into_values().collect();
        left.sort_unstable();
        left.into_iter().for_each(|at| read(at, Err(why.as_ref().map_or_else(missing, broken))));
    }

    fn is_stream(&self) -> bool {
        true
    }
}

/// An export as it comes. Its errors are in the words of the client, not of a decoder that ends too early.
struct Stream(Export);

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::FileTooLarge => error.to_string(),
                io::ErrorKind::TimedOut => "the engine sends no more".to_owned(),
                _ => "the engine ended it".to_owned(),
            };
            io::Error::other(Trouble(why))
        })
    }
}

impl Bytes for Stream {
    fn skip(&mut self, n: u64) -> io::Result<()> {
        read_past(self, n)
    }
}

#[cfg(test)]
mod tests;
