//! One of the images of a sweep.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{MachineIncident, exposure_or_none};
use crate::verdict::Exposure;

/// What a sweep over images found, image by image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// Worst first, then by name.
    pub images: Vec<SweptImage>,
    /// What to build anew, in the order in which it helps most images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bases: Vec<Base>,
    /// Different layers, each read once.
    pub layers: usize,
    /// Their bytes, as they are stored.
    pub bytes: u64,
}

/// An image, what a container changed on top of one, or a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweptImage {
    /// What `location.tree` says of it.
    pub tree: String,
    /// `image`, `container` or `volume`.
    pub kind: String,
    /// `sha256:…` of its configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `sha256:…` of its manifest and of the indexes that lead to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<String>,
    /// Every name that a store or registry has for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The inputs that hold it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found_in: Vec<String>,
    /// `linux/amd64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// By the builder's clock, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// How many layers it has.
    pub layers: usize,
    /// Every layer is there and could be read; one that was stored matches its digest.
    pub complete: bool,
    /// The worst, or `none`.
    #[serde(with = "exposure_or_none")]
    pub exposure: Option<Exposure>,
    /// The incidents that left evidence, worst first.
    pub incidents: Vec<MachineIncident>,
    /// Who uses it, as far as stores and the lists that were named say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<ImageUser>,
}

/// A container, a pod's container or a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ImageUser {
    /// `container`, `pod`, `template`, `service` or `value`.
    pub kind: String,
    /// A pod's is `namespace/pod/container`.
    pub name: String,
    /// Where it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// `Deployment web`: what made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// `null` where nobody says.
    pub running: Option<bool>,
}

/// A layer that brings findings into images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Its digest.
    pub layer: String,
    /// Images that end with it: whoever builds these anew helps all that stand on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// How many images it brings findings into that nothing before it in this list does.
    pub images: usize,
    /// Some of them.
    pub some: Vec<String>,
}
