//! Commands as they were understood: never their words.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::fact::{self, CommandAction, Ecosystem};

/// An install command.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Command {
    /// The program: `pip`.
    pub tool: String,
    /// `install`, `run`, `download`, `resolve`, `uninstall`, `start`.
    pub verb: String,
    /// The packages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Wanted>,
    /// It takes only versions that are older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutoff: Option<Cutoff>,
    /// As whom and where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whereabouts: Option<Whereabouts>,
    /// Files that it takes packages from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<String>,
    /// Whether it was asked to run install scripts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scripts: Option<bool>,
    /// What a start names of the code that it loads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<String>,
}

/// What it asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wanted {
    /// Of the package.
    pub ecosystem: Ecosystem,
    /// Normalised.
    pub name: String,
    /// The exact version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<String>,
    /// The range.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub range: String,
}

/// Since when versions do not count.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cutoff {
    /// This time.
    At(Timestamp),
    /// So many seconds before the command.
    AgeSeconds(i64),
}

/// As whom and where a command ran.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Whereabouts {
    /// Another account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Another machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// The agent was forwarded.
    #[serde(default)]
    pub agent: bool,
    /// In a container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// The folder of its environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The folder it ran in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
}

/// What a container has of its machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Container {
    /// Image or container.
    pub name: String,
    /// Folders of the machine.
    #[serde(default)]
    pub mounts: Vec<String>,
    /// There may be more.
    #[serde(default)]
    pub more_mounts: bool,
    /// It may have variables of whoever typed it.
    #[serde(default)]
    pub environment: bool,
    /// It reaches all of the machine.
    #[serde(default)]
    pub whole_host: bool,
}

const ACTIONS: [CommandAction; 6] = [
    CommandAction::Install,
    CommandAction::Run,
    CommandAction::Download,
    CommandAction::Resolve,
    CommandAction::Uninstall,
    CommandAction::Start,
];

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

impl From<&fact::Command> for Command {
    fn from(c: &fact::Command) -> Self {
        let fact::Command { tool, action, wanted, cutoff, whereabouts, lists, scripts, loads } = c;
        let packages = wanted.iter().map(|w| Wanted {
            ecosystem: w.ecosystem,
            name: w.name.to_string(),
            pinned: owned(w.pinned.as_deref()),
            range: w.specifier.to_string(),
        });
        let container = |c: &fact::Container| Container {
            name: c.name.to_string(),
            mounts: c.mounts.iter().map(ToString::to_string).collect(),
            more_mounts: c.more_mounts,
            environment: c.environment,
            whole_host: c.whole_host,
        };
        let w = whereabouts;
        Self {
            tool: tool.to_string(),
            verb: action.as_str().to_owned(),
            packages: packages.collect(),
            cutoff: cutoff.map(|c| match c {
                fact::Cutoff::At(time) => Cutoff::At(time),
                fact::Cutoff::Age(age) => Cutoff::AgeSeconds(age.as_secs()),
            }),
            whereabouts: (*w != fact::Whereabouts::default()).then(|| Whereabouts {
                account: owned(w.account.as_deref()),
                machine: owned(w.machine.as_deref()),
                agent: w.agent,
                container: w.container.as_ref().map(container),
                folder: owned(w.environment.as_deref()),
                directory: owned(w.folder.as_deref()),
            }),
            lists: lists.iter().map(ToString::to_string).collect(),
            scripts: *scripts,
            loads: loads.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Command {
    /// `None` where its verb is not known.
    pub fn read(self) -> Option<fact::Command> {
        let boxed = |text: Option<String>| text.map(String::into_boxed_str);
        let wanted = self.packages.into_iter().map(|w| fact::Wanted {
            ecosystem: w.ecosystem,
            name: w.name.into(),
            pinned: boxed(w.pinned),
            specifier: w.range.into(),
        });
        let container = |c: Container| fact::Container {
            name: c.name.into(),
            mounts: c.mounts.into_iter().map(Into::into).collect(),
            more_mounts: c.more_mounts,
            environment: c.environment,
            whole_host: c.whole_host,
        };
        let whereabouts = self.whereabouts.map(|w| fact::Whereabouts {
            account: boxed(w.account),
            machine: boxed(w.machine),
            agent: w.agent,
            container: w.container.map(container),
            environment: boxed(w.folder),
            folder: boxed(w.directory),
        });
        Some(fact::Command {
            tool: self.tool.into(),
            action: ACTIONS.into_iter().find(|a| a.as_str() == self.verb)?,
            wanted: wanted.collect(),
            cutoff: self.cutoff.map(|c| match c {
                Cutoff::At(time) => fact::Cutoff::At(time),
                Cutoff::AgeSeconds(seconds) => fact::Cutoff::Age(SignedDuration::from_secs(seconds)),
            }),
            whereabouts: whereabouts.unwrap_or_default(),
            lists: self.lists.into_iter().map(Into::into).collect(),
            scripts: self.scripts,
            loads: self.loads.into_iter().map(Into::into).collect(),
        })
    }
}
