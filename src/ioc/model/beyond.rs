//! What a payload takes by other ways than reading files and its own environment.

use serde::{Deserialize, Serialize};

use crate::fact::Platform;

/// One thing that the payload takes, by which way, and what on a machine shows that it is there to take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Beyond {
    /// By which way.
    pub way: Way,
    /// What it takes, in words, for the report.
    pub what: String,
    /// What exactly it asks: command lines, names of processes, patterns of variables, services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<String>,
    /// Kinds of credential taken so, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Kinds of credential by id: where any of them stands on the machine, the payload had what it needs for this way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    /// Platforms: a machine that is any of them has this way. Where this and `with` are empty, no file shows that a machine lacks it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<Platform>,
}

/// How a payload takes what it does not read from a file that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Variables of its own process; `asks` has their names.
    Environment,
    /// Variables of other processes; `asks` names those, `*` is every one that it may read.
    Processes,
    /// The memory of other processes; `asks` names them.
    Memory,
    /// What a program prints that is signed in; `asks` has the command lines.
    Command,
    /// The credentials that a cloud gives its machines; `asks` has the services.
    Metadata,
    /// Objects of a Kubernetes cluster, by its API.
    Cluster,
    /// What another service gives for credentials that the payload found: stores of secrets, forges, registries, databases.
    Service,
    /// What a password manager, a keychain, an SSH agent or a browser opens for the account.
    Unlock,
    /// Files that it finds by searching, or whose places nobody published.
    Search,
    /// What the malicious code is given to work on: keys that it signs with, what is typed, prompts, mails, sessions that pass through.
    Input,
    /// Whatever an operator orders.
    Operator,
    /// Facts about the machine: names, addresses, listings, who logged in. Nothing of it has to be replaced.
    Recon,
}

impl Way {
    /// All, in the order of reports.
    pub const ALL: [Self; 12] = [
        Self::Environment,
        Self::Processes,
        Self::Memory,
        Self::Command,
        Self::Metadata,
        Self::Cluster,
        Self::Service,
        Self::Unlock,
        Self::Search,
        Self::Input,
        Self::Operator,
        Self::Recon,
    ];
}

impl Beyond {
    /// Whether nothing on a machine would show that it lacks this way.
    pub fn is_unconditional(&self) -> bool {
        self.with.is_empty() && self.on.is_empty()
    }
}
