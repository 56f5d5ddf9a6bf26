//! Facts compared with indicators. Says what fits and by what; what that means is for `assess`.

use crate::{
    ecosystem::{admits, fits, is_interpreter, normal_name, original_name, sibling, stands_alone, with_layouts},
    fact::{
        Artifact, Command, CommandAction, Ecosystem, Fact, Held, HookContent, Package, Placement, Seen, TextId, Trace,
        TraceKind, TreePath, Unit, Wanted, hashes,
    },
    interest::glob,
    ioc::{
        Index,
        index::{Fit, Holder, IncidentId, Known, List},
        model::{FileIndicator, FileRole, Standing},
    },
    surface::{CommandSource, commands_of},
    walk::Worth,
};

/// What of an indicator a fact fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The package version is malicious; position in `packages`.
    Version(usize),
    /// The SHA-256 of a wheel or sdist; position in `artifacts`.
    Artifact(usize),
    /// A file indicator; position in `files`.
    File {
        /// Position.
        at: usize,
        /// The bytes are the known ones.
        hash: bool,
        /// It stands where the indicator says.
        placed: bool,
    },
    /// A value of one of the plain lists: an action, an image, an address, a text, a trace in git.
    Value {
        /// The list.
        list: List,
        /// Position in it.
        at: usize,
        /// By what it is the known one.
        fit: Fit,
    },
    /// A running process; position in `processes`.
    Process(usize),
    /// A command that can only have taken a malicious version; positions in `packages` and in the command's list.
    Pinned(usize, usize),
    /// A command that could have taken one; positions as before.
    Admits(usize, usize),
}

/// One fact that fits one indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Whose indicator.
    pub incident: IncidentId,
    /// What fits.
    pub by: By,
}

/// What a fact is worth: whether it fits something, or explains what does. Called once per fact, in the worker.
pub fn worth(index: &Index, seen: &Seen) -> Worth {
    if matches!(seen.fact, Fact::Credential(_)) {
        Worth::Credential
    } else if !hits(index, seen).is_empty() {
        Worth::Evidence
    } else if explains(index, &seen.fact) || may_install(seen) || is_configured(seen) {
        Worth::Context
    } else {
        Worth::Nothing
    }
}

/// Whether a package is worth nothing whatever its version: nothing loads it, and no indicator knows its name or one of its files.
/// What is left out by this answer never reaches `worth`, which would say the same.
pub fn is_idle<'h>(
    index: &Index,
    ecosystem: Ecosystem,
    name: &str,
    placement: Placement,
    mut hashes: impl Iterator<Item = &'h str>,
) -> bool {
    if placement == Placement::Loadable && !stands_alone(ecosystem) || index.knows_package(ecosystem, name) {
        return false;
    }
    let normal = normal_name(ecosystem, name);
    let other = sibling(ecosystem);
    !index.knows_package(ecosystem, &normal)
        && !other.is_some_and(|other| index.knows_package(other, &normal))
        && !hashes.any(|hash| index.knows_artifact(hash))
}

fn explains(index: &Index, fact: &Fact) -> bool {
    match fact {
        // What another machine installed explains nothing of this one.
        Fact::Package(Package { placement: Placement::Logged(_), .. }) => false,
        Fact::Package(p) => {
            p.placement == Placement::Loadable && !stands_alone(p.ecosystem)
                || index.knows_package(p.ecosystem, &p.name)
        }
        Fact::Hook { content, .. } => *content == HookContent::Runs,
        Fact::Process { program, name, .. } => {
            let named = || TreePath::new(name.as_bytes()).is_some_and(|name| is_interpreter(&name));
            program.as_ref().map_or_else(named, is_interpreter)
        }
        Fact::Executable { program, .. } => is_interpreter(program),
        Fact::Command(c) => {
            c.action == CommandAction::Start
                || c.scripts.is_some()
                || c.wanted.iter().any(|w| index.knows_package(w.ecosystem, &w.name))
        }
        Fact::Disagreement { names, .. } => names.iter().any(|name| knows(index, name)),
        Fact::Recorded { package, .. } => index.knows_package(package.ecosystem, &package.name),
        Fact::InstallScript { name, .. } => knows(index, name),
        // A name that nothing else explains is worth nothing unless it is a bad one.
        Fact::Named(_) => false,
        Fact::File { .. } | Fact::Host { .. } | Fact::Autostart { .. } | Fact::Image { .. } => false,
        Fact::Use(_) | Fact::Trace(_) => false,
        Fact::Owned { .. }
        | Fact::Listed { .. }
        | Fact::KeptEvidence { .. }
        | Fact::Installer { .. }
        | Fact::Requested
        | Fact::Starts(_)
        | Fact::FromRepository { .. }
        | Fact::Bytecode { .. }
        | Fact::Environment { .. }
        | Fact::Project { .. }
        | Fact::CodeFolder
        | Fact::Requires(_)
        | Fact::Loaded { .. }
        | Fact::SearchPath { .. }
        | Fact::Includes { .. }
        | Fact::OnPath { .. }
        | Fact::ScriptsBlocked { .. }
        | Fact::Platform(_)
        | Fact::Reference(_)
        | Fact::Credential(_) => true,
    }
}

/// Whether it is a command that settings of a program hold: such a program may have brought a package in.
pub fn is_configured(seen: &Seen) -> bool {
    matches!(seen.fact, Fact::Command(_)) && commands_of(seen.surface) == CommandSource::Configured
}

/// Whether it is a dated install that may have brought a package which it does not name: from a list, or along with what it names.
fn may_install(seen: &Seen) -> bool {
    let Fact::Command(c) = &seen.fact else {
        return false;
    };
    let installs = matches!(c.action, CommandAction::Install | CommandAction::Run) && seen.at.is_some();
    installs && (!c.lists.is_empty() || c.wanted.iter().any(|w| w.pinned.is_none()))
}

/// Whether an indicator knows a package of this name, wherever it may be installed from.
fn knows(index: &Index, name: &str) -> bool {
    with_layouts().any(|ecosystem| index.knows_package(ecosystem, name))
}

/// Everything a fact fits, sorted by incident. An indicator that was not valid yet, or no more, when the fact happened is left out.
pub fn hits(index: &Index, seen: &Seen) -> Vec<Hit> {
    let at = seen.at.as_ref().map(|at| at.time);
    let mut found = fitting(index, seen);
    found.retain(|hit| standing(index, hit).is_none_or(|(standing, _)| standing.covers(at)));
    found
}

/// How far the indicator of a hit may be trusted, and the keys of its sources.
pub fn standing<'i>(index: &'i Index, hit: &Hit) -> Option<(&'i Standing, &'i [String])> {
    let i = index.incident(hit.incident)?;
    match hit.by {
        By::Version(at) | By::Pinned(at, _) | By::Admits(at, _) => {
            i.packages.get(at).map(|p| (&p.standing, &*p.sources))
        }
        By::Artifact(at) => i.artifacts.get(at).map(|a| (&a.standing, &*a.sources)),
        By::File { at, .. } => i.files.get(at).map(|f| (&f.standing, &*f.sources)),
        By::Value { list, at, .. } => match list {
            List::Packages => i.packages.get(at).map(|p| (&p.standing, &*p.sources)),
            List::Actions => i.actions.get(at).map(|a| (&a.standing, &*a.sources)),
            List::Images => i.images.get(at).map(|m| (&m.standing, &*m.sources)),
            List::Network => i.network.get(at).map(|n| (&n.standing, &*n.sources)),
            List::Strings => i.strings.get(at).map(|s| (&s.standing, &*s.sources)),
            List::Git => i.git.get(at).map(|g| (&g.standing, &*g.sources)),
        },
        By::Process(at) => i.processes.get(at).map(|p| (&p.standing, &*p.sources)),
    }
}

fn fitting(index: &Index, seen: &Seen) -> Vec<Hit> {
    let unit = seen.unit.as_deref().filter(|u| u.usual);
    match &seen.fact {
        Fact::Package(package) | Fact::Named(package) | Fact::Recorded { package, .. } => of_package(index, package),
        // In a store by content the name is the hash, and nothing else.
        Fact::File { digest: Some(digest), .. } => of_digest(index, digest),
        Fact::File { sha256, texts, .. } => of_file(index, &seen.origin.path, unit, sha256.as_deref(), texts),
        Fact::Hook { sha256, content, .. } => of_hook(index, &seen.origin.path, unit, sha256.as_deref(), *content),
        Fact::Autostart { texts, .. } if seen.origin.line.is_some() => starting(index, texts),
        Fact::Autostart { sha256, texts, .. } => of_autostart(index, &seen.origin.path, unit, sha256, texts),
        Fact::Host { name, sinkholed: false } => {
            let name = Trace { kind: TraceKind::Host, value: name.clone(), held: Held::Named };
            index.traces_of(&name).into_iter().map(of_value).collect()
        }
        Fact::Use(used) => index.uses(used).into_iter().map(of_value).collect(),
        Fact::Trace(trace) => index.traces_of(trace).into_iter().map(of_value).collect(),
        Fact::Process { texts, name, .. } => of_process(index, texts, name),
        Fact::Executable { program, .. } => of_executable(index, program),
        Fact::Command(command) => of_command(index, command),
        Fact::Image { references, digests } => index.images_of(references, digests).into_iter().map(of_value).collect(),
        _ => Vec::new(),
    }
}

fn of_package(index: &Index, package: &Package) -> Vec<Hit> {
    let name = normal_name(package.ecosystem, &package.name);
    let by_version = index.version(package.ecosystem, &name, &package.version);
    let mut found: Vec<Hit> =
        by_version.iter().map(|((incident, at), _)| Hit { incident: *incident, by: By::Version(*at) }).collect();
    let elsewhere = sibling(package.ecosystem).map(|other| index.version(other, &name, &package.version));
    for ((incident, at), _) in elsewhere.into_iter().flatten() {
        if !found.iter().any(|h| h.incident == incident) {
            found.push(Hit { incident, by: By::Version(at) });
        }
    }
    let hashes = package.artifacts.iter().flat_map(Artifact::hashes);
    for ((incident, at), _) in hashes.flat_map(|h| index.artifacts(h)) {
        if !found.iter().any(|h| h.incident == incident) {
            found.push(Hit { incident, by: By::Artifact(at) });
        }
    }
    found
}

fn of_file(index: &Index, path: &TreePath, unit: Option<&Unit>, sha256: Option<&str>, texts: &[TextId]) -> Vec<Hit> {
    let below = unit.and_then(|u| path.below(&u.folder));
    let mut found = Vec::new();
    for ((incident, at), indicator) in index.files_at(&path.without_private(), below) {
        let hash = sha256.is_some() && indicator.sha256.as_deref() == sha256;
        if hash || by_name(index, (incident, at), indicator, texts) {
            found.push(Hit { incident, by: By::File { at, hash, placed: true } });
        }
    }
    if !found.is_empty() {
        return found;
    }
    let by_hash = sha256.into_iter().flat_map(|h| index.file_hashes(h));
    found.extend(by_hash.map(|((incident, at), _)| Hit { incident, by: By::File { at, hash: true, placed: false } }));
    let by_hash = sha256.into_iter().flat_map(|h| index.artifacts(h));
    found.extend(by_hash.map(|((incident, at), _)| Hit { incident, by: By::Artifact(at) }));
    if !found.is_empty() {
        found.sort_by_key(|h| h.incident);
        found.dedup_by_key(|h| h.incident);
        return found;
    }
    // A hook's name is distinctive wherever it stands: an unpacked wheel, a cache.
    let named = index.files_named(path.name()).into_iter().filter(|(_, f)| f.role == FileRole::Hook);
    named.map(|((incident, at), _)| Hit { incident, by: By::File { at, hash: false, placed: false } }).collect()
}

/// By a hash that its place in a store says.
fn of_digest(index: &Index, digest: &str) -> Vec<Hit> {
    let by_hash = hashes(None, Some(digest)).flat_map(|h| index.artifacts(h));
    let mut found: Vec<Hit> = by_hash.map(|((incident, at), _)| Hit { incident, by: By::Artifact(at) }).collect();
    found.sort_by_key(|h| h.incident);
    found.dedup_by_key(|h| h.incident);
    found
}

/// By its bytes; by its name only where it runs, or did before somebody emptied or renamed it. Folders in a `.pth` of that name
/// are an editable install of a project that is called so.
fn of_hook(
    index: &Index,
    path: &TreePath,
    unit: Option<&Unit>,
    sha256: Option<&str>,
    content: HookContent,
) -> Vec<Hit> {
    let was = match content {
        HookContent::Renamed => original_name(path.name()).map(|name| path.parent().join(name)),
        _ => None,
    };
    let mut found = of_file(index, was.as_ref().unwrap_or(path), unit, sha256, &[]);
    if content == HookContent::Paths {
        found.retain(|hit| matches!(hit.by, By::File { hash: true, .. } | By::Artifact(_)));
    }
    found
}

/// Whether name and place are enough for this indicator, with the texts found in the file.
fn by_name(index: &Index, place: (usize, usize), indicator: &FileIndicator, texts: &[TextId]) -> bool {
    if indicator.role == FileRole::Module {
        return false;
    }
    let holds = |t: &TextId| index.holders(*t).contains(&Holder::File(place));
    indicator.holds.is_empty() || texts.iter().any(holds)
}

/// By its own place and text; else by the command line of a process that it would start.
fn of_autostart(index: &Index, path: &TreePath, unit: Option<&Unit>, sha256: &str, texts: &[TextId]) -> Vec<Hit> {
    let found = of_file(index, path, unit, Some(sha256), texts);
    if !found.is_empty() {
        return found;
    }
    starting(index, texts)
}

/// By the command lines of processes that these texts are part of.
fn starting(index: &Index, texts: &[TextId]) -> Vec<Hit> {
    let holders = texts.iter().flat_map(|t| index.holders(*t));
    let mut started: Vec<Hit> = holders
        .filter_map(|h| match h {
            Holder::Process((incident, at)) => Some(Hit { incident: *incident, by: By::Process(*at) }),
            Holder::File(_) => None,
        })
        .collect();
    started.dedup_by_key(|h| h.incident);
    started
}

fn of_process(index: &Index, texts: &[TextId], program: &str) -> Vec<Hit> {
    let runs = |(incident, at): (usize, usize)| {
        let indicator = index.incident(incident).and_then(|i| i.processes.get(at));
        indicator.is_some_and(|p| p.programs.iter().any(|name| glob(name, program)))
    };
    let holders = texts.iter().flat_map(|t| index.holders(*t));
    let mut found: Vec<Hit> = holders
        .filter_map(|h| match h {
            Holder::Process((incident, at)) if runs((*incident, *at)) => {
                Some(Hit { incident: *incident, by: By::Process(*at) })
            }
            _ => None,
        })
        .collect();
    found.dedup_by_key(|h| h.incident);
    found
}

/// A program that the payload dropped, by its place: its bytes may be gone.
fn of_executable(index: &Index, program: &TreePath) -> Vec<Hit> {
    let dropped = |f: &FileIndicator| matches!(f.role, FileRole::Persistence | FileRole::Trace) && f.holds.is_empty();
    let places = index.files_at(program, None).into_iter().filter(|(_, f)| dropped(f));
    places.map(|((incident, at), _)| Hit { incident, by: By::File { at, hash: false, placed: true } }).collect()
}

fn of_value(Known { incident, list, at, fit }: Known) -> Hit {
    Hit { incident, by: By::Value { list, at, fit } }
}

fn of_command(index: &Index, command: &Command) -> Vec<Hit> {
    if command.action == CommandAction::Uninstall {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (w, wanted) in command.wanted.iter().enumerate() {
        let own = index.package(wanted.ecosystem, &wanted.name);
        let elsewhere = sibling(wanted.ecosystem).filter(|_| own.is_empty());
        let elsewhere = elsewhere.map(|other| index.package(other, &wanted.name)).unwrap_or_default();
        for ((incident, at), indicator) in own.into_iter().chain(elsewhere) {
            let by = match &wanted.pinned {
                Some(version) => {
                    indicator.versions.iter().any(|v| fits(wanted.ecosystem, v, version)).then_some(By::Pinned(at, w))
                }
                // Whatever it took was malicious.
                None if indicator.versions.iter().any(|v| v == "*") => Some(By::Pinned(at, w)),
                None => admitted(wanted, &indicator.versions).then_some(By::Admits(at, w)),
            };
            found.extend(by.map(|by| Hit { incident, by }));
        }
    }
    found
}

fn admitted(wanted: &Wanted, versions: &[String]) -> bool {
    versions.iter().any(|v| admits(wanted.ecosystem, &wanted.specifier, v))
}
