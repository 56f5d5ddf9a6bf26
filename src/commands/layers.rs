//! What layers hold, kept between runs: the folder, and how an entry is judged with the indicators of today.

use std::{
    io::BufRead,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use rustix::fs::{self as sys, Mode, OFlags};

use super::{
    examine::Setup,
    output,
    unrecorded::{self, Unrecorded},
};
use crate::{
    cli::ImagesCommand,
    coverage::GapKind,
    fact::{Origin, Seen, TreePath},
    image::{self, Limits, Replayed, target},
    inventory::{
        self, EachName, Today,
        v1::{Head, Indicators, Known},
    },
    matcher,
    report::v1::Target,
    walk::{Inspector, Router},
};

/// The folder of the entries.
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// Opened.
    pub opened: OwnedFd,
}

/// Opens the folder that the user named, or makes it. Whoever may write to it can hide findings: nobody else may, unless the user
/// says so.
///
/// # Errors
/// Where it cannot be used.
pub fn folder(command: &ImagesCommand) -> anyhow::Result<Option<Folder>> {
    let Some(path) = &command.layer_cache else {
        return Ok(None);
    };
    let shown = output::shown(path);
    let mut evidence: Vec<PathBuf> = command.targets.iter().map(PathBuf::from).filter(|p| target::exists(p)).collect();
    evidence.extend(command.blob_store.iter().cloned());
    evidence.extend((command.root != Path::new("/")).then(|| command.root.clone()));
    if let Some(of) = evidence.iter().find(|of| output::is_within(path, of)) {
        bail!("`{shown}` is part of `{}`, which is evidence\nhint: keep layers somewhere else", output::shown(of));
    }
    output::make_folder(path).with_context(|| format!("cannot make `{shown}`"))?;
    let opened = sys::open(path.as_path(), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .with_context(|| format!("`{shown}` cannot be opened as a folder"))?;
    let stat = sys::fstat(&opened).with_context(|| format!("`{shown}`"))?;
    let own = stat.st_uid == rustix::process::geteuid().as_raw();
    let open_to_others = Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH);
    if !command.trust_shared_cache && !own {
        bail!(
            "`{shown}` belongs to another user, who could hide findings in it\nhint: name a folder of your own, or say `--trust-shared-cache`"
        );
    }
    if !command.trust_shared_cache && open_to_others {
        bail!(
            "`{shown}` can be written by others, who could hide findings in it\nhint: `chmod go-w` it, name a folder of your own, or say `--trust-shared-cache`"
        );
    }
    output::remove_left(&opened);
    Ok(Some(Folder { path: path.clone(), opened }))
}

/// What reads layers: entries of another reader are none.
pub fn reader(setup: &Setup, limits: &Limits) -> String {
    let (only, skip) = (setup.chosen.only.join(","), setup.chosen.skip.join(","));
    let surfaces: Vec<&str> = setup.surfaces().iter().map(|s| s.meta().id).collect();
    image::reader_of(&[
        env!("CARGO_PKG_VERSION"),
        &surfaces.join(","),
        &only,
        &skip,
        &format!("{limits:?}"),
        if setup.chosen.deep { "deep" } else { "" },
    ])
}

/// The first line of the inventory of a layer.
///
/// # Errors
/// Where the indicators cannot be compared.
pub fn head(setup: &Setup, started: Timestamp) -> anyhow::Result<Head> {
    Ok(Head {
        format: inventory::v1::FORMAT.to_owned(),
        version: inventory::v1::VERSION,
        tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
        started,
        target: Target { kind: "layer".to_owned(), id: String::new(), name: None, installation: None, os: None },
        tree: String::new(),
        indicators: Indicators {
            digest: setup.digest()?,
            created: setup.index.database.created,
            asked: setup.asked()?.clone(),
        },
        privileged: true,
        only: setup.chosen.only.clone(),
        skip: setup.chosen.skip.clone(),
        deep: setup.chosen.deep,
        names: true,
        redacted: false,
        case_key: None,
    })
}

/// Judges the entry of a layer with the indicators of today.
pub fn replay(
    setup: &Setup,
    router: &Router<'_>,
    known: &Known,
    input: &mut dyn BufRead,
    names: &EachName<'_>,
) -> Replayed {
    let judged = judge(setup, router, known, input, names);
    judged.unwrap_or(Replayed::Damaged)
}

fn judge(
    setup: &Setup,
    router: &Router<'_>,
    known: &Known,
    input: &mut dyn BufRead,
    names: &EachName<'_>,
) -> anyhow::Result<Replayed> {
    let mut stored = inventory::stored(input)?;
    let head = stored.head.clone();
    let same = setup.digest()? == head.indicators.digest;
    let tree = "".into();
    let keep = |seen: &Seen| matcher::worth(&setup.index, seen);
    let inspector = Inspector::new(router, &setup.interest, &keep, tree, None);
    let tree = "".into();
    let is_idle = |p: &inventory::v1::Package| {
        let hashes = || p.artifacts.iter().flat_map(inventory::v1::Artifact::hashes);
        p.placement().is_some_and(|placement| matcher::is_idle(&setup.index, p.ecosystem, &p.name, placement, hashes()))
    };
    let today = Today { known, same, is_idle: &is_idle, names: Some(names) };
    let ended = inventory::replay(&mut stored, &tree, &inspector, &today, &|_, _| ())?;
    let asked = match same {
        true => Unrecorded::default(),
        false => {
            let root = Origin::file(&tree, TreePath::root());
            unrecorded::ask(setup, &head, &ended.recorded, &inspector, &root)?
        }
    };
    if asked.gaps.iter().any(|gap| gap.kind == GapKind::Unsupported) {
        return Ok(Replayed::Unanswered);
    }
    let (seen, mut coverage) = inspector.finish();
    coverage.files_seen = ended.files_seen;
    coverage.trees = Vec::new();
    Ok(Replayed::Facts(seen, Box::new(coverage)))
}
