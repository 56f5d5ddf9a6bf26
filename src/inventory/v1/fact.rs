//! What was read, in own types.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Command, Credential, File, Known, Path, Trace, Use};
use crate::{
    fact::{
        self, Ecosystem, EnvironmentKind, HookContent, HookKind, Logged, Placement, ScriptOutcome, Statement, TextId,
    },
    interest::Interest,
};

/// A fact at its place in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stood {
    /// A member of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner: Option<String>,
    /// From 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The machine of the job whose log says it: `ci:github/123`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
    /// What.
    pub fact: Fact,
}

/// A time and its source.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct At {
    /// UTC.
    pub time: Timestamp,
    /// In words.
    pub source: String,
}

/// A requirement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Requirement {
    /// Normalised.
    pub name: String,
    /// As written.
    pub text: String,
    /// Extras it asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extras: Vec<String>,
    /// As written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Only with an extra.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub extra: bool,
}

/// A file of a package.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Artifact {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// In bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Another hash, `sha512:<hex>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Box<str>>,
}

impl Artifact {
    /// As those of its namesake.
    pub fn hashes(&self) -> impl Iterator<Item = &str> {
        fact::hashes(self.sha256.as_deref(), self.digest.as_deref())
    }
}

/// A package version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Package {
    /// Of the package.
    pub ecosystem: Ecosystem,
    /// Normalised.
    pub name: String,
    /// As written.
    pub version: String,
    /// `listed`, `cached`, `leftover`, `built`, `loadable`, `stated-…`, `logged-…`.
    pub placement: String,
    /// What it asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Requirement>,
    /// Its files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
}

/// What starts by itself, or with a project.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)] // each field is explained in the schema
pub struct Autostart {
    pub texts: Vec<String>,
    pub sha256: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_project: bool,
}

/// What was read; each variant as its namesake of the program.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // each field is explained in the schema
pub enum Fact {
    Package(Package),
    Named(Package),
    Disagreement { names: [String; 2], what: String },
    CodeFolder {},
    Requires { requires: Vec<Requirement> },
    File(File),
    Hook { hook: String, content: String, sha256: Option<String>, size: u64, odd: Vec<String> },
    Owned { file: Path, sha256: Option<String> },
    Listed { paths: Vec<Path> },
    KeptEvidence { case: String, archives: usize },
    Platform { is: String },
    Installer { name: String },
    Requested {},
    FromRepository { vcs: String },
    Bytecode { module: String, source_mtime: Option<Timestamp>, source_size: Option<u32> },
    Environment { prefix: Path, is: EnvironmentKind, asked: Vec<Requirement> },
    Project { ecosystem: Ecosystem, asked: Vec<Requirement> },
    Command(Command),
    Starts(Command),
    Host { name: String, sinkholed: bool },
    Autostart(Autostart),
    Process { pid: u32, program: Option<Path>, name: String, texts: Vec<String> },
    Executable { pid: u32, program: Path, deleted: bool },
    Loaded { pid: u32, site: Path },
    SearchPath { pid: u32, prefixes: Vec<Path> },
    Image { references: Vec<String>, digests: Vec<String> },
    Recorded { package: Package, folder: Path },
    InstallScript { name: String, version: String, folder: Option<Path>, outcome: String },
    ScriptsBlocked { by: String, root: Path, allowed: Vec<String> },
    Includes { file: Path, surface: String },
    OnPath { site: Path, entry: Path },
    Use(Use),
    Trace(Trace),
    Reference { store: String },
    Credential(Credential),
}

const PLACEMENTS: [(Placement, &str); 13] = [
    (Placement::Stated(Statement::Listed), "stated-listed"),
    (Placement::Stated(Statement::Unclear), "stated-unclear"),
    (Placement::Stated(Statement::Installed), "stated-installed"),
    (Placement::Listed, "listed"),
    (Placement::Cached, "cached"),
    (Placement::Leftover, "leftover"),
    (Placement::Built, "built"),
    (Placement::Loadable, "loadable"),
    (Placement::Logged(Logged::Resolved), "logged-resolved"),
    (Placement::Logged(Logged::Downloaded), "logged-downloaded"),
    (Placement::Logged(Logged::Blocked), "logged-blocked"),
    (Placement::Logged(Logged::Installed), "logged-installed"),
    (Placement::Logged(Logged::Ran), "logged-ran"),
];
const HOOKS: [(HookKind, &str); 4] = [
    (HookKind::Pth, "pth"),
    (HookKind::Start, "start"),
    (HookKind::Sitecustomize, "sitecustomize"),
    (HookKind::Usercustomize, "usercustomize"),
];
const CONTENTS: [(HookContent, &str); 4] = [
    (HookContent::Runs, "runs"),
    (HookContent::Paths, "paths"),
    (HookContent::Empty, "empty"),
    (HookContent::Renamed, "renamed"),
];
const OUTCOMES: [(ScriptOutcome, &str); 5] = [
    (ScriptOutcome::Declared, "declared"),
    (ScriptOutcome::Started, "started"),
    (ScriptOutcome::Succeeded, "succeeded"),
    (ScriptOutcome::Failed, "failed"),
    (ScriptOutcome::Skipped, "skipped"),
];

pub(super) fn word<T: Copy + PartialEq>(table: &[(T, &'static str)], value: T) -> String {
    table.iter().find(|(v, _)| *v == value).map_or("", |(_, word)| word).to_owned()
}

pub(super) fn value<T: Copy>(table: &[(T, &'static str)], word: &str) -> Option<T> {
    table.iter().find(|(_, w)| *w == word).map(|(value, _)| *value)
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn words(list: &[Box<str>]) -> Vec<String> {
    list.iter().map(|w| w.to_string()).collect()
}

fn boxes(list: Vec<String>) -> Box<[Box<str>]> {
    list.into_iter().map(String::into_boxed_str).collect()
}

fn boxed(text: Option<String>) -> Option<Box<str>> {
    text.map(String::into_boxed_str)
}

fn requirements(list: &[fact::Requirement]) -> Vec<Requirement> {
    let own = |r: &fact::Requirement| Requirement {
        name: r.name.to_string(),
        text: r.text.to_string(),
        extras: words(&r.extras),
        marker: owned(r.marker.as_deref()),
        extra: r.extra,
    };
    list.iter().map(own).collect()
}

fn required<C: FromIterator<fact::Requirement>>(list: Vec<Requirement>) -> C {
    let back = |r: Requirement| fact::Requirement {
        name: r.name.into(),
        text: r.text.into(),
        extras: boxes(r.extras),
        marker: boxed(r.marker),
        extra: r.extra,
    };
    list.into_iter().map(back).collect()
}

impl From<&fact::Package> for Package {
    fn from(p: &fact::Package) -> Self {
        let artifact = |a: &fact::Artifact| Artifact {
            name: a.name.clone(),
            size: a.size,
            sha256: a.sha256.clone(),
            digest: a.digest.clone(),
        };
        Self {
            ecosystem: p.ecosystem,
            name: p.name.to_string(),
            version: p.version.to_string(),
            placement: word(&PLACEMENTS, p.placement),
            requires: requirements(&p.requires),
            artifacts: p.artifacts.iter().map(artifact).collect(),
        }
    }
}

impl Package {
    /// `None` where its word is not known.
    pub fn placement(&self) -> Option<Placement> {
        value(&PLACEMENTS, &self.placement)
    }

    fn read(self) -> Option<fact::Package> {
        let placement = self.placement()?;
        let artifact = |a: Artifact| fact::Artifact { name: a.name, size: a.size, sha256: a.sha256, digest: a.digest };
        Some(fact::Package {
            ecosystem: self.ecosystem,
            name: self.name.into(),
            version: self.version.into(),
            placement,
            requires: required(self.requires),
            artifacts: self.artifacts.into_iter().map(artifact).collect(),
        })
    }
}

impl From<&fact::At> for At {
    fn from(at: &fact::At) -> Self {
        Self { time: at.time, source: at.source.clone().into_owned() }
    }
}

impl Stood {
    /// The parts of a fact that its file does not say. Texts of indicators are written out.
    pub fn new(seen: &fact::Seen, interest: &Interest) -> Self {
        Self {
            inner: owned(seen.origin.inner.as_deref()),
            line: seen.origin.line,
            machine: seen.origin.is_of_job().then(|| seen.origin.tree.to_string()),
            at: seen.at.as_ref().map(At::from),
            fact: Fact::new(&seen.fact, interest),
        }
    }
}

impl Fact {
    fn new(fact: &fact::Fact, interest: &Interest) -> Self {
        use fact::Fact as F;
        let spelled = |ids: &[TextId]| ids.iter().map(|id| interest.text(*id).to_owned()).collect::<Vec<_>>();
        let path = |p: &fact::TreePath| Path::from(p);
        match fact {
            F::Package(p) => Self::Package(p.into()),
            F::Named(p) => Self::Named(p.into()),
            F::Disagreement { names: [a, b], what } => {
                Self::Disagreement { names: [a.to_string(), b.to_string()], what: what.clone() }
            }
            F::CodeFolder => Self::CodeFolder {},
            F::Requires(requires) => Self::Requires { requires: requirements(requires) },
            F::File { sha256, digest, size, texts, program } => {
                let (sha256, digest) = (sha256.clone(), digest.clone());
                Self::File(File { sha256, digest, size: *size, texts: spelled(texts), program: *program })
            }
            F::Hook { kind, content, sha256, size, odd } => Self::Hook {
                hook: word(&HOOKS, *kind),
                content: word(&CONTENTS, *content),
                sha256: sha256.clone(),
                size: *size,
                odd: odd.iter().map(ToString::to_string).collect(),
            },
            F::Owned { file, sha256 } => Self::Owned { file: path(file), sha256: sha256.clone() },
            F::Listed { paths } => Self::Listed { paths: paths.iter().map(path).collect() },
            F::KeptEvidence { case, archives } => Self::KeptEvidence { case: case.to_string(), archives: *archives },
            F::Platform(platform) => Self::Platform { is: platform.as_str().to_owned() },
            F::Installer { name } => Self::Installer { name: name.to_string() },
            F::Requested => Self::Requested {},
            F::FromRepository { vcs } => Self::FromRepository { vcs: vcs.to_string() },
            F::Bytecode { module, source_mtime, source_size } => {
                Self::Bytecode { module: module.to_string(), source_mtime: *source_mtime, source_size: *source_size }
            }
            F::Environment { prefix, kind, asked } => {
                Self::Environment { prefix: path(prefix), is: kind.clone(), asked: requirements(asked) }
            }
            F::Project { ecosystem, asked } => Self::Project { ecosystem: *ecosystem, asked: requirements(asked) },
            F::Command(command) => Self::Command(command.into()),
            F::Starts(command) => Self::Starts(command.into()),
            F::Host { name, sinkholed } => Self::Host { name: name.to_string(), sinkholed: *sinkholed },
            F::Autostart { texts, sha256, in_project } => {
                let (texts, sha256) = (spelled(texts), sha256.clone());
                Self::Autostart(Autostart { texts, sha256, in_project: *in_project })
            }
            F::Process { pid, program, name, texts } => Self::Process {
                pid: *pid,
                program: program.as_ref().map(path),
                name: name.to_string(),
                texts: spelled(texts),
            },
            F::Executable { pid, program, deleted } => {
                Self::Executable { pid: *pid, program: path(program), deleted: *deleted }
            }
            F::Loaded { pid, site } => Self::Loaded { pid: *pid, site: path(site) },
            F::SearchPath { pid, prefixes } => {
                Self::SearchPath { pid: *pid, prefixes: prefixes.iter().map(path).collect() }
            }
            F::Image { references, digests } => {
                Self::Image { references: references.clone(), digests: digests.clone() }
            }
            F::Recorded { package, folder } => Self::Recorded { package: package.into(), folder: path(folder) },
            F::InstallScript { name, version, folder, outcome } => Self::InstallScript {
                name: name.to_string(),
                version: version.to_string(),
                folder: folder.as_ref().map(path),
                outcome: word(&OUTCOMES, *outcome),
            },
            F::ScriptsBlocked { by, root, allowed } => {
                Self::ScriptsBlocked { by: (*by).to_owned(), root: path(root), allowed: words(allowed) }
            }
            F::Includes { file, surface } => Self::Includes { file: path(file), surface: (*surface).to_owned() },
            F::OnPath { site, entry } => Self::OnPath { site: path(site), entry: path(entry) },
            F::Use(u) => Self::Use(u.into()),
            F::Trace(t) => Self::Trace(t.into()),
            F::Reference(store) => Self::Reference { store: store.as_str().to_owned() },
            F::Credential(c) => Self::Credential(c.into()),
        }
    }

    /// `None` where a word or a path of it is not known. A text that no indicator asks for any more is left out.
    pub fn read(self, known: &Known) -> Option<fact::Fact> {
        use fact::Fact as F;
        let ids = |texts: Vec<String>| known.ids(&texts);
        let maybe = |path: Option<Path>| match path {
            None => Some(None),
            Some(path) => path.read().map(Some),
        };
        Some(match self {
            Self::Package(p) => F::Package(p.read()?),
            Self::Named(p) => F::Named(p.read()?),
            Self::Disagreement { names: [a, b], what } => F::Disagreement { names: [a.into(), b.into()], what },
            Self::CodeFolder {} => F::CodeFolder,
            Self::Requires { requires } => F::Requires(required(requires)),
            Self::File(File { sha256, digest, size, texts, program }) => {
                F::File { sha256, digest, size, texts: ids(texts), program }
            }
            Self::Hook { hook, content, sha256, size, odd } => F::Hook {
                kind: value(&HOOKS, &hook)?,
                content: value(&CONTENTS, &content)?,
                sha256,
                size,
                odd: odd.iter().map(|w| super::super::fixed(w)).collect::<Option<_>>()?,
            },
            Self::Owned { file, sha256 } => F::Owned { file: file.read()?, sha256 },
            Self::Listed { paths } => F::Listed { paths: paths.iter().map(Path::read).collect::<Option<_>>()? },
            Self::KeptEvidence { case, archives } => F::KeptEvidence { case: case.into(), archives },
            Self::Platform { is } => F::Platform(fact::Platform::ALL.into_iter().find(|p| p.as_str() == is)?),
            Self::Installer { name } => F::Installer { name: name.into() },
            Self::Requested {} => F::Requested,
            Self::FromRepository { vcs } => F::FromRepository { vcs: vcs.into() },
            Self::Bytecode { module, source_mtime, source_size } => {
                F::Bytecode { module: module.into(), source_mtime, source_size }
            }
            Self::Environment { prefix, is, asked } => {
                F::Environment { prefix: prefix.read()?, kind: is, asked: required(asked) }
            }
            Self::Project { ecosystem, asked } => F::Project { ecosystem, asked: required(asked) },
            Self::Command(command) => F::Command(command.read()?),
            Self::Starts(command) => F::Starts(command.read()?),
            Self::Host { name, sinkholed } => F::Host { name: name.into(), sinkholed },
            Self::Autostart(a) => F::Autostart { texts: ids(a.texts), sha256: a.sha256, in_project: a.in_project },
            Self::Process { pid, program, name, texts } => {
                F::Process { pid, program: maybe(program)?, name: name.into(), texts: ids(texts) }
            }
            Self::Executable { pid, program, deleted } => F::Executable { pid, program: program.read()?, deleted },
            Self::Loaded { pid, site } => F::Loaded { pid, site: site.read()? },
            Self::SearchPath { pid, prefixes } => {
                F::SearchPath { pid, prefixes: prefixes.iter().map(Path::read).collect::<Option<_>>()? }
            }
            Self::Image { references, digests } => F::Image { references, digests },
            Self::Recorded { package, folder } => F::Recorded { package: package.read()?, folder: folder.read()? },
            Self::InstallScript { name, version, folder, outcome } => F::InstallScript {
                name: name.into(),
                version: version.into(),
                folder: maybe(folder)?,
                outcome: value(&OUTCOMES, &outcome)?,
            },
            Self::ScriptsBlocked { by, root, allowed } => {
                F::ScriptsBlocked { by: super::super::fixed(&by)?, root: root.read()?, allowed: boxes(allowed) }
            }
            Self::Includes { file, surface } => {
                F::Includes { file: file.read()?, surface: super::super::fixed(&surface)? }
            }
            Self::OnPath { site, entry } => F::OnPath { site: site.read()?, entry: entry.read()? },
            Self::Use(u) => F::Use(u.read()?),
            Self::Trace(t) => F::Trace(t.read()?),
            Self::Reference { store } => {
                F::Reference(fact::Store::ALL.into_iter().find(|known| known.as_str() == store)?)
            }
            Self::Credential(c) => F::Credential(c.read()),
        })
    }
}
