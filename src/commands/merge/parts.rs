//! Parts of a sweep, joined as the run that was divided would have joined them.

use std::{fs::File, io::Seek as _, path::PathBuf};

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;

use crate::{
    commands::{
        examine::Setup,
        images::swept::{Run, Swept, of_all},
        output,
    },
    coverage::{Exclusion, Gap, GapKind, IMAGE},
    fact::{Origin, TreePath},
    image::{Part, PartError, Parts, Sweep},
    inventory::Packing,
    report::v1::Report,
    sandbox::Sandbox,
    scan::Disk,
    stop::STOP,
    walk::Router,
};

/// The report of what they hold.
///
/// # Errors
/// Where none of them can be used.
pub fn judged(
    files: Vec<(PathBuf, File)>,
    setup: &mut Setup,
    sandbox: &Sandbox,
    started: Timestamp,
) -> anyhow::Result<Report> {
    let (mut whole, mut gaps, mut unusable): (Vec<Part>, Vec<Gap>, Vec<Gap>) = Default::default();
    let mut first: Option<(String, PartError)> = None;
    for (path, mut file) in files {
        let shown = output::shown(&path);
        file.rewind().with_context(|| format!("`{shown}`"))?;
        match Part::read(file) {
            Ok(part) => whole.push(part),
            Err(why) => {
                let origin = Origin::file(&shown.as_str().into(), TreePath::root());
                unusable.push(Gap { origin, surface: IMAGE, kind: why.kind(), detail: why.to_string() });
                first.get_or_insert((shown, why));
            }
        }
    }
    if whole.is_empty()
        && let Some((shown, why)) = first
    {
        return Err(anyhow!("`{shown}` cannot be used: {why}"));
    }
    let mut parts = Parts::new(whole)?;
    let today = setup.digest()?;
    if parts.heads().any(|head| head.indicators != today) {
        let detail = "shards were read with other indicators than this run has: what these ask for beyond them was not looked for";
        gaps.push(of_all(GapKind::Unsupported, detail.to_owned()));
    }
    let readers: Vec<&str> = parts.heads().map(|head| head.reader.as_str()).collect();
    if readers.windows(2).any(|pair| pair.first() != pair.last()) {
        let detail = "shards were read by different versions of this program, or with different surfaces";
        gaps.push(of_all(GapKind::Unsupported, detail.to_owned()));
    }
    let sweep = Sweep::of_parts(&mut parts);
    // What a run left that was ended by force is of no matter once it was run again.
    let left_out = if sweep.is_whole() { std::mem::take(&mut unusable) } else { Vec::new() };
    gaps.append(&mut unusable);
    let size = sweep.size();
    let mut swept = Swept::new();
    let (packing, router) = (Packing::new(&setup.interest), Router::new(setup.surfaces(), &setup.interest));
    let mut coverage = sweep.join(&parts, &packing, &router, &STOP, &mut |image| swept.take(setup, &image, None));
    coverage.gaps.append(&mut gaps);
    coverage.exclusions.extend(left_out.into_iter().map(|gap| Exclusion {
        origin: gap.origin,
        reason: format!("not used, and every layer is there without it: {}", gap.detail),
    }));
    coverage.bytes_read = parts.bytes();
    let mut ids: Vec<&str> = parts.heads().map(|head| head.target.as_str()).collect();
    ids.dedup();
    let machine = Disk::default();
    let run = Run { id: ids.join(" "), machine, started, size, uses: parts.uses(), names: parts.names() };
    swept.report(setup, coverage, run, sandbox)
}
