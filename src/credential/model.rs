//! The shape of `iocs/credentials/*.json`: one file a kind. What is secret never leaves the function that reads it; what is
//! public is named here, field by field.

use serde::{Deserialize, Serialize};

/// One kind of credential: where it lies, how to tell one from another without its value, how to rotate it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// `dosimeter.credential/1`.
    pub schema: String,
    /// `aws.access_key`; also the file's name.
    pub id: String,
    /// A few words.
    pub name: String,
    /// `aws`.
    pub provider: String,
    /// Which queue of the checklist.
    pub lane: Lane,
    /// 1 (mints others) to 6 (residue).
    pub tier: u8,
    /// Position among kinds of the same lane and tier.
    pub order: u16,
    /// Where it lies.
    pub places: Vec<Place>,
    /// What comes first.
    pub mode: Mode,
    /// How to rotate.
    pub rotation: Vec<Rotation>,
    /// Kinds that this one can mint or read: they are rotated after it.
    #[serde(default)]
    pub edges: Vec<String>,
    /// Kinds that are rotated together with it, as one item.
    #[serde(default)]
    pub atomic_group: Option<String>,
    /// Where use by the attacker would show.
    #[serde(default)]
    pub audit: Vec<Rotation>,
    /// What goes wrong.
    #[serde(default)]
    pub traps: Vec<String>,
    /// Where this was read.
    pub sources: Vec<String>,
}

/// A queue of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// A theft cannot be undone: move the funds now, from a clean device.
    Irreversible,
    /// Turns one victim into many: registries, forges, CI.
    Propagation,
    /// Everything else.
    Standard,
    /// Costs money by use, quick to replace.
    Spend,
}

/// Whether the old one ends before or after the new one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Revoke, then issue: it can publish, or has no overlap.
    RevokeFirst,
    /// Issue, deploy, revoke.
    IssueFirst,
    /// Move what it guards.
    MoveAssets,
    /// It expires; review what it did.
    Expire,
}

/// Where credentials of a kind lie.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// `~/.aws/credentials`, `/etc/ssh/ssh_host_*_key`, `**/.env`. `*` stands for anything but `/`; `**/` at the start for any folder.
    pub path: String,
    /// The variable that moves it, where there is one.
    #[serde(default)]
    pub moved_by: Option<String>,
    /// How to read it.
    pub reader: Reader,
}

/// The readers: a small closed set, each in one file. A reader says that a credential is there and its public part.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(tag = "format", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reader {
    /// The file is one credential; nothing in it is public.
    Opaque,
    /// A private key in PEM or OpenSSH form: fingerprint, passphrase or not.
    PrivateKey {
        /// Report only keys that SSH uses, or any.
        #[serde(default)]
        ssh: bool,
    },
    /// Sections of `name = value`.
    Ini {
        /// Keys whose value is secret: one credential a section that has one of them.
        secret: Vec<String>,
        /// The key whose value is public and identifies it.
        #[serde(default)]
        public: Option<String>,
        /// What that value must look like (a regular expression over the whole value), or it is not shown.
        #[serde(default)]
        public_form: Option<String>,
    },
    /// JSON.
    Json {
        /// Pointers (RFC 6901, `*` for any key or position) to secret values: one credential each place that has one.
        secret: Vec<String>,
        /// Pointer to the public value, `*` meaning what it meant in the secret's pointer.
        #[serde(default)]
        public: Option<String>,
        /// What it must look like.
        #[serde(default)]
        public_form: Option<String>,
    },
    /// YAML, with the same pointers.
    Yaml {
        /// As for JSON.
        secret: Vec<String>,
        /// As for JSON.
        #[serde(default)]
        public: Option<String>,
        /// As for JSON.
        #[serde(default)]
        public_form: Option<String>,
    },
    /// `NAME=value` lines (`.env`, `/etc/environment`): the names whose value is concrete and looks secret.
    Variables {
        /// Only names that fit one of these patterns (`*` stands for anything); empty: names that look like secrets.
        #[serde(default)]
        names: Vec<String>,
    },
    /// Lines of fields.
    Lines {
        /// A regular expression; each line that fits is a credential.
        line: String,
        /// The group of it that is public.
        #[serde(default)]
        public: Option<u8>,
    },
}

/// One step of rotating.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// In words, or a console path.
    #[serde(rename = "do")]
    pub what: String,
    /// A command, run from a clean machine. `{id}` is the public identifier.
    #[serde(default)]
    pub command: Option<String>,
}
