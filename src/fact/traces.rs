//! What is used by a reference, and what an attack leaves in texts. A value that is no path, no package and no command of its own.

use super::Logged;

/// What kind of thing is used by a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UseKind {
    /// A GitHub Action, or a reusable workflow: `owner/name[/path]`.
    Action,
    /// A container image.
    Image,
    /// An extension of an editor: `publisher.name`.
    Extension,
}

impl UseKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Action, Self::Image, Self::Extension];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Image => "image",
            Self::Extension => "extension",
        }
    }
}

/// What the place of a use says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Usage {
    /// A file names it, for whoever runs that file.
    Named,
    /// What loads it wrote down that it is installed.
    Recorded,
    /// What runs it has fetched it: it does so right before it runs it.
    Fetched,
    /// A command that somebody typed, or an agent ran, takes it.
    Typed,
    /// A log of a job says what was done with it.
    Logged(Logged),
}

/// Something that is used by a reference. When: the time of the fact, since which its file says so.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Use {
    /// What kind.
    pub kind: UseKind,
    /// As written: `aquasecurity/trivy-action`, `ghcr.io/x/y`.
    pub name: Box<str>,
    /// A tag, a branch, a version; empty where none is written, or only a digest.
    pub reference: Box<str>,
    /// `sha256:…`, where one is written; of an action the commit that a log says it resolved to.
    pub digest: Option<Box<str>>,
    /// What its place says.
    pub usage: Usage,
}

/// What kind of trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TraceKind {
    /// An address: `https://…`.
    Url,
    /// A host name or a network address.
    Host,
    /// A text of a payload.
    Text,
    /// A repository of a forge: `owner/name`.
    Repository,
    /// A branch of a repository.
    Branch,
    /// A commit id.
    Commit,
    /// The mail address of whoever made a commit.
    Author,
    /// The subject of a commit.
    Message,
    /// A workflow file, from the root of its repository.
    Workflow,
}

impl TraceKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Url,
        Self::Host,
        Self::Text,
        Self::Repository,
        Self::Branch,
        Self::Commit,
        Self::Author,
        Self::Message,
        Self::Workflow,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Host => "host",
            Self::Text => "string",
            Self::Repository => "repository",
            Self::Branch => "branch",
            Self::Commit => "commit",
            Self::Author => "author",
            Self::Message => "message",
            Self::Workflow => "workflow",
        }
    }

    /// Whether it stands in a repository or on a forge.
    pub fn is_git(self) -> bool {
        !matches!(self, Self::Url | Self::Host | Self::Text)
    }
}

/// How its file holds a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Held {
    /// It lies in it, for whatever use.
    Stored,
    /// It names it.
    Named,
    /// It takes a package from there.
    Taken,
    /// An installer wrote down that it took a package from there.
    Installed,
    /// Somebody typed a command that fetched from there.
    Fetched,
    /// The same, and a shell or an interpreter was to run what came.
    Run,
    /// It is part of what starts by itself.
    Starts,
    /// It is part of what starts once somebody opens, trusts or uses the project that holds it.
    InProject,
}

/// What an attack leaves in a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trace {
    /// What kind.
    pub kind: TraceKind,
    /// The value. Of addresses, texts, authors and messages only what an indicator asked for, in its own words.
    pub value: Box<str>,
    /// How its file holds it.
    pub held: Held,
}
