//! One shard of a sweep: its layers are read, and what they hold is written for `dosimeter merge`.

use std::{
    io::BufWriter,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;

use crate::{
    commands::{
        Ending,
        examine::Setup,
        layers,
        output::{self, Growing, Place},
        progress::Progress,
    },
    coverage::Coverage,
    image::{self, Inputs, Options, PartHead, Stored, Sweep, Writing, is_part, listing::ImageUse, shard::Shard},
    inventory::Packing,
    stop,
    tree::body::BYTES_READ,
};

/// Which shard, and where its part goes.
pub struct Share {
    shard: Shard,
    place: Place,
}

/// What was found out before any layer is read.
pub struct Known<'k> {
    /// Problems so far.
    pub coverage: &'k Coverage,
    /// Who uses images.
    pub uses: &'k [ImageUse],
    /// What engines call images, by id.
    pub names: &'k [(String, Vec<String>)],
    /// When the run began.
    pub started: Timestamp,
    /// What the command line names.
    pub target: String,
}

impl Share {
    /// What the command line names.
    ///
    /// # Errors
    /// Where that is no shard, or the file cannot be made.
    pub fn named(text: &str, part: &Path, evidence: &[PathBuf], force: bool) -> anyhow::Result<Self> {
        let variable = |name: &str| std::env::var(name).ok();
        let shard = Shard::parse(text, &variable).map_err(|why| anyhow!("`--shard`: {why}"))?;
        Ok(Self { shard, place: output::check_as(part, evidence, is_part, force)? })
    }

    /// Where the part goes.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Reads the share.
    ///
    /// # Errors
    /// Where the part cannot be written.
    pub fn read(
        &self,
        setup: &Setup,
        inputs: Inputs<'_>,
        options: &Options<'_>,
        known: &Known<'_>,
        progress: &Arc<image::Progress>,
        (quiet, exit_zero): (bool, bool),
    ) -> anyhow::Result<Ending> {
        let (sweep, mut plan) = Sweep::plan_and_store(inputs, options);
        self.store(&mut plan, known);
        let gaps = sweep.gaps() + known.coverage.gaps.len();
        let weights = sweep.weights();
        let own = self.shard.share(&weights);
        let bytes = own.iter().filter_map(|at| weights.get(*at)).fold(0_u64, |sum, (len, _)| sum.saturating_add(*len));
        let (number, of) = (self.shard.number, self.shard.of.get());
        let reader = layers::reader(setup, &options.limits);
        let target = known.target.clone();
        let head = PartHead::new((number, of), (setup.digest()?, reader), target, known.started);
        let planned = BYTES_READ.load(Ordering::Relaxed);
        let growing = Growing::begin(&self.place)?;
        let cannot = || format!("cannot write `{}`", output::shown(self.place.named()));
        let out = BufWriter::with_capacity(1 << 16, growing.file.try_clone().with_context(cannot)?);
        let mut part = Writing::begin(out, head, plan).with_context(cannot)?;
        let watched = Progress::of_layers(progress, (own.len(), bytes), quiet);
        sweep.write_share(options, &Packing::new(&setup.interest), &own, &mut part).with_context(cannot)?;
        drop(watched);
        let layers = BYTES_READ.load(Ordering::Relaxed).saturating_sub(planned);
        let problems = part.problems();
        let written = part.end(own.len(), (planned, layers)).and_then(|out| out.into_inner()?.sync_all());
        growing.end(written).with_context(cannot)?;
        if !quiet {
            output::note(&format!(
                "shard {number}/{of}: {} of {} different layers, {bytes} bytes\nhint: `dosimeter merge` joins the parts of all shards",
                own.len(),
                weights.len()
            ));
        }
        Ok(match stop::requested() {
            true => Ending::Interrupted,
            false if gaps + problems > 0 && !exit_zero => Ending::Incomplete,
            false => Ending::Nothing,
        })
    }

    fn store(&self, plan: &mut Stored, known: &Known<'_>) {
        plan.coverage(known.coverage);
        plan.uses(known.uses);
        known.names.iter().for_each(|(id, names)| plan.names(id, names));
    }
}
