//! What a user may name to be examined, as data: nothing is opened and nobody is asked here.
//!
//! ```text
//! app.tar, ./app.tar, /srv/images          a file or a folder: an archive, an OCI layout, a folder of archives
//! docker:app:1.0, docker:3f5a0c1b2d4e      an image of Docker's store, by name, by id or by its start; `docker:` is all of it
//! podman:NAME, cri-o:NAME, buildah:NAME    the same of containers-storage, as each of them calls its images
//! containerd:k8s.io/NAME                   of one namespace of containerd; `containerd:k8s.io/` is all of that, `containerd:/NAME`
//!                                          looks in each, `containerd:` is all of it
//! registry.example/app                     an image of a registry, by tag (`latest` where none is written) or digest
//! registry.example/, registry.example/team/     a whole registry, or all below `team`
//! docker://app:1                           of a registry, whatever is called so here; without a host as clients complete it
//! -                                        a list on standard input (`listing`)
//! ```
//!
//! What is a path and what a reference is decided in this order, and the first that fits counts:
//!
//! 1. `-` is standard input.
//! 2. What starts with `/`, `./` or `../`, is `.` or `..`, or is no UTF-8, is a path, whether it is there or not.
//! 3. What is there as a file or folder is a path, whatever it looks like: `registry.example/app` too, and `docker:app`.
//! 4. `docker:`, `podman:` … in front name a store, `docker://` a registry.
//! 5. What ends as archives do (`.tar`, `.tgz`, `.tar.gz` …) is a path that is not there: a slip of the pen must not ask the network.
//! 6. With a registry in front of its first slash (a dot, a port, or `localhost`) it is a reference. Names without a registry are refused:
//!    nobody says whether an image of this machine or one of a public registry is meant.

mod stored;

use std::{
    ffi::OsStr,
    fmt::{self, Display, Formatter},
    path::{Path, PathBuf},
};

pub use stored::{Sought, StoreKind, Stored};

use crate::{
    ecosystem::oci,
    text::{escape_short, without_user},
};

/// Bytes of a name. A repository has at most 255, a tag 128, a path 4096.
const LONGEST: usize = 4096;
/// Bytes of a reference.
const REFERENCE: usize = 1000;

/// What a user named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file or a folder. It need not exist: whoever opens it says so.
    Path(PathBuf),
    /// Images of a store or engine of this machine.
    Stored(Stored),
    /// An image of a registry.
    Remote(Remote),
    /// All images of a registry, or those below a path.
    Whole {
        /// `HOST[:PORT]`, lower case.
        registry: String,
        /// `team/`, or empty: the repositories that begin so.
        below: String,
    },
    /// A list on standard input.
    List,
}

/// An image of a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Remote {
    /// `HOST[:PORT]`, lower case.
    pub registry: String,
    /// `team/app`, lower case.
    pub repository: String,
    /// As written; `latest` where neither tag nor digest is.
    pub tag: Option<String>,
    /// `sha256:…`, lower case; counts more than the tag.
    pub digest: Option<String>,
}

impl Remote {
    /// Reads a reference, and completes it as clients do: the image of a container, which need not name its registry. `None` where it is none.
    pub fn complete(reference: &str) -> Option<Self> {
        let image = oci::parse(reference).filter(|_| reference.len() <= REFERENCE)?;
        let (registry, repository) = image.repository.split_once('/')?;
        let tag = image.tag;
        Some(Self {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            tag,
            digest: image.digest.filter(|d| is_sha(d)),
        })
        .filter(|r| is_host(&r.registry) && is_repository(&r.repository))
        .filter(|r| r.digest.is_some() || !reference.contains('@'))
    }
}

impl Display for Remote {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

impl Display for Target {
    /// As it can be typed; a path with what could steer a terminal replaced.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(&crate::text::escape(path.as_os_str().as_encoded_bytes())),
            Self::Stored(stored) => stored.fmt(f),
            Self::Remote(remote) => remote.fmt(f),
            Self::Whole { registry, below } => write!(f, "{registry}/{below}"),
            Self::List => f.write_str("-"),
        }
    }
}

/// Why a text names nothing. The caller's fault: he wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// There is nothing.
    #[error("an empty target names nothing")]
    Empty,
    /// Longer than any path or reference.
    #[error("`{0}` is longer than 4096 bytes")]
    TooLong(String),
    /// It ends as files do.
    #[error("`{0}`: no such file")]
    NoSuchFile(String),
    /// A word without a registry that is no file.
    #[error(
        "`{0}` is no file or folder here, and names no registry\nhint: `docker:{0}` or `podman:{0}` is an image of this machine, `registry.example/{0}` one of a registry"
    )]
    NotHere(String),
    /// A host alone.
    #[error("`{0}` is no file or folder here\nhint: `{0}/` is all of a registry, `{0}/NAME` an image of it")]
    OnlyHost(String),
    /// An address.
    #[error("`{0}` is an address, not a name\nhint: write it without `{1}`")]
    Address(String, &'static str),
    /// As another tool writes it.
    #[error("`{0}` is not written so here\nhint: {1}")]
    Foreign(String, &'static str),
    /// It begins as a reference and goes on as none.
    #[error("`{0}` is no name of an image\nhint: it is written `[registry.example/]name[:tag][@sha256:digest]`")]
    Malformed(String),
    /// A name in containerd without its namespace.
    #[error(
        "`{0}` names no namespace\nhint: `containerd:NAMESPACE/NAME`, as `containerd:k8s.io/…`; `containerd:/NAME` looks in each"
    )]
    Namespace(String),
    /// A list in a list.
    #[error("a list cannot name standard input")]
    Nested,
}

/// How other tools write what is written otherwise here.
static FOREIGN: &[(&str, &str)] = &[
    ("docker-archive:", "name the file alone"),
    ("oci-archive:", "name the file alone"),
    ("oci:", "name the folder alone"),
    ("oci-dir:", "name the folder alone"),
    ("dir:", "name the folder alone"),
    ("file:", "name the file alone"),
    ("registry:", "`docker://NAME` is an image of a registry"),
    ("docker-daemon:", "`docker:NAME` is an image of Docker's store"),
    ("containers-storage:", "`podman:NAME`, `cri-o:NAME` and `buildah:NAME` are images of containers-storage"),
    ("crio:", "`cri-o:NAME` is an image of CRI-O's store"),
    ("k8s:", "`kubectl get pods -A -o json | dosimeter images -` reads what a cluster runs"),
    ("ssh:", "copy the file here"),
];

/// How archives end.
const ENDS: &[&str] = &[".tar", ".tgz", ".tar.gz", ".tar.zst", ".tzst", ".tar.bz2", ".tar.xz", ".txz", ".sif"];

impl Target {
    /// Reads what was named. `exists` says whether there is a file or folder.
    ///
    /// # Errors
    /// Where it names nothing.
    pub fn parse(named: &OsStr, exists: &dyn Fn(&Path) -> bool) -> Result<Self, TargetError> {
        let Some(text) = named.to_str() else {
            return Ok(Self::Path(named.into()));
        };
        if text.trim().is_empty() {
            return Err(TargetError::Empty);
        }
        if text.len() > LONGEST {
            return Err(TargetError::TooLong(shown(text)));
        }
        if text == "-" {
            return Ok(Self::List);
        }
        let is_path = matches!(text, "." | "..") || ["/", "./", "../"].iter().any(|s| text.starts_with(s));
        if is_path || exists(Path::new(text)) {
            return Ok(Self::Path(text.into()));
        }
        Self::parse_name(text)
    }

    /// Reads what is no path.
    fn parse_name(text: &str) -> Result<Self, TargetError> {
        if let Some(rest) = text.strip_prefix("docker://") {
            return remote(rest, text);
        }
        if let Some(address) = ["https://", "http://", "oci://"].into_iter().find(|s| text.starts_with(s)) {
            return Err(TargetError::Address(shown(text), address));
        }
        if let Some(stored) = stored::parse(text) {
            return stored.map(Self::Stored);
        }
        if let Some((_, hint)) = FOREIGN.iter().find(|(prefix, _)| text.starts_with(prefix)) {
            return Err(TargetError::Foreign(shown(text), hint));
        }
        if is_archive_name(text.as_bytes()) {
            return Err(TargetError::NoSuchFile(shown(text)));
        }
        let host = |h: &str| (h.contains(['.', ':']) || h.eq_ignore_ascii_case("localhost")) && is_host(h);
        match text.split_once('/') {
            Some((first, _)) if host(first) => remote(text, text),
            None if host(text) && oci::parse(&format!("{text}/x")).is_some() && !text.starts_with('.') => {
                // `app:1` too could be a host and its port.
                let (name, port) = text.split_once(':').unwrap_or((text, ""));
                if name.contains('.') || !port.is_empty() && name == "localhost" {
                    return Err(TargetError::OnlyHost(shown(text)));
                }
                Err(TargetError::NotHere(shown(text)))
            }
            _ if oci::parse(text).is_some() => Err(TargetError::NotHere(shown(text))),
            _ => Err(TargetError::NoSuchFile(shown(text))),
        }
    }

    /// Reads one line of a list: what stands before a blank and `#`. `None` where it names nothing.
    ///
    /// # Errors
    /// As `parse`; and for `-`.
    pub fn parse_line(line: &str, exists: &dyn Fn(&Path) -> bool) -> Option<Result<Self, TargetError>> {
        let line = line.trim();
        let comment = line.char_indices().find(|(at, c)| {
            let before = line.get(..*at).and_then(|b| b.chars().next_back());
            *c == '#' && before.is_none_or(char::is_whitespace)
        });
        let text = comment.map_or(Some(line), |(at, _)| line.get(..at))?.trim();
        if text.is_empty() {
            return None;
        }
        Some(match Self::parse(OsStr::new(text), exists) {
            Ok(Self::List) => Err(TargetError::Nested),
            other => other,
        })
    }
}

/// Whether a file is called as archives are.
pub fn is_archive_name(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    ENDS.iter().any(|end| name.ends_with(end.as_bytes()))
}

/// Whether there is a file, a folder, or a link of that name.
pub fn exists(path: &Path) -> bool {
    path.exists() || path.is_symlink()
}

/// A reference, or all below a path of a registry. `whole` is how it was written.
fn remote(text: &str, whole: &str) -> Result<Target, TargetError> {
    let malformed = || TargetError::Malformed(shown(whole));
    let Some(folder) = text.strip_suffix('/') else {
        return Remote::complete(text).map(Target::Remote).ok_or_else(malformed);
    };
    let (registry, below) = folder.split_once('/').unwrap_or((folder, ""));
    let registry = registry.to_ascii_lowercase();
    let below = if below.is_empty() { String::new() } else { format!("{below}/") };
    // As if an image stood there.
    let image = oci::parse(&format!("x.example/{below}x")).ok_or_else(malformed)?;
    let below = image.repository.strip_prefix("x.example/").and_then(|r| r.strip_suffix('x')).ok_or_else(malformed)?;
    let below_fits = below.is_empty() || is_repository(below.trim_end_matches('/'));
    if !below_fits || !is_host(&registry) || !registry.contains(['.', ':']) && registry != "localhost" {
        return Err(malformed());
    }
    Ok(Target::Whole { registry, below: below.to_owned() })
}

/// `name.example`, `10.0.0.1:5000`, `[::1]:5000`.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[').and_then(|t| t.split_once(']')) {
        Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("v6", port),
        Some(_) => return false,
        None => text.find(':').map_or((text, ""), |at| text.split_at_checked(at).unwrap_or((text, ""))),
    };
    let label = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    let number = |p: &str| p.bytes().all(|b| b.is_ascii_digit()) && p.parse::<u16>().is_ok_and(|p| p > 0);
    name.len() <= 253 && name.split('.').all(label) && (port.is_empty() || port.strip_prefix(':').is_some_and(number))
}

/// Nothing in it leads elsewhere in an address.
fn is_repository(text: &str) -> bool {
    let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    let part = |p: &str| ends(p.bytes().next()) && ends(p.bytes().last());
    text.len() <= 255 && text.split('/').all(part)
}

/// A digest whose bytes can be compared.
fn is_sha(digest: &str) -> bool {
    let (kind, hex) = digest.split_once(':').unwrap_or_default();
    matches!((kind, hex.len()), ("sha256", 64) | ("sha512", 128))
}

/// As an error shows it: without a password that somebody put into an address.
fn shown(text: &str) -> String {
    escape_short(without_user(text).as_bytes(), 120)
}

#[cfg(test)]
mod tests;
