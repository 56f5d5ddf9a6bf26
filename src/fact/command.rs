//! Install commands.

use jiff::{SignedDuration, Timestamp};

use super::Ecosystem;

/// What an install-like command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CommandAction {
    /// Puts packages into an environment.
    Install,
    /// Installs into a throw-away environment and runs it (`uvx`, `pipx run`).
    Run,
    /// Fetches only.
    Download,
    /// Chooses versions, and writes them down or says them: nothing is installed (`uv lock`, `--dry-run`).
    Resolve,
    /// Takes packages out.
    Uninstall,
    /// Starts an interpreter, naming no package: `python manage.py migrate`.
    Start,
}

impl CommandAction {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Run => "run",
            Self::Download => "download",
            Self::Resolve => "resolve",
            Self::Uninstall => "uninstall",
            Self::Start => "start",
        }
    }
}

/// An install command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program: `pip`, `uv`.
    pub tool: Box<str>,
    /// What it does.
    pub action: CommandAction,
    /// The packages it names.
    pub wanted: Vec<Wanted>,
    /// It takes only versions that are older.
    pub cutoff: Option<Cutoff>,
    /// As whom and where it ran.
    pub whereabouts: Whereabouts,
    /// The lists that it takes packages from: `requirements.txt`, `deps/base.txt`; of those of a project, any that stands there.
    pub lists: Vec<Box<str>>,
    /// Whether it was asked to run install scripts: `--ignore-scripts`, `npm rebuild`. `None` where its words say nothing of them.
    pub scripts: Option<bool>,
    /// What a start names of the code that it loads: the module of `python -m litellm`, the program `litellm` of an environment.
    /// Lower case, words joined by `-`.
    pub loads: Vec<Box<str>>,
}

impl Command {
    /// Run by whoever typed it, on the machine it was typed on.
    pub fn for_packages(tool: impl Into<Box<str>>, action: CommandAction, wanted: Vec<Wanted>) -> Self {
        Self {
            tool: tool.into(),
            action,
            wanted,
            cutoff: None,
            whereabouts: Whereabouts::default(),
            lists: Vec::new(),
            scripts: None,
            loads: Vec::new(),
        }
    }
}

/// As whom and where a command ran, as far as its own words say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Whereabouts {
    /// Another account than that of whoever typed it: a name or a number, or `UNSAID`.
    pub account: Option<Box<str>>,
    /// Another machine: `build1`, `pod web-0`, or `UNSAID`. It may be this one by a name of its own.
    pub machine: Option<Box<str>>,
    /// The agent that holds the keys of whoever typed it was forwarded to that machine.
    pub agent: bool,
    /// A container, or a virtual machine of this one.
    pub container: Option<Container>,
    /// The folder of the environment that its program belongs to: `~/v`, `/srv/v`, `v` of a working folder that is not known.
    pub environment: Option<Box<str>>,
    /// The folder it ran in, where `cd` says it: `~/app`, `/srv/app`.
    pub folder: Option<Box<str>>,
}

impl Whereabouts {
    /// In place of a name that stands in a variable.
    pub const UNSAID: &'static str = "?";

    /// Whether it ran on the machine it was typed on, outside of containers.
    pub fn is_here(&self) -> bool {
        self.machine.is_none() && self.container.is_none()
    }
}

/// What a container has of the machine that runs it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Container {
    /// The image or the container, or `Whereabouts::UNSAID`.
    pub name: Box<str>,
    /// Folders and files of the machine: `/srv/x`, `~/.aws`.
    pub mounts: Vec<Box<str>>,
    /// It may have more of them: another command or a file says which, or a variable, or the working folder.
    pub more_mounts: bool,
    /// It may have variables of whoever typed it.
    pub environment: bool,
    /// It reaches all of the machine: privileged, its processes, its root or the socket of an engine.
    pub whole_host: bool,
}

/// Since when a version may not have been published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cutoff {
    /// This time.
    At(Timestamp),
    /// So long before the command.
    Age(SignedDuration),
}

/// What a command asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its ecosystem.
    pub ecosystem: Ecosystem,
    /// Normalised name.
    pub name: Box<str>,
    /// The exact version, when the command pins one.
    pub pinned: Option<Box<str>>,
    /// The other version clauses (`>=1.80,!=1.82.7`), empty when there are none.
    pub specifier: Box<str>,
}

impl Wanted {
    /// The specifier of an exact version that the command does not say: `==$V`.
    pub const UNSAID: &'static str = "==?";
}
