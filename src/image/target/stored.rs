//! Images of this machine's stores and engines: `docker:NAME`, `containerd:NS/NAME`.

use std::fmt::{self, Display, Formatter};

use super::{REFERENCE, TargetError, shown};
use crate::ecosystem::oci;

/// Hex digits that are enough for the start of an id. Docker shows twelve.
const ID: std::ops::RangeInclusive<usize> = 4..=64;

/// Whose store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreKind {
    /// Docker's, with images of its own or in containerd.
    Docker,
    /// Podman's containers-storage.
    Podman,
    /// containerd's, by namespace.
    Containerd,
    /// CRI-O's containers-storage.
    CriO,
    /// Buildah's containers-storage, which Podman shares.
    Buildah,
}

/// What stands in front of a name.
static PREFIXES: &[(&str, StoreKind)] = &[
    ("docker", StoreKind::Docker),
    ("podman", StoreKind::Podman),
    ("containerd", StoreKind::Containerd),
    ("cri-o", StoreKind::CriO),
    ("buildah", StoreKind::Buildah),
];

impl StoreKind {
    /// What stands in front of a name of it, without the colon.
    pub fn as_str(self) -> &'static str {
        PREFIXES.iter().find(|(_, kind)| *kind == self).map_or("", |(prefix, _)| prefix)
    }
}

/// Images of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Whose.
    pub store: StoreKind,
    /// `k8s.io`; of containerd only. `None` for all namespaces.
    pub namespace: Option<String>,
    /// Which; `None` for all of them.
    pub image: Option<Sought>,
}

impl Display for Stored {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.store.as_str())?;
        let image = self.image.as_ref().map_or("", |i| i.text.as_str());
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{image}"),
            None if self.store == StoreKind::Containerd && !image.is_empty() => write!(f, "/{image}"),
            None => f.write_str(image),
        }
    }
}

/// An image that is looked for by its name or its id. A short word of hex digits may be either: as in the engines, a name counts more
/// than the start of an id, so that all names are to be compared first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// As written.
    pub text: String,
    /// As a name, completed as Docker does; `None` where it can only be an id.
    pub name: Option<oci::Image>,
    /// As an id or its start: lower-case hex without `sha256:`.
    pub id: Option<String>,
}

impl Sought {
    /// Reads `NAME[:tag][@digest]` or an id. `None` where it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > REFERENCE {
            return None;
        }
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        let id = ID.contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit());
        let id = id.then(|| hex.to_ascii_lowercase());
        let named = !text.starts_with("sha256:") && (id.is_none() || hex.len() < *ID.end());
        let name = named.then(|| oci::parse(text)).flatten();
        (name.is_some() || id.is_some()).then(|| Self { text: text.to_owned(), name, id })
    }

    /// Whether a store's name of an image is this one: the same in full form; or, as containers-storage writes names without a registry,
    /// the same behind `localhost/`. A digest counts more than a tag.
    pub fn is_named(&self, name: &str) -> bool {
        if name == self.text {
            return true;
        }
        let (Some(wanted), Some(found)) = (&self.name, oci::parse(name)) else {
            return false;
        };
        let local = oci::parse(&format!("localhost/{}", self.text)).is_some_and(|l| l.repository == found.repository);
        let which = match &wanted.digest {
            Some(digest) => found.digest.as_ref() == Some(digest),
            None => found.tag == wanted.tag,
        };
        which && (wanted.repository == found.repository || local)
    }

    /// Whether an id (`sha256:…` or bare hex) is this one, or begins so.
    pub fn has_id(&self, id: &str) -> bool {
        let hex = id.strip_prefix("sha256:").unwrap_or(id);
        self.id.as_ref().is_some_and(|wanted| hex.to_ascii_lowercase().starts_with(wanted.as_str()))
    }
}

/// `None` where no store stands in front.
pub(super) fn parse(text: &str) -> Option<Result<Stored, TargetError>> {
    let (store, rest) =
        PREFIXES.iter().find_map(|(p, kind)| Some((*kind, text.strip_prefix(p)?.strip_prefix(':')?)))?;
    Some(parse_rest(store, rest, text))
}

fn parse_rest(store: StoreKind, rest: &str, whole: &str) -> Result<Stored, TargetError> {
    let (namespace, name) = match store {
        StoreKind::Containerd if !rest.is_empty() => {
            let (namespace, name) = rest.split_once('/').ok_or_else(|| TargetError::Namespace(shown(whole)))?;
            if !namespace.is_empty() && !is_namespace(namespace) {
                return Err(TargetError::Namespace(shown(whole)));
            }
            (Some(namespace.to_owned()).filter(|n| !n.is_empty()), name)
        }
        _ => (None, rest),
    };
    let image = match name {
        "" => None,
        name => Some(Sought::parse(name).ok_or_else(|| TargetError::Malformed(shown(whole)))?),
    };
    Ok(Stored { store, namespace, image })
}

/// As containerd accepts them.
fn is_namespace(text: &str) -> bool {
    let part = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric());
    text.len() <= 76 && text.split(['.', '_', '-']).all(part)
}
