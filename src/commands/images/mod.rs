//! `dosimeter images`: saved container images, layer by layer.

use std::{
    io::BufRead,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

mod each;
#[cfg(feature = "online")]
mod engines;
mod evidence;
mod named;
mod picture;
#[cfg(feature = "online")]
mod registries;
mod share;
pub(super) mod swept;

use self::{
    each::Each,
    named::Named,
    share::{Known as Before, Share},
    swept::{Run, Swept, of_all},
};
use super::{
    Ending,
    examine::Setup,
    finish::finish,
    layers,
    output::{self, Outputs},
    progress::Progress,
    sandbox,
};
use crate::{
    cli::ImagesCommand,
    coverage::{Coverage, GapKind},
    fact::{Seen, TreePath},
    image::{
        self, LayerCache, Limits, Options, Readers, Sweep,
        target::{self, Target},
    },
    inventory::{EachName, Packing, v1::Known},
    ioc::weigh::Weigher,
    matcher,
    report::{Document, is_records},
    scan::Settings,
    stop::STOP,
    tree::body::BYTES_READ,
    walk::{Recording, Router},
};

/// Examines and reports.
///
/// # Errors
/// Where an input cannot be opened or is no image, or the report cannot be written.
pub fn run(command: ImagesCommand) -> anyhow::Result<Ending> {
    let started = Timestamp::now();
    // What names nothing is said before anything is made.
    let profile = profile(&command)?;
    let kept = layers::folder(&command)?;
    let folders: Vec<PathBuf> = kept.iter().map(|folder| folder.path.clone()).collect();
    let files: Vec<PathBuf> = command.targets.iter().map(PathBuf::from).filter(|path| target::exists(path)).collect();
    let share = command.shard.as_deref().zip(command.part.as_deref());
    let share =
        share.map(|(shard, part)| Share::named(shard, part, &files, command.output.force_output)).transpose()?;
    let each = command.each.as_deref().map(|path| -> (&Path, output::Ours) { (path, is_records) });
    let outputs = match &share {
        None => Some(output::plan_with(&command.output, &files, Document::Report, each, &folders)?),
        Some(share) => {
            output::start([share.place()], &folders);
            None
        }
    };
    let sandbox = sandbox::begin(profile);
    let mut named = Named::read(&command)?;
    let mut setup = Setup::new(&command.choice, false, &Settings::default(), false)?;
    // What is kept of layers holds no hash of their files: to look for one is to read them all again, which the user has to want.
    let is_bare = setup.chosen.deep && command.layer_cache.is_some() && !command.reread;
    setup.chosen.deep &= !is_bare;
    setup.note_hashing(false);
    #[cfg(feature = "online")]
    let clients = match named.is_remote() {
        true => Some(registries::Clients::prepare(&command.registry, &named, setup.threads())?),
        false => None,
    };
    #[cfg(not(feature = "online"))]
    anyhow::ensure!(!named.is_remote(), "this build of dosimeter asks no registry");
    #[cfg(feature = "online")]
    let mut engines = engines::Engines::connect(&command, named.all_stores)?;
    #[cfg(not(feature = "online"))]
    anyhow::ensure!(command.engine.is_empty(), "this build of dosimeter asks no engine");
    // A file that could have been a list named no registry.
    let is_over_tcp = named.is_remote() || over_tcp(&command) > 0;
    let sockets = if is_over_tcp { sandbox.sockets() } else { sandbox.sockets().without_tcp() };
    sandbox.enclose_for(sockets, &[named.places(&command.root), folders.clone()].concat());
    let router = Router::new(setup.surfaces(), &setup.interest);
    let keep = |seen: &Seen| matcher::worth(&setup.index, seen);
    let weigher = Weigher::new(&setup.index);
    let weigh = |path: &TreePath, bytes: &[u8]| {
        crate::inventory::weigh_own(bytes).unwrap_or_else(|| weigher.weigh(path, bytes))
    };
    let limits = Limits::default();
    let known = Known::new(&setup.interest);
    let first = kept.as_ref().map(|_| layers::head(&setup, started)).transpose()?;
    let failed = Mutex::new(None);
    let replay =
        |input: &mut (dyn BufRead + Send), names: &EachName<'_>| layers::replay(&setup, &router, &known, input, names);
    let put = |name: &str, entry: Vec<u8>| {
        let put = folders.first().map(|folder| output::put_in(folder, name, entry));
        if let Some(Err(error)) = put {
            failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    };
    let cache = kept.zip(first).map(|(folder, head)| LayerCache {
        folder: folder.opened,
        reader: layers::reader(&setup, &limits),
        head,
        replay: &replay,
        put: &put,
        everything: Recording::everything(setup.index.interest()),
        reread: command.reread,
    });
    let progress = Arc::new(image::Progress::default());
    let options = Options {
        router: &router,
        interest: &setup.interest,
        keep: &keep,
        weigh: &weigh,
        readers: Readers {
            history: &|step, build| build.step(step),
            environment: &|lines| setup.environment(lines),
            arguments: &|lines| setup.arguments(lines),
        },
        threads: setup.threads(),
        limits,
        verify: true,
        stop: &STOP,
        progress: &progress,
        cache: cache.as_ref(),
    };
    let mut coverage = Coverage::default();
    coverage.exclusions.append(&mut named.exclusions);
    #[cfg(feature = "online")]
    let registries = clients.as_ref().map(|clients| clients.registries(&mut coverage.gaps)).unwrap_or_default();
    #[cfg_attr(not(feature = "online"), expect(unused_mut, reason = "registries and engines add to it"))]
    let mut inputs = named.open(&command.root, limits, !command.engine.is_empty())?;
    #[cfg(feature = "online")]
    {
        if let Some(clients) = &clients {
            clients.open(&registries, &mut inputs)?;
        }
        named.uses.extend(engines.ask(&mut coverage));
        engines.open(&mut inputs, limits);
    }
    #[cfg(feature = "online")]
    let names = engines.names();
    #[cfg(not(feature = "online"))]
    let names = Vec::new();
    if is_bare {
        let detail = "a hash without a file name was given, and layers keep no hashes: `--reread` reads them all again";
        coverage.gaps.push(of_all(GapKind::Unsupported, detail.to_owned()));
    }
    if let Some(share) = &share {
        let before =
            Before { coverage: &coverage, uses: &named.uses, names: &names, started, target: named.id(&command) };
        return share.read(
            &setup,
            inputs,
            &options,
            &before,
            &progress,
            (command.output.quiet, command.output.exit_zero),
        );
    }
    let sweep = Sweep::plan(inputs, &options);
    let size = sweep.size();
    if command.plan {
        #[cfg_attr(not(feature = "online"), expect(unused_mut, reason = "registries add to it"))]
        let mut words = picture::plan(&sweep);
        #[cfg(feature = "online")]
        words.extend(clients.iter().map(|clients| {
            format!("each layer of a registry is one request; spent on lists and manifests: {}", clients.words())
        }));
        output::print(&words.join("\n"))?;
        return Ok(if sweep.gaps() + coverage.gaps.len() > 0 { Ending::Incomplete } else { Ending::Nothing });
    }
    let watched = Progress::of_layers(&progress, size, command.output.quiet);
    let place = outputs.as_ref().and_then(Outputs::beside);
    let each = place.map(|place| Each::begin(place, &setup, started, &named.id(&command))).transpose()?;
    let mut swept = Swept::new();
    coverage.absorb(
        sweep.run(&options, &Packing::new(&setup.interest), &mut |image| swept.take(&setup, &image, each.as_ref())),
    );
    drop(watched);
    if let Some(error) = each.as_ref().and_then(Each::failed) {
        output::note(&format!("the records of `--each` are not whole: {error}"));
    }
    if let Some(error) = failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
        output::note(&format!("what layers hold is not kept for the next run: {error:#}"));
    }
    if command.output.verbose > 0 {
        output::note(&progress.words());
    }
    #[cfg(feature = "online")]
    {
        clients.iter().filter(|_| command.output.verbose > 0).for_each(|clients| output::note(&clients.words()));
        engines.words().iter().filter(|_| command.output.verbose > 0).for_each(|words| output::note(words));
    }
    coverage.bytes_read = BYTES_READ.load(std::sync::atomic::Ordering::Relaxed);
    let machine = named.machine(&command.root);
    let run = Run { id: named.id(&command), machine, started, size, uses: &named.uses, names: &names };
    let report = swept.report(&mut setup, coverage, run, &sandbox)?;
    report.run.sandbox.iter().filter(|_| command.output.verbose > 0).for_each(|held| output::note(&held.words()));
    finish(report, &command.output, |report, _| outputs.iter().try_for_each(|outputs| outputs.write(report)))
}

/// The row of the table of what is given up.
///
/// # Errors
/// Where a target names nothing.
fn profile(command: &ImagesCommand) -> anyhow::Result<&'static str> {
    let over_tcp = over_tcp(command);
    Ok(match (may_ask(command)? || over_tcp > 0, command.engine.len() > over_tcp) {
        (false, false) => "images",
        (true, false) => "images REGISTRY",
        (false, true) => "images ENGINE",
        (true, true) => "images ENGINE REGISTRY",
    })
}

/// Engines that are not behind a Unix socket.
fn over_tcp(command: &ImagesCommand) -> usize {
    command.engine.iter().filter(|text| text.contains("://") && !text.starts_with("unix://")).count()
}

/// Whether what was named may be in a registry, or is a list that may name one.
fn may_ask(command: &ImagesCommand) -> anyhow::Result<bool> {
    let mut asks = false;
    for text in &command.targets {
        asks |= match Target::parse(text, &target::exists)? {
            Target::Remote(_) | Target::Whole { .. } | Target::List => true,
            Target::Path(path) => named::may_be_list(&path),
            Target::Stored(_) => false,
        };
    }
    Ok(asks)
}
