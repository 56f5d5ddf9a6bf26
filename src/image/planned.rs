//! What is known of images before any layer is read: the plan of a source.

use jiff::Timestamp;

use super::{layer::Expected, manifest::Step, plan::Secrets};
use crate::{fact::TreePath, surface::Flaw};

/// An image as its JSON describes it.
#[derive(Debug, Default)]
pub(super) struct Planned {
    /// As written: `demo/app:1.0`, or a bare tag.
    pub(super) tags: Vec<String>,
    /// Hex of the configuration's SHA-256.
    pub(super) id: Option<String>,
    pub(super) manifests: Vec<String>,
    pub(super) created: Option<Timestamp>,
    /// What its build writes in place of times.
    pub(super) epoch: Option<Timestamp>,
    pub(super) os: Option<String>,
    pub(super) architecture: Option<String>,
    pub(super) variables: Vec<String>,
    /// Secrets among the variables, by name.
    pub(super) secrets: Secrets,
    /// Secrets among the labels, by key.
    pub(super) labels: Secrets,
    pub(super) steps: Vec<Step>,
    pub(super) layers: Vec<PlannedLayer>,
    pub(super) holds: Holds,
}

/// What the layers make up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Holds {
    /// An image.
    #[default]
    Image,
    /// An image, and on top of it what a container changed.
    Container(Container),
    /// Files that containers mount.
    Volume(String),
}

/// A container that an engine knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// As the engine calls it.
    pub id: String,
    /// As people call it; a pod's is `namespace/pod/container`.
    pub name: String,
    /// Whether it ran when the store was written; `None` where that is not known.
    pub running: Option<bool>,
}

/// A layer of an image.
#[derive(Debug, Default)]
pub(super) struct PlannedLayer {
    /// `None` where the store does not hold it.
    pub(super) member: Option<(TreePath, u64)>,
    pub(super) expected: Expected,
    /// An engine unpacked it: it is what stands there, whatever its digests say.
    pub(super) unpacked: bool,
}

/// What a store holds.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) images: Vec<Planned>,
    pub(super) flaws: Vec<(TreePath, Flaw)>,
    pub(super) left_out: Vec<(TreePath, &'static str)>,
    /// Ids of images that are left out since others hold all of them, as `Planned::id`.
    pub(super) within_others: Vec<String>,
    /// There was a manifest or an index, whatever was in it.
    pub(super) is_image: bool,
}

/// An image that a store knows by its names.
pub(super) struct Root {
    /// References.
    pub(super) names: Vec<String>,
    /// `sha256:…` of its manifest or index.
    pub(super) digest: String,
}

/// An image or container whose manifest a store took apart: its layers are known, its configuration says the rest.
pub(super) struct Configured {
    /// Where the configuration stands in the store.
    pub(super) place: TreePath,
    /// Its bytes.
    pub(super) config: Vec<u8>,
    /// The hex of the SHA-256 that they should have.
    pub(super) id: Option<String>,
    /// What else is known. Diff ids are taken from the configuration where the number of its layers is that of these, the layer
    /// that a container wrote not counted.
    pub(super) image: Planned,
}
