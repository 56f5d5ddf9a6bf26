//! Why a registry did not give what was asked for.

use std::{io, time::Duration};

use crate::online::Address;

/// The environment variable that may hold what `--registry-token-file` names.
pub const TOKEN_VARIABLE: &str = "DOSIMETER_REGISTRY_TOKEN";

/// Says what failed, where, and what can be done. Holds no secret, and of an address neither user nor query.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The caller's fault: it is no name of an image or a registry.
    #[error(
        "not a reference of a registry: `{0}`\nhint: write `HOST[:PORT]/REPOSITORY[:TAG|@DIGEST]`, or `HOST[:PORT]/` for all of a registry"
    )]
    Reference(String),
    /// The caller's fault: a file that it named cannot be used.
    #[error("cannot use `{file}`: {why}")]
    File {
        /// Its path, escaped.
        file: String,
        /// In words, without quoting the file.
        why: String,
    },
    /// The caller's fault: a token without a host, and it is not one registry that he typed.
    #[error("the token does not say which registry it is for\nhint: write `HOST TOKEN` on a line for each registry")]
    WhoseToken,
    /// A list must not lead to services of this machine or of its cloud.
    #[error(
        "`{0}` is not asked: only a list names it, and it is this machine or something that only this machine reaches"
    )]
    Inside(String),
    /// The same, found out from the addresses of its name.
    #[error(
        "`{0}` is not asked: its name leads to this machine or to something that only this machine reaches, and nobody typed it"
    )]
    LeadsInside(Address),
    /// The user's own settings forbid it.
    #[error("`{0}` is not asked: a file of `--mirror` says that it is `blocked`")]
    Blocked(String),
    /// The system's: no connection can be made at all.
    #[error("cannot use the network: {0}")]
    Client(String),
    /// Plain http to somewhere else than this machine.
    #[error("`{0}` is not asked: it is not encrypted\nhint: `--plain-http` allows it")]
    Plain(Address),
    /// Only a program could tell the password, and none is started.
    #[error(
        "cannot ask the helper `{helper}` for the password of `{host}`: no program is started\nhint: `--registry-token-file FILE` or the environment variable `{TOKEN_VARIABLE}` gives it"
    )]
    Helper {
        /// `docker-credential-` is left out of its name.
        helper: String,
        /// The registry.
        host: String,
    },
    /// The registry wants somebody else.
    #[error("`{address}` answered {status}: {}\nhint: log in with `docker login` or `podman login`, or use `--registry-token-file FILE`", if *.known { "the credentials for this registry do not allow it" } else { "no credentials are known for this registry" })]
    Denied {
        /// What was asked for.
        address: Address,
        /// `401 Unauthorized`.
        status: String,
        /// Whether there were credentials.
        known: bool,
    },
    /// It asks for credentials in a way that is not followed.
    #[error("`{address}` asks for credentials in a way that is refused: {why}")]
    Challenge {
        /// What was asked for.
        address: Address,
        /// In words.
        why: &'static str,
    },
    /// There is no such thing.
    #[error("`{0}` answered 404 Not Found")]
    Missing(Address),
    /// The server's answer.
    #[error("`{address}` answered {status}")]
    Status {
        /// What was asked for.
        address: Address,
        /// `500 Internal Server Error`.
        status: String,
    },
    /// It wants to be left alone for longer than is waited.
    #[error("`{address}` asks for fewer requests, also after {tries} tries{}\nhint: wait, log in, or use a mirror (`--mirror`)", asked.map_or_else(String::new, |d| format!(" (it says: wait {} s)", d.as_secs())))]
    Limited {
        /// What was asked for.
        address: Address,
        /// Requests made.
        tries: u32,
        /// What its `Retry-After` said last.
        asked: Option<Duration>,
    },
    /// The connection: it is not there, or broke.
    #[error("cannot fetch `{address}`: {why}")]
    Failed {
        /// What was asked for.
        address: Address,
        /// In words.
        why: String,
    },
    /// There is no connection.
    #[error("cannot reach `{address}`: {why}")]
    Unreachable {
        /// What was asked for.
        address: Address,
        /// In words.
        why: String,
    },
    /// It does not prove who it is.
    #[error("cannot trust `{address}`: {why}\nhint: `--ca FILE` adds a certificate that is trusted")]
    Untrusted {
        /// What was asked for.
        address: Address,
        /// In words.
        why: String,
    },
    /// Nothing came for too long.
    #[error("`{address}` sent nothing for {} s", .after.as_secs_f32())]
    Stalled {
        /// What was asked for.
        address: Address,
        /// How long it was waited for.
        after: Duration,
    },
    /// It trickles.
    #[error("`{address}` sends too slowly: {bytes} bytes in {} s", .within.as_secs_f32())]
    Slow {
        /// What was asked for.
        address: Address,
        /// That came.
        bytes: u64,
        /// In this time.
        within: Duration,
    },
    /// A redirection that is not followed.
    #[error("`{address}` is redirected: {why}")]
    Redirect {
        /// What was asked for.
        address: Address,
        /// In words.
        why: &'static str,
    },
    /// More than such a thing has.
    #[error("`{address}` sends more than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        address: Address,
        /// In bytes.
        limit: u64,
    },
    /// It is not as long as its manifest says.
    #[error("`{address}` has {found} bytes where {expected} were announced")]
    Size {
        /// What was asked for.
        address: Address,
        /// In bytes, as the manifest says.
        expected: u64,
        /// In bytes, as the server says.
        found: u64,
    },
    /// It ended too early, each time.
    #[error("`{address}` ended after {got} of {expected} bytes, also when it was asked to go on")]
    Truncated {
        /// What was asked for.
        address: Address,
        /// Bytes that came.
        got: u64,
        /// In bytes, as the manifest says.
        expected: u64,
    },
    /// Its bytes are not those that were asked for.
    #[error("`{address}` does not match its digest")]
    Digest {
        /// What was asked for.
        address: Address,
    },
    /// It is not what it should be.
    #[error("`{address}` is not valid: {why}")]
    Malformed {
        /// What was asked for.
        address: Address,
        /// In words, without quoting it.
        why: &'static str,
    },
    /// The caller's own limit.
    #[error("more than {0} bytes would be fetched\nhint: `--max-bytes` allows more")]
    Budget(u64),
    /// The user ended it.
    #[error("interrupted")]
    Interrupted,
}

impl RegistryError {
    /// Whether another try may succeed.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Unreachable { .. } | Self::Stalled { .. } | Self::Slow { .. })
    }

    /// Whether another endpoint of the same registry may have it.
    pub(super) fn is_of_endpoint(&self) -> bool {
        !matches!(self, Self::Budget(_) | Self::Interrupted)
    }

    /// On one line, for a gap.
    pub fn line(&self) -> String {
        self.to_string().replace("\nhint: ", "; hint: ")
    }

    /// Out of the error of a reader.
    pub(super) fn from_io(error: io::Error, address: &Address) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(other) => Self::Failed { address: address.clone(), why: super::wire::why(&other) },
        }
    }
}

impl From<RegistryError> for io::Error {
    fn from(error: RegistryError) -> Self {
        Self::other(error)
    }
}
