//! `dosimeter images`: saved container images, layer by layer.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::Context as _;
use jiff::Timestamp;

use super::{Ending, STOP, examine::Setup, output, progress::Progress};
use crate::{
    accounts::Accounts,
    assess::{Evidence, Layers},
    cli::ImagesCommand,
    coverage::{Coverage, Gap, GapKind},
    credential::ENVIRONMENT,
    fact::{CommandAction, Fact, Origin, Seen, TreePath},
    image::{self, Image, ImageError, Limits, Options, Readers, Step},
    matcher,
    report::{self, Examination, v1},
    scan::is_root,
    shell,
    text::escape,
    tree::body::BYTES_READ,
    walk::Router,
};

/// Examines and reports.
///
/// # Errors
/// Where an input cannot be opened or is no image, or the report cannot be written.
pub fn run(command: ImagesCommand) -> anyhow::Result<Ending> {
    let started = Timestamp::now();
    let outputs = output::plan(&command.output)?;
    let mut setup = Setup::new(&command.choice, false, &[], false)?;
    let router = Router::new(setup.surfaces(), &setup.interest);
    let keep = |seen: &Seen| matcher::relevant(&setup.index, seen);
    let options = Options {
        router: &router,
        interest: &setup.interest,
        keep: &keep,
        readers: Readers { history: &shell::from_image_history, environment: &|lines| setup.environment(lines) },
        threads: setup.threads(),
        limits: Limits::default(),
        verify: true,
        stop: &STOP,
    };
    let progress = Progress::start("examining images", command.output.quiet);
    let mut coverage = Coverage::default();
    let (mut evidence, mut refused) = (Vec::new(), Vec::new());
    let mut accounts: BTreeMap<Arc<str>, Accounts> = BTreeMap::new();
    for file in &command.files {
        let taken = accounts.keys().cloned().collect();
        let found = match image::examine(file, &options, &taken) {
            Ok(found) => found,
            Err(error) => {
                refused.push((file, error));
                continue;
            }
        };
        coverage.absorb(found.coverage);
        for image in &found.images {
            accounts.insert(image.label.clone(), image.accounts());
            evidence.extend(of_image(image));
        }
    }
    drop(progress);
    // What the others hold is not lost because of one that cannot be examined.
    if refused.len() == command.files.len()
        && let Some((file, error)) = refused.pop()
    {
        return Err(error).with_context(|| format!("`{}`", file.display()));
    }
    coverage.gaps.extend(refused.into_iter().map(|(file, error)| not_examined(file, &error)));
    evidence.retain(|e| matcher::relevant(&setup.index, &e.seen));
    coverage.bytes_read = BYTES_READ.load(std::sync::atomic::Ordering::Relaxed);
    if STOP.load(std::sync::atomic::Ordering::Relaxed) {
        coverage.interrupted();
    }
    let assessment = setup.judge(evidence, accounts.clone())?;
    let names: Vec<_> = command.files.iter().map(|f| f.to_string_lossy()).collect();
    let report = report::build(Examination {
        index: &setup.index,
        layers: setup.indicators.layers.clone(),
        catalog: &setup.catalog,
        assessment: &assessment,
        coverage,
        accounts: &accounts,
        target: v1::Target { kind: "images".to_owned(), id: names.join(" "), os: None },
        started,
        finished: Timestamp::now(),
        argv: output::argv(),
        user: output::user(),
        privileged: is_root(),
    });
    outputs.write(&report)?;
    Ok(output::ending(&report, &command.output))
}

/// An input that is no image, or cannot be opened, beside others that were examined.
fn not_examined(file: &Path, error: &ImageError) -> Gap {
    let kind = match error {
        ImageError::Open(_) => GapKind::Unreadable,
        ImageError::NotAnImage(_) => GapKind::Malformed,
    };
    let tree = escape(file.as_os_str().as_encoded_bytes()).into();
    Gap { origin: Origin::file(&tree, TreePath::root()), surface: "image", kind, detail: error.to_string() }
}

/// The facts of the layers with what became of their files, the steps of the build, and the image itself.
fn of_image(image: &Image) -> Vec<Evidence> {
    let step = |layer: usize| image.layers.get(layer).and_then(|l| image.steps.get(l.step?));
    let mut evidence: Vec<Evidence> = image
        .facts()
        .map(|f| Evidence {
            layers: Some(Layers { made: f.layer, gone: f.gone_in }),
            gone: f.gone_in.map(|layer| format!("a later layer took it out{}", by_step(step(layer)))),
            made: step(f.layer).map(|s| format!("its layer was made by {}", told(s))),
            seen: f.seen,
        })
        .collect();
    evidence.extend(image.history().map(Evidence::from));
    let origin = Origin::file(&image.label, TreePath::root());
    evidence.extend(image.secrets.iter().map(|(name, credential)| {
        let mut origin = origin.clone();
        origin.inner = Some(format!("ENV {name}").into());
        let fact = Fact::Credential(credential.clone());
        Evidence::from(Seen { surface: ENVIRONMENT, origin, at: None, uid: None, gid: None, mode: None, fact })
    }));
    let digests = image.id.iter().chain(&image.manifests).cloned().collect();
    let at = image.created.map(|t| crate::fact::At::new(t, "creation time in the image"));
    let fact = Fact::Image { references: image.tags.clone(), digests };
    evidence.push(Seen { surface: "image/config", origin, at, uid: None, gid: None, mode: None, fact }.into());
    evidence
}

fn by_step(step: Option<&Step>) -> String {
    step.map(|s| format!(": {}", told(s))).unwrap_or_default()
}

/// "step 3, RUN `pip uninstall litellm`". Put together from what was recognised: the text of a step may hold secrets.
fn told(step: &Step) -> String {
    let commands: Vec<String> = step
        .commands
        .iter()
        .map(|c| {
            let verb = match c.action {
                CommandAction::Install => "install",
                CommandAction::Run => "run",
                CommandAction::Download => "download",
                CommandAction::Uninstall => "uninstall",
            };
            let wanted = c.wanted.iter().map(|w| {
                let pin = w.pinned.as_ref().map(|v| format!("=={v}")).unwrap_or_default();
                format!(" {}{pin}{}", w.name, w.specifier)
            });
            format!("`{} {verb}{}`", c.tool, wanted.collect::<String>())
        })
        .collect();
    let instruction = step.instruction.map(|i| format!(", {i}")).unwrap_or_default();
    let space = if commands.is_empty() { "" } else { " " };
    format!("step {}{instruction}{space}{}", step.number, commands.join(" and "))
}
