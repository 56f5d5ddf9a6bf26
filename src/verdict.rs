//! The words a judgement is made of. Only `assess` and `rotate` hand them out.

use serde::{Deserialize, Serialize};

/// Days without a use of an old credential after which it counts as silent.
pub const WATCH_DAYS: i64 = 7;

/// How far a compromise got, from least to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exposure {
    /// A file names it.
    Referenced,
    /// Its bytes are stored, nothing shows that they were installed.
    Cached,
    /// It was there, and is gone.
    Removed,
    /// It is where an interpreter loads it.
    Installed,
    /// It ran.
    Executed,
}

impl Exposure {
    /// All, worst first.
    pub const ALL: [Self; 5] = [Self::Executed, Self::Installed, Self::Removed, Self::Cached, Self::Referenced];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Referenced => "referenced",
            Self::Cached => "cached",
            Self::Removed => "removed",
            Self::Installed => "installed",
            Self::Executed => "executed",
        }
    }
}

/// How sure a judgement is, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// It fits, and so would something harmless.
    Possible,
    /// Inferred from strong signs.
    Likely,
    /// By version, hash or the payload's own traces.
    Confirmed,
}

impl Confidence {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Confirmed => "confirmed",
        }
    }
}

/// Whether a credential was within what a matched payload harvests, from least to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Not readable by the account that ran it, or nothing ran.
    OutOfReach,
    /// Readable, not on the payload's list: a second stage could have taken it.
    Exposed,
    /// On the payload's list and readable.
    Harvested,
}

impl Reach {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OutOfReach => "out_of_reach",
            Self::Exposed => "exposed",
            Self::Harvested => "harvested",
        }
    }
}

/// When to rotate a credential, from least to most urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// Not because of this.
    No,
    /// After what is urgent.
    Soon,
    /// As soon as the machine is clean.
    Now,
}

impl Urgency {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Soon => "soon",
            Self::Now => "now",
        }
    }
}

/// The phases of the checklist, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Keep the evidence.
    Preserve,
    /// Stop it from spreading.
    Contain,
    /// Switch off what acts when a token is revoked.
    Disarm,
    /// Remove what would run again.
    Eradicate,
    /// Caches, images, lock files; rebuild.
    Purge,
    /// Stop publishing and deploying.
    Freeze,
    /// New secrets, from a clean machine.
    Rotate,
    /// Prove it.
    Verify,
    /// Make anew what was taken out: with new secrets, on a network again.
    Rebuild,
    /// Look for what the attacker did with them.
    Audit,
}

impl Phase {
    /// All, in order.
    pub const ALL: [Self; 10] = [
        Self::Preserve,
        Self::Contain,
        Self::Disarm,
        Self::Eradicate,
        Self::Purge,
        Self::Freeze,
        Self::Rotate,
        Self::Verify,
        Self::Rebuild,
        Self::Audit,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preserve => "preserve",
            Self::Contain => "contain",
            Self::Disarm => "disarm",
            Self::Eradicate => "eradicate",
            Self::Purge => "purge",
            Self::Freeze => "freeze",
            Self::Rotate => "rotate",
            Self::Verify => "verify",
            Self::Rebuild => "rebuild",
            Self::Audit => "audit",
        }
    }
}

/// Where a step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// On the machine that was examined.
    #[default]
    Host,
    /// On another machine, which never ran the payload: every step that uses an account, a cluster, a registry, a provider.
    Clean,
}

impl Place {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Clean => "clean",
        }
    }
}

/// Who does it: each of them can start at once, beside the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Workstream {
    /// At the examined machine.
    Machine,
    /// At a machine that never ran the payload: what was in reach is replaced from there.
    Clean,
    /// Whoever reads logs: they expire.
    Logs,
    /// What proves that it is over, once the others are done.
    Close,
}

impl Workstream {
    /// All, in the order in which they are printed.
    pub const ALL: [Self; 4] = [Self::Machine, Self::Clean, Self::Logs, Self::Close];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Clean => "clean",
            Self::Logs => "logs",
            Self::Close => "close",
        }
    }

    /// What its items are numbered with.
    pub fn letter(self) -> char {
        match self {
            Self::Machine => 'A',
            Self::Clean => 'B',
            Self::Logs => 'C',
            Self::Close => 'D',
        }
    }

    /// Sorts items: by workstream, within one by phase. What is made from repositories comes after the secrets, which do not wait for it.
    pub fn place(self, phase: Phase) -> impl Ord {
        (self, self == Self::Clean && phase == Phase::Purge, phase)
    }

    /// Of an item that does not say it.
    pub fn usual(phase: Phase, place: Place) -> Self {
        match (phase, place) {
            (Phase::Audit, _) | (Phase::Preserve, Place::Clean) => Self::Logs,
            // Every change of the machine waits for it.
            (Phase::Disarm, _) => Self::Machine,
            (Phase::Verify | Phase::Rebuild, _) => Self::Close,
            (Phase::Freeze | Phase::Rotate, _) | (_, Place::Clean) => Self::Clean,
            (_, Place::Host) => Self::Machine,
        }
    }
}

/// Why a credential has its rank among those that are replaced, the first to go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// A theft cannot be undone.
    Irreversible,
    /// It mints, reads or resets others.
    OpensOthers,
    /// It turns one victim into many.
    Spreads,
    /// It reads or writes data.
    Data,
    /// It costs money by use.
    Money,
}

impl Rank {
    /// In a word or two.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Irreversible => "irreversible",
            Self::OpensOthers => "opens others",
            Self::Spreads => "spreads",
            Self::Data => "data",
            Self::Money => "money",
        }
    }
}

/// What comes first where a secret is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The old one ends before the new one is made.
    RevokeFirst,
    /// The new one is made and in use before the old one ends.
    IssueFirst,
    /// All of several end before any of them is made anew.
    Together,
    /// What it guards is moved.
    MoveAssets,
    /// It ends by itself.
    Expire,
    /// It is no secret by itself: what stands in it is looked through.
    Review,
}
