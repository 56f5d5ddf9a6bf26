//! Where images and the bytes of their layers come from. One file a source.

mod archive;
mod below;
pub(super) mod blob_store;
mod blobs;
mod catalog;
pub(super) mod containerd;
pub(super) mod containers_storage;
pub(super) mod disk;
pub(super) mod disk_image;
pub(super) mod docker_store;
#[cfg(feature = "online")]
pub(super) mod engine;
mod flaws;
pub(super) mod found;
mod graph;
mod layout;
mod list;
#[cfg(feature = "online")]
pub(super) mod registry;
mod root;
mod unpacked;

pub(super) use self::{archive::Archive, containerd::InNamespace, layout::Layout, root::Root};
use super::{entries::Entries, input::Bytes, plan::Readers, planned::Plan, target::Sought};
use crate::{fact::TreePath, surface::Flaw};

/// What is read of one layer.
pub(super) enum Content<'c> {
    /// The bytes of its tar as they are stored, compressed or not. They are compared with the layer's digests.
    Blob(Box<dyn Bytes + 'c>),
    /// What an engine unpacked: nothing says whether it is still what the layer held.
    Unpacked(Box<dyn Entries + 'c>),
}

/// Reads one opened layer, or why it could not be opened, with its position in the list that was asked for.
pub(super) type ReadLayer<'t> = dyn FnMut(usize, Result<Content<'_>, Flaw>) + 't;

/// A place that holds images.
pub(super) trait Source: Sync {
    /// The images that it holds, from their JSON alone. Each layer says where the source has it (`PlannedLayer::member`).
    fn plan(&self, readers: Readers<'_>) -> Plan;

    /// The same, where `is_known` says which images, by `sha256:…` of their configuration, manifest or index, another source has.
    fn plan_others(&self, readers: Readers<'_>, _is_known: &dyn Fn(&str) -> bool) -> Plan {
        self.plan(readers)
    }

    /// What of it stands in a namespace, and which of that is called as what is sought. `None` where it knows no namespaces.
    fn namespace(&self, _name: &str, _sought: Option<&Sought>) -> Option<InNamespace<'_>> {
        None
    }

    /// Opens one layer; several may be open at a time.
    fn open(&self, layer: &TreePath) -> Result<Content<'_>, Flaw>;

    /// Opens each of these, one after the other, and calls `read` with its position in the list: each once, in any order.
    fn each(&self, layers: &[TreePath], read: &mut ReadLayer<'_>) {
        layers.iter().enumerate().for_each(|(at, layer)| read(at, self.open(layer)));
    }

    /// Whether a layer can only be reached by reading all that stands before it, so that `each` is far cheaper than `open`.
    fn is_stream(&self) -> bool {
        false
    }
}

/// Named things that the JSON of images is read from (`plan::plan`).
pub(super) trait Store {
    /// The whole of a small member; `None` where there is none.
    fn small(&self, name: &[u8]) -> Result<Option<Vec<u8>>, Flaw>;

    /// The member that holds the bytes of `name`, links resolved, and its size.
    fn find(&self, name: &[u8]) -> Option<(TreePath, u64)>;
}
