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
    fact::{CommandAction, Fact, Origin, Seen, TreePath, Wanted},
    image::{self, Image, ImageError, Limits, Options, Readers, Step},
    ioc::Index,
    matcher,
    report::{self, Examination, v1},
    scan::is_root,
    shell,
    text::{escape, start},
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
    let (mut coverage, mut room) = (Coverage::default(), Room::default());
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
            room.admit(&setup.index, of_image(&setup.index, image), &mut evidence);
        }
    }
    coverage.gaps.extend(room.told());
    drop(progress);
    // What the others hold is not lost because of one that cannot be examined.
    if refused.len() == command.files.len()
        && let Some((file, error)) = refused.pop()
    {
        return Err(error).with_context(|| format!("`{}`", file.display()));
    }
    coverage.gaps.extend(refused.into_iter().map(|(file, error)| not_examined(file, &error)));
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
fn of_image(index: &Index, image: &Image) -> Vec<Evidence> {
    let told = |s: &Step| told(index, s);
    let by_step = |s: Option<&Step>| s.map(|s| format!(": {}", told(s))).unwrap_or_default();
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

/// What is kept of all images together: those that share a layer share its facts, but each has its own findings.
struct Room {
    /// Facts that fit an indicator, and credentials.
    findings: usize,
    credentials: usize,
    /// Facts that joins need.
    others: usize,
    lost: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self { findings: 50_000, credentials: 50_000, others: 300_000, lost: 0 }
    }
}

impl Room {
    fn admit(&mut self, index: &Index, from: Vec<Evidence>, into: &mut Vec<Evidence>) {
        for evidence in from.into_iter().filter(|e| matcher::relevant(index, &e.seen)) {
            let left = match evidence.seen.fact {
                Fact::Credential(_) => &mut self.credentials,
                _ if matcher::hits(index, &evidence.seen).is_empty() => &mut self.others,
                _ => &mut self.findings,
            };
            match left.checked_sub(1) {
                Some(fewer) => {
                    *left = fewer;
                    into.push(evidence);
                }
                None => self.lost += 1,
            }
        }
    }

    fn told(self) -> Option<Gap> {
        let detail = format!("{} more facts than are kept of all images", self.lost);
        let origin = Origin::file(&"images".into(), TreePath::root());
        (self.lost > 0).then_some(Gap { origin, surface: "image", kind: GapKind::TooLarge, detail })
    }
}

/// Install commands, and packages of one, that are quoted of a step.
const QUOTED: usize = 8;

/// "step 3, RUN `pip uninstall litellm`". Put together from what was recognised: the text of a step may hold secrets.
fn told(index: &Index, step: &Step) -> String {
    let known = |w: &&Wanted| index.knows_package(w.ecosystem, &w.name);
    let all = step.commands.len() <= QUOTED;
    let commands: Vec<String> = step
        .commands
        .iter()
        .filter(|c| all || c.wanted.iter().any(|w| known(&w)))
        .take(QUOTED)
        .map(|c| {
            let verb = match c.action {
                CommandAction::Install => "install",
                CommandAction::Run => "run",
                CommandAction::Download => "download",
                CommandAction::Uninstall => "uninstall",
            };
            let all = c.wanted.len() <= QUOTED;
            let wanted = c.wanted.iter().filter(|w| all || known(w)).take(QUOTED).map(|w| {
                let pin = w.pinned.as_ref().map(|v| format!("=={v}")).unwrap_or_default();
                let text = format!("{}{pin}{}", w.name, w.specifier);
                format!(" {}", start(&text, 80))
            });
            let more = if all { "" } else { " …" };
            format!("`{} {verb}{}{more}`", c.tool, wanted.collect::<String>())
        })
        .collect();
    let instruction = step.instruction.map(|i| format!(", {i}")).unwrap_or_default();
    let space = if commands.is_empty() { "" } else { " " };
    format!("step {}{instruction}{space}{}", step.number, commands.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fact::{Command, Ecosystem, Package, Placement},
        ioc::Database,
    };

    fn seen(fact: Fact) -> Seen {
        let origin = Origin::file(&"a".into(), TreePath::root());
        Seen { surface: "x", origin, at: None, uid: None, gid: None, mode: None, fact }
    }

    #[test]
    fn facts_of_images_that_share_layers_are_bounded_and_told() {
        let index = Index::new(Database::embedded().unwrap(), &[]);
        let package = |name: &str, version: &str| {
            let package = Package {
                ecosystem: Ecosystem::Pypi,
                name: name.into(),
                version: version.into(),
                placement: Placement::Loadable,
                requires: Vec::new(),
                artifacts: Vec::new(),
            };
            Evidence::from(seen(Fact::Package(package)))
        };
        let image = || vec![package("litellm", "1.82.8"), package("click", "8.1.7"), package("rich", "1.0")];
        let mut room = Room { findings: 1, credentials: 0, others: 3, lost: 0 };
        let mut kept = Vec::new();
        room.admit(&index, image(), &mut kept);
        assert_eq!((kept.len(), room.lost), (3, 0));
        room.admit(&index, image(), &mut kept);
        assert_eq!((kept.len(), room.lost), (4, 2));
        assert_eq!(room.told().unwrap().detail, "2 more facts than are kept of all images");
        assert!(Room::default().told().is_none());
    }

    #[test]
    fn a_long_step_is_quoted_by_what_matters() {
        let index = Index::new(Database::embedded().unwrap(), &[]);
        let step = |names: &[String]| {
            let wanted = names.iter().map(|n| Wanted {
                ecosystem: Ecosystem::Pypi,
                name: n.as_str().into(),
                pinned: None,
                specifier: "".into(),
            });
            let command =
                Command { tool: "pip".into(), action: CommandAction::Install, wanted: wanted.collect(), cutoff: None };
            told(&index, &Step { number: 2, instruction: Some("RUN"), commands: vec![command], at: None, empty: false })
        };
        assert_eq!(step(&["a".into(), "litellm".into()]), "step 2, RUN `pip install a litellm`");
        let mut names: Vec<String> = (0..50_000).map(|i| format!("a{i}")).collect();
        names.push("litellm".into());
        assert_eq!(step(&names), "step 2, RUN `pip install litellm …`");
        assert!(step(&["x".repeat(100_000)]).len() < 200);
    }
}
