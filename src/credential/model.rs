//! The shape of `iocs/credentials/*.json`: one file per kind. What is secret never leaves the function that reads it; what is
//! public is named here, field by field.

use serde::{Deserialize, Serialize};

use crate::verdict;

/// One kind of credential: where it lies, how to distinguish one from another without its value, how to rotate it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// `dosimeter.credential/1`.
    pub schema: String,
    /// `aws.access_key`; also the file's name.
    pub id: String,
    /// A few words.
    pub name: String,
    /// Fewer, at most 30 letters, where the name has more.
    #[serde(default)]
    pub short: Option<String>,
    /// `aws`.
    pub provider: String,
    /// Which queue of the checklist.
    pub lane: Lane,
    /// A token of this kind, or one stored with it, is one that known monitors watch: they act when it stops working.
    #[serde(default)]
    pub watched: bool,
    /// Hosts (`quay.io`, `*.azurecr.io`) whose logins no known monitor watches, though they are of this kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unwatched_hosts: Vec<String>,
    /// 1 (mints others) to 6 (residue).
    pub tier: u8,
    /// Position among kinds of the same lane and tier.
    pub order: u16,
    /// Where it lies.
    pub places: Vec<Place>,
    /// Environment variables that hold it.
    #[serde(default)]
    pub variables: Vec<Variable>,
    /// The form (a regular expression over all of it) of those identifiers that are another one for each value: `AKIA…`. Labels
    /// such as an account or a host, which stay when the value is replaced, fit none. Fingerprints (`SHA256:…`) need no form.
    #[serde(default)]
    pub identifies: Option<String>,
    /// People choose the value: no keyed tag of it is ever made.
    #[serde(default)]
    pub password: bool,
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
    /// It is no secret by itself: look through it.
    Review,
}

impl Kind {
    /// Its name in a title.
    pub fn title(&self) -> &str {
        self.short.as_deref().unwrap_or(&self.name)
    }
}

/// Where credentials of a kind lie.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// `~/.aws/credentials`, `/etc/ssh/ssh_host_*_key`, `**/.env`. `*` stands for anything but `/`, a component `**` for any
    /// number of folders, `~` for a home folder.
    pub path: String,
    /// Names of folders: what is below one of them is no place (`node_modules`, `site-packages`: keys of test suites). Also
    /// chains of folders (`lib/python*/test`) and names of files (`*.example`).
    #[serde(default)]
    pub except: Vec<String>,
    /// Other programs use this name too: a file of another format is none of this kind, and no gap.
    #[serde(default)]
    pub shared_name: bool,
    /// Only in somebody's own work (no hidden folder, nothing that is installed or belongs to the system), in folders that hold few
    /// such files: for names that millions of files have.
    #[serde(default)]
    pub own_work: bool,
    /// The form of a file's name without its ending, where that name is the public identifier (a regular expression over all of it).
    #[serde(default)]
    pub file_name: Option<String>,
    /// The variables, or settings of programs, that move it.
    #[serde(default)]
    pub moved_by: Vec<MovedBy>,
    /// How to read it.
    pub reader: Reader,
}

/// A variable that moves a place.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MovedBy {
    /// `DOCKER_CONFIG`.
    pub name: String,
    /// The start of the path that its value stands for: `~/.docker`. Without it the value is the file, or a `:` list of files.
    #[serde(default)]
    pub replaces: Option<String>,
}

/// The readers: a small closed set, each in one file. A reader says that a credential is there and its public part.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(tag = "format", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reader {
    /// The file is one credential; nothing in it is public.
    Opaque,
    /// Private keys in PEM or OpenSSH form: fingerprint, passphrase or not. A file without one is left alone.
    PrivateKey,
    /// Sections of `name = value`.
    Ini(Fields),
    /// JSON; pointers (RFC 6901) where `*` stands for any key or position.
    Json(Fields),
    /// YAML, with the same pointers.
    Yaml(Fields),
    /// `NAME=value` lines (`.env`, shell start-up files, `*.tfvars`). A name that is one of some kind's `variables` makes a
    /// credential of that kind; any other name that looks like a secret, one of this kind.
    Variables,
    /// Lines of text.
    Lines {
        /// Tried in order; the first that fits a line counts.
        rules: Vec<LineRule>,
    },
    /// `machine … login … password …`, as curl and Python read it.
    Netrc,
}

/// Which fields are secret and which one is public.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// Keys of a section, or pointers: one credential each section, or each place that the stars stand for.
    pub secret: Vec<String>,
    /// Key of the same section, or pointer, that identifies the credential. Stars mean what they meant in the secret's pointer;
    /// `*1` is the key that the first star stood for.
    #[serde(default)]
    pub public: Option<String>,
    /// What the public value must look like (a regular expression over all of it), or it is not shown. Without it the value
    /// must be a plain label that is no token.
    #[serde(default)]
    pub public_form: Option<String>,
    /// What an identifier that each value has of its own is made of: shown instead of the public value, which is shown beside it. Not
    /// for sections.
    #[serde(default)]
    pub identity: Option<Identity>,
    /// Pointer to a value that names the credential's owner (an account, a project), shown where it is a plain label; instead
    /// of what the stars stood for. Not for sections.
    #[serde(default)]
    pub name: Option<String>,
    /// What opens with the credential under names of its own: one credential is shown for each. Not for sections.
    #[serde(default)]
    pub used_by: Option<UsedBy>,
}

/// Where something stands that an identifier is made of, as servers make it for their logs.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Identity {
    /// A pointer to the certificate beside the key, with the same stars: its fingerprint.
    Certificate(String),
    /// A pointer to the token itself, a JWT: its `jti`.
    Token(String),
}

/// Names in the same file that stand for a credential.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UsedBy {
    /// Pointer with one star to the names: `/contexts/*/name`.
    pub name: String,
    /// Pointer with the same star to the identifier that each uses: `/contexts/*/context/user`.
    pub of: String,
    /// Where that leads, for the note: the host alone is shown.
    #[serde(default)]
    pub at: Option<UsedAt>,
}

/// The addresses in the same file that such names lead to.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UsedAt {
    /// Pointer with the star of the names to what each calls its address: `/contexts/*/context/cluster`.
    pub called: String,
    /// Pointer with one star to what addresses are called: `/clusters/*/name`.
    pub name: String,
    /// Pointer with that star to the addresses: `/clusters/*/cluster/server`.
    pub address: String,
}

/// One form of a line.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LineRule {
    /// A regular expression with named groups; a group `secret` must hold a concrete value.
    pub line: String,
    /// How to identify it, from other groups: `{user}@{host}`. The first whose groups are all plain labels is used.
    #[serde(default)]
    pub public: Vec<String>,
    /// A line of this form is a credential of another kind: no rule behind this one is tried.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foreign: bool,
}

/// An environment variable that holds a credential of a kind.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// `AWS_SECRET_ACCESS_KEY`; `*` stands for anything.
    pub name: String,
    /// The variable beside it whose value is public: `AWS_ACCESS_KEY_ID`.
    #[serde(default)]
    pub public: Option<String>,
    /// What that value must look like, or it is not shown. Required with `public`.
    #[serde(default)]
    pub public_form: Option<String>,
}

/// One step of rotating.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// In words, or a console path.
    #[serde(rename = "do")]
    pub what: String,
    /// A command. `{id}` is the public identifier; other blanks are in CAPITALS.
    #[serde(default)]
    pub command: Option<String>,
    /// What it shows where all is well.
    #[serde(default)]
    pub expect: Option<String>,
    /// By what the command was checked (`awscli 1.44`, the manual page of a version). Without it the plan says that nobody did, but
    /// for commands of a POSIX system's own tools.
    #[serde(default)]
    pub checked: Option<String>,
    /// What it does in the life of the credential.
    #[serde(default)]
    pub stage: Option<Stage>,
    /// Where it is done; without it on a clean machine.
    #[serde(default, rename = "where")]
    pub place: Option<verdict::Place>,
}

/// What a step of rotating does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Before anything changes: who owns it, what uses it, what must be out of the way.
    Before,
    /// Makes the new one.
    Issue,
    /// Puts the new one to use.
    Deploy,
    /// Ends the old one.
    Revoke,
    /// Ends what was made from the old one: sessions, refresh tokens, cookies.
    Sessions,
    /// Shows that the old one is dead.
    Verify,
}
