//! The images of a graph driver.

use std::collections::HashMap;

use serde::Deserialize;

use super::{Driver, WHAT};
use crate::{
    image::{
        layer::Expected,
        manifest::{Config, JSON, is_hex, parse, sha256},
        planned::{Planned, PlannedLayer},
        source::{
            catalog::{Entry, path_of},
            list::Pairs,
            unpacked::chain_id,
        },
    },
    stop,
    surface::Flaw,
};

/// Bytes of the names of all images.
const NAMES: u64 = 64 << 20;

/// `repositories.json`: for each repository, its references and the images that they name.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Repositories {
    repositories: Pairs<Pairs<String>>,
}

/// The references of one image, and the manifests by which registries know it.
#[derive(Default)]
struct Names {
    tags: Vec<String>,
    manifests: Vec<String>,
}

impl Driver<'_, '_> {
    pub(super) fn images(&mut self) {
        let mut names = self.repositories();
        let content = self.path("imagedb/content/sha256");
        for id in self.catalog.names(0, &content) {
            if self.catalog.is_full() || stop::requested() {
                return;
            }
            let Some(id) = std::str::from_utf8(&id).ok().filter(|id| is_hex(id)) else {
                continue;
            };
            let file = format!("{content}/{id}");
            let Some(layers) = self.layers_of(&file) else {
                continue;
            };
            let Names { tags, manifests } = names.remove(id).unwrap_or_default();
            let planned = Planned { tags, manifests, layers, ..Planned::default() };
            self.catalog.add(Entry {
                disk: 0,
                place: path_of(&file),
                file,
                id: Some(id.to_owned()),
                environment: None,
                planned,
            });
        }
        if !names.is_empty() {
            let file = self.path("repositories.json");
            self.catalog.flaw(&file, Flaw::malformed(WHAT, "it names an image whose configuration is missing"));
        }
    }

    fn repositories(&mut self) -> HashMap<String, Names> {
        let file = self.path("repositories.json");
        let Some(bytes) = self.catalog.small(0, &file, NAMES) else {
            return HashMap::new();
        };
        let read: Repositories = parse(&bytes, WHAT).unwrap_or_else(|flaw| {
            self.catalog.flaw(&file, flaw);
            Repositories::default()
        });
        let repositories = read.repositories;
        if repositories.more || repositories.items.iter().any(|(_, references)| references.more) {
            self.catalog.flaw(&file, Flaw::malformed(WHAT, "it has more names than are read"));
        }
        let mut names: HashMap<String, Names> = HashMap::new();
        for (reference, image) in repositories.items.into_iter().flat_map(|(_, references)| references.items) {
            let Some(id) = sha256(&image) else {
                continue;
            };
            let known = names.entry(id.to_owned()).or_default();
            if let Some(digest) = reference.split_once('@').and_then(|(_, digest)| sha256(digest)) {
                known.manifests.push(digest.to_owned());
            }
            known.tags.push(reference);
        }
        for known in names.values_mut() {
            // A name with a digest says less to people than one with a tag.
            known.tags.sort_by_key(|tag| tag.contains('@'));
            known.manifests.sort();
            known.manifests.dedup();
        }
        names
    }

    /// The layers that a configuration lists, lowest first.
    fn layers_of(&mut self, file: &str) -> Option<Vec<PlannedLayer>> {
        let bytes = self.catalog.small(0, file, JSON)?;
        let config: Config = match parse(&bytes, WHAT) {
            Ok(config) => config,
            Err(flaw) => {
                self.catalog.flaw(file, flaw);
                return None;
            }
        };
        let mut below: Option<String> = None;
        let mut layers = Vec::new();
        for diff_id in config.rootfs.unwrap_or_default().diff_ids.0 {
            let Some(diff_id) = sha256(&diff_id) else {
                layers.push(PlannedLayer::default());
                continue;
            };
            let chain_id = chain_id(below.as_deref(), diff_id);
            let (mut layer, _) = self.layer(&chain_id);
            layer.expected = Expected { blob: None, diff_id: Some(diff_id.to_owned()) };
            layers.push(layer);
            below = Some(chain_id);
        }
        Some(layers)
    }
}
