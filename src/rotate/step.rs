//! A step as a value: what is done, to what, as whom. What a shell makes of it is the writer's.

use crate::{fact::TreePath, verdict::Place};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// In words.
    pub what: String,
    /// What is done.
    pub action: Action,
    /// What it shows where all is well.
    pub expect: Option<String>,
    /// Nobody could try the command, or read what its options mean.
    pub unchecked: bool,
    /// Where it is done, if not where its item is.
    pub place: Option<Place>,
}

/// What a step does. Only `MakeEvidence` and `Keep` write to a disk, and `Keep` removes nothing before it is among the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing that a shell could do.
    Say,
    /// Makes the folder for what is taken out.
    MakeEvidence,
    /// Moves files and folders into the item's archive.
    Keep(Vec<TreePath>),
    /// Stops a unit and takes it out of what starts by itself.
    StopUnit(Unit),
    /// Keeps a unit of that name from being enabled again.
    MaskUnit(Unit),
    /// Stops a launch agent of an account, or of the system.
    UnloadAgent {
        /// `None` for the system.
        uid: Option<u32>,
        /// Its definition.
        plist: TreePath,
    },
    /// Shows whether the manager of an account starts without a login.
    ShowLinger(String),
    /// Shows what runs from some files and folders, or has a text on its command line.
    ShowUsers(Vec<TreePath>, Vec<String>),
    /// Shows what a process is.
    ShowProcess(u32),
    /// Ends it.
    EndProcess(u32),
    /// A command that the data or the phase gives, for a person.
    Given(String),
}

/// A unit of systemd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// `sysmon.service`.
    pub name: String,
    /// Whose manager runs it; `None` for the system's.
    pub account: Option<String>,
}

impl Step {
    /// Words alone.
    pub fn say(what: impl Into<String>) -> Self {
        Self::new(what, Action::Say)
    }

    /// Words and an action.
    pub fn new(what: impl Into<String>, action: Action) -> Self {
        Self { what: what.into(), action, expect: None, unchecked: false, place: None }
    }

    /// With what it shows where all is well.
    pub fn expect(mut self, expect: impl Into<String>) -> Self {
        self.expect = Some(expect.into());
        self
    }

    /// Done somewhere else than the rest of its item.
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}
