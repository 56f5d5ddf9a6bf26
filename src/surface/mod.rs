//! Kinds of place where a trace is left. A surface says as data which files it wants, and reads one file at a time into facts.
//! It knows neither indicators nor reports.

pub mod agent;
pub mod cargo;
pub mod ci_log;
mod claim;
pub mod composer;
pub mod container;
pub mod content;
pub mod extension;
pub(crate) mod fetched;
pub mod git;
pub mod golang;
pub mod history;
pub mod homebrew;
pub mod hook;
pub mod host;
pub mod lockfile;
pub mod maven;
pub mod node;
pub mod nuget;
pub mod project;
pub mod python;
pub mod ruby;
mod shows;
pub mod starts;
pub mod system;
pub mod systemd;
pub mod workflow;
pub mod yaml;

use std::{borrow::Cow, sync::Arc};

pub use claim::{Claim, FEW, FileMatch, FolderMatch, is_own_work};
pub use shows::Shows;

use crate::{
    coverage::{Gap, GapKind},
    ecosystem::unit_of,
    fact::{At, Fact, Origin, Package, Seen, TreePath, Unit},
    interest::Interest,
    tree::{
        Body, Entry, Kind,
        body::{Beside, BodyError, ReadSeek},
    },
};

/// Every surface, by place and file: `build.rs` lists the first `impl Surface for …` of each file of the folders beside this one,
/// and declares its module.
pub static SURFACES: &[&dyn Surface] = include!(concat!(env!("OUT_DIR"), "/surfaces.rs"));

/// What a surface is.
#[derive(Debug, Clone, Copy)]
pub struct Meta {
    /// `python/dist-info`: the name in reports and for `--only`.
    pub id: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What a hit proves, and what it does not.
    pub proves: &'static str,
}

/// What the facts of a surface say of a file that somebody named by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// What it is: its format was read.
    Content,
    /// What was typed in a shell; a file that is listed as a history is read only by one of these.
    ShellHistory,
    /// That it holds secrets: then it is understood, unless it is a history as well.
    Secrets,
    /// That its name or hash is known: nothing is said of the rest.
    Identity,
}

/// Where commands come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandSource {
    /// Somebody typed them: a history.
    Typed,
    /// A notebook, which may have run elsewhere.
    Notebook,
    /// What builds an image.
    Build,
    /// Settings of a program, which starts them itself.
    Configured,
}

/// Where the commands come from that a surface reads.
pub fn commands_of(id: &str) -> CommandSource {
    SURFACES.iter().find(|s| s.meta().id == id).map_or(CommandSource::Build, |s| s.commands())
}

/// One kind of place where a trace is left.
pub trait Surface: Send + Sync {
    /// What it is.
    fn meta(&self) -> &'static Meta;

    /// Which kinds of indicator it can show; none where it explains what others find.
    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages]
    }

    /// The files it wants, as data.
    fn claims(&self, interest: &Interest) -> Vec<Claim>;

    /// What a file is loaded with, by its path; `inner` where the fact is about a member of it.
    fn unit(&self, path: &TreePath, _inner: bool) -> Option<Unit> {
        unit_of(path)
    }

    /// For a file named by hand, whatever its name: where a file with such a start usually stands, if this surface can read it by its
    /// content. `*` is the file's own name: `*.dist-info/METADATA`.
    fn recognises(&self, _head: &[u8]) -> Option<&'static str> {
        None
    }

    /// Where the commands come from that it reads.
    fn commands(&self) -> CommandSource {
        if self.subject() == Subject::ShellHistory { CommandSource::Typed } else { CommandSource::Build }
    }

    /// What its facts say of a file.
    fn subject(&self) -> Subject {
        Subject::Content
    }

    /// Reads one file.
    ///
    /// # Errors
    /// A `Flaw` of the file; it becomes a gap, and facts pushed before it are kept.
    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw>;

    /// Whether names of folders say something to it. Where they do not, it is not asked about each.
    fn names_folders(&self) -> bool {
        false
    }

    /// What the name of a file that it claims, or of a folder, says alone: asked of each folder, and of a file that cannot be
    /// opened or read. The path is where the evidence stands. Called once per folder: must be cheap.
    fn named(&self, _path: &TreePath, _kind: Kind, _interest: &Interest) -> Option<(TreePath, Fact)> {
        None
    }

    /// The packages that the raw text of a file names, with their lines, where it cannot be parsed.
    fn salvage(&self, _file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        Vec::new()
    }
}

/// A file that a surface claimed.
pub struct Opened<'e, 'b> {
    /// What the tree knows of it.
    pub entry: &'e Entry,
    /// What the indicators ask for.
    pub interest: &'e Interest,
    body: &'e mut Body<'b>,
}

impl<'e, 'b> Opened<'e, 'b> {
    /// Lends one file to a surface.
    pub fn new(entry: &'e Entry, interest: &'e Interest, body: &'e mut Body<'b>) -> Self {
        Self { entry, interest, body }
    }

    /// The first `limit` bytes.
    ///
    /// # Errors
    /// When the medium fails.
    pub fn head(&mut self, limit: usize) -> Result<&[u8], Flaw> {
        Ok(self.body.head(limit)?)
    }

    /// The whole file.
    ///
    /// # Errors
    /// When the medium fails, or the file has more than `limit` bytes.
    pub fn all(&mut self, limit: usize) -> Result<&[u8], Flaw> {
        Ok(self.body.all(limit)?)
    }

    /// Random access, for archives whose directory is at the end.
    ///
    /// # Errors
    /// When the medium fails, or a streamed file is too large to hold.
    pub fn seekable(&mut self) -> Result<Box<dyn ReadSeek + '_>, Flaw> {
        Ok(self.body.seekable()?)
    }

    /// Front to back. In a streamed layer this can be done once.
    pub fn reader(&mut self) -> Box<dyn std::io::Read + '_> {
        self.body.reader()
    }

    /// The file in the same folder whose name is this one's and an ending: `-wal`.
    ///
    /// # Errors
    /// When the medium fails, or it has more than `limit` bytes.
    pub fn beside(&self, ending: &str, limit: usize) -> Result<Beside, Flaw> {
        Ok(self.body.beside(ending, limit)?)
    }

    /// SHA-256 in hex.
    ///
    /// # Errors
    /// When the medium fails.
    pub fn sha256(&mut self) -> Result<String, Flaw> {
        Ok(self.body.sha256()?)
    }

    /// SHA-256 in hex, or a gap: what is known of the file without it still counts.
    pub fn sha256_or_gap(&mut self, out: &mut Sink<'_>) -> Option<String> {
        self.sha256().map_err(|flaw| out.gap(None, &flaw)).ok()
    }

    /// Last modification of the file.
    pub fn mtime(&self, source: &'static str) -> Option<At> {
        self.entry.mtime.and_then(|time| At::of_file(time, source))
    }
}

/// What is wrong with a file. Always the file's fault or the medium's, never the caller's.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    /// It cannot be read.
    #[error("cannot read: {0}")]
    Io(std::io::Error),
    /// It is not what it should be. `why` holds none of the file's bytes.
    #[error("not a valid {what}: {why}")]
    Malformed {
        /// The format.
        what: &'static str,
        /// What is wrong, without quoting the file.
        why: Cow<'static, str>,
    },
    /// It has more bytes than its reader accepts.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// So many bytes of it are holes, which were passed over.
    #[error("{0} bytes of it are holes, which were passed over")]
    Holes(u64),
    /// It ends too early.
    #[error("{0} ends too early")]
    Truncated(&'static str),
    /// A form of the format that is not read.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
}

impl Flaw {
    /// A malformed file, with a fixed reason.
    pub fn malformed(what: &'static str, why: &'static str) -> Self {
        Self::Malformed { what, why: Cow::Borrowed(why) }
    }

    /// The kind of gap it makes.
    pub fn kind(&self) -> GapKind {
        match self {
            Self::Io(_) => GapKind::Unreadable,
            Self::Malformed { .. } => GapKind::Malformed,
            Self::TooLarge(_) | Self::Holes(_) => GapKind::TooLarge,
            Self::Truncated(_) => GapKind::Truncated,
            Self::Unsupported(_) => GapKind::Unsupported,
        }
    }
}

impl From<BodyError> for Flaw {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Io(e) => Self::Io(e),
            BodyError::TooLarge(limit) => Self::TooLarge(limit),
            BodyError::Holes(bytes) => Self::Holes(bytes),
        }
    }
}

impl From<std::io::Error> for Flaw {
    fn from(error: std::io::Error) -> Self {
        BodyError::from_io(error).into()
    }
}

/// Takes what a surface finds in one file.
pub struct Sink<'s> {
    surface: &'static str,
    origin: Origin,
    uid: Option<u32>,
    gid: Option<u32>,
    mode: Option<u32>,
    machine: Option<Arc<str>>,
    foreign: bool,
    left_out: Option<&'static str>,
    keep: &'s mut dyn FnMut(Seen),
    gaps: &'s mut dyn FnMut(Gap),
}

impl<'s> Sink<'s> {
    /// For the facts of `surface` about the file at `origin`.
    pub fn new(
        surface: &'static str,
        origin: Origin,
        entry: &Entry,
        keep: &'s mut dyn FnMut(Seen),
        gaps: &'s mut dyn FnMut(Gap),
    ) -> Self {
        Self {
            surface,
            origin,
            uid: entry.uid,
            gid: entry.gid,
            mode: entry.mode,
            machine: None,
            foreign: false,
            left_out: None,
            keep,
            gaps,
        }
    }

    /// Where the file is.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What the file says from here on is of another machine, called so: that of a job whose log it is. A layer of an image keeps its own.
    pub fn on_machine(&mut self, machine: Arc<str>) {
        self.machine = Some(machine).filter(|_| self.origin.layer.is_none());
    }

    /// The file has the name of one that the surface reads, and is something else: it counts as read by nobody.
    pub fn not_mine(&mut self) {
        self.foreign = true;
    }

    /// Whether the surface said so.
    pub fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// What it holds is left out on purpose, and that is said in the report.
    pub fn leave_out(&mut self, reason: &'static str) {
        self.left_out = Some(reason);
    }

    /// Why what it holds was left out.
    pub fn left_out(&self) -> Option<&'static str> {
        self.left_out
    }

    /// A fact about the whole file.
    pub fn push(&mut self, at: Option<At>, fact: Fact) {
        self.push_at(None, None, at, fact);
    }

    /// A fact about a member (or section) or a line of it, from 1.
    pub fn push_at(&mut self, inner: Option<&str>, line: Option<u32>, at: Option<At>, fact: Fact) {
        let mut origin = self.origin.clone();
        if let Some(machine) = &self.machine {
            origin.tree = machine.clone();
        }
        origin.inner = inner.map(Into::into);
        origin.line = line;
        (self.keep)(Seen {
            surface: self.surface,
            origin,
            at,
            uid: self.uid,
            gid: self.gid,
            mode: self.mode,
            unit: None,
            fact,
        });
    }

    /// A part of the file that could not be read, while the rest could.
    pub fn gap(&mut self, inner: Option<&str>, flaw: &Flaw) {
        let mut origin = self.origin.clone();
        origin.inner = inner.map(Into::into);
        (self.gaps)(Gap { origin, surface: self.surface, kind: flaw.kind(), detail: flaw.to_string() });
    }
}
