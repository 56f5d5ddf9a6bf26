//! Plain data: what a surface read, where it stood, and when. Nothing here judges.

use std::{borrow::Cow, sync::Arc};

use jiff::Timestamp;

mod artifact;
mod command;
mod ecosystem;
mod instant;
mod logged;
mod path;
mod platform;
mod statement;
mod store;
mod traces;
mod unit;

pub use self::{
    artifact::{Artifact, hashes},
    command::{Command, CommandAction, Container, Cutoff, Wanted, Whereabouts},
    ecosystem::Ecosystem,
    instant::is_normalised,
    logged::{Logged, is_job},
    path::{TreePath, ends_in, parent, split},
    platform::Platform,
    statement::Statement,
    store::Store,
    traces::{Held, Trace, TraceKind, Usage, Use, UseKind},
    unit::{EnvironmentKind, Unit},
};

/// Where a fact was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// Label of the tree: `host`, an image's name, or `ci:system/run` for the machine of a job whose log this is.
    pub tree: Arc<str>,
    /// The file that holds the evidence.
    pub path: TreePath,
    /// A member inside that file, or a section of it.
    pub inner: Option<Arc<str>>,
    /// From 1.
    pub line: Option<u32>,
    /// Digest of the image layer, `sha256:…`.
    pub layer: Option<Arc<str>>,
}

impl Origin {
    /// A whole file of a tree.
    pub fn file(tree: &Arc<str>, path: TreePath) -> Self {
        Self { tree: tree.clone(), path, inner: None, line: None, layer: None }
    }

    /// Whether it is on the machine of a job whose log was read: nothing of what was examined is there.
    pub fn is_of_job(&self) -> bool {
        self.layer.is_none() && is_job(&self.tree)
    }

    /// The file itself, without the place in it.
    pub fn whole_file(&self) -> Self {
        Self { layer: self.layer.clone(), ..Self::file(&self.tree, self.path.clone()) }
    }
}

/// A time and what it was read from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// UTC.
    pub time: Timestamp,
    /// In words: "mtime of INSTALLER", "time in the history".
    pub source: Cow<'static, str>,
}

impl At {
    /// A time with a fixed source.
    pub fn new(time: Timestamp, source: &'static str) -> Self {
        Self { time, source: Cow::Borrowed(source) }
    }

    /// From a clock that may have been set to an instant that every build shares: `None` for such a time.
    pub fn of_file(time: Timestamp, source: &'static str) -> Option<Self> {
        (!is_normalised(time)).then(|| Self::new(time, source))
    }

    /// From whole seconds since 1970; `None` when out of range.
    pub fn unix(seconds: i64, source: &'static str) -> Option<Self> {
        Some(Self::new(Timestamp::from_second(seconds).ok()?, source))
    }
}

/// Where a surface saw a package; exposure is judged later, by `assess` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Placement {
    /// A file names it.
    Listed,
    /// Its bytes are in a cache, a store or a download folder.
    Cached,
    /// What an uninstall or an upgrade left of it: it was installed, and nothing loads it any more.
    Leftover,
    /// It was built from source on this machine, so its build code ran.
    Built,
    /// A bill of materials that another tool wrote names it.
    Stated(Statement),
    /// A log of a job says what was done with it on the machine of that job.
    Logged(Logged),
    /// An interpreter would load it from here.
    Loadable,
}

/// One requirement of a package or of a user: a name and the text it was written as.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Requirement {
    /// Normalised for its ecosystem.
    pub name: Box<str>,
    /// As written, without extras and markers: `litellm>=1.60`.
    pub text: Box<str>,
    /// The extras it asks for, normalised.
    pub extras: Box<[Box<str>]>,
    /// Its marker, as written.
    pub marker: Option<Box<str>>,
    /// Behind an `extra == …` marker: pulled in only when that extra was asked for.
    pub extra: bool,
}

impl Requirement {
    /// Without extras and marker. The name is normalised.
    pub fn new(name: impl Into<Box<str>>, text: impl Into<Box<str>>) -> Self {
        Self { name: name.into(), text: text.into(), extras: [].into(), marker: None, extra: false }
    }
}

/// One version of one package, seen somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its ecosystem.
    pub ecosystem: Ecosystem,
    /// Normalised for the ecosystem (PEP 503 for PyPI).
    pub name: Arc<str>,
    /// As written.
    pub version: Arc<str>,
    /// Where it stood.
    pub placement: Placement,
    /// What it asks for itself; empty where the surface does not say.
    pub requires: Arc<[Requirement]>,
    /// The files of it that the surface names, with their hashes.
    pub artifacts: Vec<Artifact>,
}

/// What kind of start-up code a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HookKind {
    /// `*.pth` with a line that `site` executes.
    Pth,
    /// `*.start` (PEP 829).
    Start,
    /// `sitecustomize.py`.
    Sitecustomize,
    /// `usercustomize.py`.
    Usercustomize,
}

/// What start-up code does where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HookContent {
    /// Some line of it is executed, or it is too long to be sure of the contrary.
    Runs,
    /// It only adds folders to the path.
    Paths,
    /// Nothing, or blank lines and comments.
    Empty,
    /// It would run, but its name was changed so that it does not.
    Renamed,
}

/// What is known of a script that runs when a package is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScriptOutcome {
    /// The package has one.
    Declared,
    /// The installer started it.
    Started,
    /// The installer started it, and it ended without a fault.
    Succeeded,
    /// The installer started it, and it ended with a fault or by a signal.
    Failed,
    /// The installer wrote down that it did not run it.
    Skipped,
}

/// Whether a file that is asked about by an indicator holds one of the texts it asks for. Positions in `Interest::texts`.
pub type TextId = u32;

/// One piece of evidence, before anybody compares it with an indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A package version.
    Package(Package),
    /// A package version that a name alone says, of a folder, of a file, or in a list of files: what describes it says nothing,
    /// or something else. Of a folder the origin is the file in it that should describe the package.
    Named(Package),
    /// Two witnesses of one distribution say different things.
    Disagreement {
        /// Both packages by name, normalised.
        names: [Box<str>; 2],
        /// In words: "its folder says litellm 1.82.8, METADATA says litellm 1.0".
        what: String,
    },
    /// A folder of a site folder that is called like a package that an indicator knows.
    CodeFolder,
    /// What a distribution requires, where a file of its own says it: `requires.txt`.
    Requires(Arc<[Requirement]>),
    /// A file whose name or path an indicator asks about.
    File {
        /// Hex; `None` where it was not asked for, or could not be had.
        sha256: Option<String>,
        /// Another hash, which its name in a store says: `sha512:<hex>`.
        digest: Option<Box<str>>,
        /// In bytes.
        size: u64,
        /// The indicator texts it holds.
        texts: Vec<TextId>,
        /// It starts like a native program (ELF, Mach-O, PE).
        program: bool,
    },
    /// Start-up code in a site folder.
    Hook {
        /// What kind.
        kind: HookKind,
        /// Whether any of it would run.
        content: HookContent,
        /// Hex; `None` where it could not be had.
        sha256: Option<String>,
        /// In bytes.
        size: u64,
        /// Words in it that start-up code seldom needs (`base64`, `subprocess` …).
        odd: Vec<&'static str>,
    },
    /// A row of `RECORD`: the distribution owns this file.
    Owned {
        /// The file, within the tree.
        file: TreePath,
        /// Hex; `None` where `RECORD` gives none (bytecode, `RECORD` itself).
        sha256: Option<String>,
    },
    /// What the own list of a distribution that an indicator names (`RECORD`, `installed-files.txt`, conda's record) says is its.
    Listed {
        /// A package folder that is its own as a whole, else single files.
        paths: Vec<TreePath>,
    },
    /// Evidence that an earlier clean-up moved away; the origin is its marker.
    KeptEvidence {
        /// Id of the case whose checklist moved it.
        case: Box<str>,
        /// Archives that the marker lists with their digests.
        archives: usize,
    },
    /// Who installed a distribution; the origin is its `INSTALLER`.
    Installer {
        /// `pip`, `uv`, `Poetry 2.5.1`, `conda`.
        name: Box<str>,
    },
    /// A distribution the user asked for by name; the origin is its `REQUESTED`.
    Requested,
    /// A distribution that was built from a source repository, not the registry's file; the origin is its `direct_url.json`.
    FromRepository {
        /// `git`, `hg`, `svn`, `bzr`.
        vcs: Box<str>,
    },
    /// Compiled code of a module that an indicator names.
    Bytecode {
        /// `proxy_server`.
        module: Box<str>,
        /// The source's modification time that the header records.
        source_mtime: Option<Timestamp>,
        /// The source's size in bytes that the header records.
        source_size: Option<u32>,
    },
    /// A folder is an environment; the origin is the file that says so.
    Environment {
        /// The folder.
        prefix: TreePath,
        /// What made it.
        kind: EnvironmentKind,
        /// What the user asked for, where the tool wrote it down.
        asked: Vec<Requirement>,
    },
    /// What the project in the folder of this manifest asks for by name.
    Project {
        /// Whose manifest it is.
        ecosystem: Ecosystem,
        /// Its direct requirements.
        asked: Vec<Requirement>,
    },
    /// A unit, a table or a script starts a program of an environment by itself. As whom: `whereabouts.account`, else the account
    /// whose file it is. Its action is `Run` where it only would, if something elsewhere enabled it.
    Starts(Command),
    /// An install command that somebody typed, or that built an image.
    Command(Command),
    /// A host name or address that an indicator asks about.
    Host {
        /// Lower case.
        name: Box<str>,
        /// Pointed at a loopback or null address: a defence.
        sinkholed: bool,
    },
    /// Something that starts by itself: a unit, a cron line, a hook of an agent. One with a line is no more than that line of its file.
    Autostart {
        /// The indicator texts that its definition holds.
        texts: Vec<TextId>,
        /// Hex, of the whole definition.
        sha256: String,
        /// It starts once somebody opens, trusts or uses the project that holds it.
        in_project: bool,
    },
    /// A running process.
    Process {
        /// Process id.
        pid: u32,
        /// The program, where its command line starts with an absolute path.
        program: Option<TreePath>,
        /// Base name of the program, where it has an ordinary form.
        name: Box<str>,
        /// The indicator texts that its command line holds.
        texts: Vec<TextId>,
    },
    /// What a process really runs, by the kernel's own link; a command line can be rewritten. Its time is that of the process's start.
    Executable {
        /// Process id.
        pid: u32,
        /// The program.
        program: TreePath,
        /// Its file is gone or was replaced since.
        deleted: bool,
    },
    /// Where a process looks for programs before the folders of the system; the origin is its variables.
    SearchPath {
        /// Process id.
        pid: u32,
        /// The prefixes whose `bin` it looks into, in order.
        prefixes: Vec<TreePath>,
    },
    /// A process has loaded compiled modules of a site folder.
    Loaded {
        /// Process id.
        pid: u32,
        /// The site folder.
        site: TreePath,
    },
    /// A container image; the origin is its root.
    Image {
        /// Names it is known by: `demo/app:1.0`.
        references: Vec<String>,
        /// Digests of its configuration and manifests, `sha256:…`.
        digests: Vec<String>,
    },
    /// What an installer's own record says it put there: a second witness of a package, whose own file may have been rewritten since.
    Recorded {
        /// The package, as the record says it.
        package: Package,
        /// Its folder; the project where the record names none.
        folder: TreePath,
    },
    /// What is known of the install script of a package that an indicator names.
    InstallScript {
        /// Its name.
        name: Box<str>,
        /// Its version; empty where the evidence does not say it.
        version: Box<str>,
        /// Its folder, where the evidence says it.
        folder: Option<TreePath>,
        /// What is known.
        outcome: ScriptOutcome,
    },
    /// Of which packages an installer runs the install scripts: of none, of few, of all. The origin is the file that says so: settings, a
    /// record, or the lock file of a version that runs none by itself.
    ScriptsBlocked {
        /// The installer that reads it: `npm`, `pnpm`, `yarn`, `bun`.
        by: &'static str,
        /// The folder below which it holds: a project, a home; the root where it holds for the machine.
        root: TreePath,
        /// Packages whose scripts run nevertheless, or that are named as those that must not where the name starts with `!`. `*` stands
        /// for all others; `?` says that nothing is said of them.
        allowed: Box<[Box<str>]>,
    },
    /// The file names another one of a form that this surface reads, whatever that one's name. Its surface reads it after the walk;
    /// the fact itself is not kept.
    Includes {
        /// The other file.
        file: TreePath,
        /// Id of the surface.
        surface: &'static str,
    },
    /// The file stands in a site folder and puts a folder, or an egg, on the path of its interpreter.
    OnPath {
        /// The site folder.
        site: TreePath,
        /// What is on the path.
        entry: TreePath,
    },
    /// Something is used by a reference.
    Use(Use),
    /// What an attack leaves in a text.
    Trace(Trace),
    /// The machine is part of this: it can have credentials that stand in no file.
    Platform(Platform),
    /// A field for a secret says only which store holds it.
    Reference(Store),
    /// A secret stood here. Never its value.
    Credential(Credential),
}

/// That a credential exists at a place. There is no field that could hold its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credential {
    /// Id of the kind, `aws.access_key`.
    pub kind: Arc<str>,
    /// Its public identifier, where the kind declares one.
    pub identifier: Option<String>,
    /// What else may be said of it ("passphrase-protected", the names of variables).
    pub note: Option<String>,
    /// The variable that leads to its file, where its place is another by default: `GOOGLE_APPLICATION_CREDENTIALS`.
    pub named_by: Option<Arc<str>>,
    /// The keyed tag of its value, where the examination had a case key.
    pub tag: Option<String>,
}

/// A fact with its place, time and reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Id of the surface that read it.
    pub surface: &'static str,
    /// Where.
    pub origin: Origin,
    /// When, by the best source that the surface has.
    pub at: Option<At>,
    /// Owner of the file that holds it, as a number; `None` in trees without owners.
    pub uid: Option<u32>,
    /// Its group, as a number; `None` like the owner.
    pub gid: Option<u32>,
    /// Permission bits of that file.
    pub mode: Option<u32>,
    /// What it is loaded with, where its place is one of those.
    pub unit: Option<Arc<Unit>>,
    /// What was read.
    pub fact: Fact,
}
