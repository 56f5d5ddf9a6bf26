//! The indexes of a store. Fields that nobody here needs are not read.

use serde::Deserialize;

use crate::image::{few::Few, source::list::List};

/// One of `images.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Image {
    pub(super) id: String,
    /// Of its manifest.
    pub(super) digest: String,
    pub(super) names: Option<Few<String>>,
    /// What it was called before.
    pub(super) names_history: Option<Few<String>>,
    /// Its top layer; empty where it has none.
    pub(super) layer: String,
    pub(super) big_data_names: Option<Few<String>>,
}

/// One of `layers.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Layer {
    pub(super) id: String,
    pub(super) parent: String,
    /// Of its tar.
    pub(super) diff_digest: String,
    /// Of its tar, in bytes.
    diff_size: i64,
}

impl Layer {
    /// Of its tar, in bytes; 0 where it is not known.
    pub(super) fn size(&self) -> u64 {
        u64::try_from(self.diff_size).unwrap_or(0)
    }
}

/// One of `containers.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Container {
    pub(super) id: String,
    pub(super) names: Option<Few<String>>,
    /// The id of its image; empty where it stands on none.
    pub(super) image: String,
    /// What it wrote.
    pub(super) layer: String,
    /// JSON of the engine's own.
    pub(super) metadata: String,
}

/// What CRI-O and Podman know of a container in the store's index.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) pod_name: String,
    pub(super) namespace: String,
    /// The container's name in its pod.
    pub(super) metadata_name: String,
}

/// `userdata/state.json` of CRI-O.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct State {
    pub(super) status: String,
}

/// `userdata/config.json`: what the runtime is to start.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Runtime {
    pub(super) process: Option<Process>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Process {
    pub(super) env: Option<Few<String>>,
}

/// A manifest, for the digest of its configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Manifest {
    pub(super) config: Option<Descriptor>,
    /// Of an index.
    pub(super) manifests: Option<List<serde::de::IgnoredAny>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Descriptor {
    pub(super) digest: String,
}
