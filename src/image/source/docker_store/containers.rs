//! The containers that an engine knows, running or not, each with the layer that it wrote.

use serde::Deserialize;

use super::{DRIVERS, Driver, WHAT};
use crate::{
    image::{
        few::Few,
        layer::Expected,
        manifest::{JSON, parse, sha256},
        planned::{Container, Holds, Planned, PlannedLayer},
        source::{
            catalog::{Catalog, Entry, path_of},
            unpacked::{Keeps, chain, container_name, is_folder},
        },
    },
    stop,
    surface::Flaw,
};

/// `config.v2.json`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::image::source) struct Described {
    #[serde(rename = "ID")]
    pub(in crate::image::source) id: String,
    pub(in crate::image::source) name: String,
    /// `sha256:…` of the image's configuration.
    image: String,
    pub(in crate::image::source) state: Option<State>,
    driver: String,
    config: Option<Run>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Run {
    env: Option<Few<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::image::source) struct State {
    pub(in crate::image::source) running: bool,
}

fn described(catalog: &mut Catalog<'_>, id: &str) -> Option<Described> {
    let file = format!("containers/{id}/config.v2.json");
    let bytes = catalog.small(0, &file, JSON)?;
    parse(&bytes, WHAT).map_err(|flaw| catalog.flaw(&file, flaw)).ok()
}

impl Driver<'_, '_> {
    pub(super) fn containers(&mut self) {
        let mounts = self.path("layerdb/mounts");
        for id in self.catalog.ids(0, &mounts) {
            if self.catalog.is_full() || stop::requested() {
                return;
            }
            self.container(&format!("{mounts}/{id}"), &id);
        }
    }

    fn container(&mut self, mount: &str, id: &str) {
        let top = self.digest(&format!("{mount}/parent"));
        let layers = chain(top.clone(), &mut |chain_id| self.layer(chain_id));
        let mut layers = layers.unwrap_or_else(|flaw| {
            self.catalog.broken(mount, flaw);
            Vec::new()
        });
        let written = self.word(&format!("{mount}/mount-id")).filter(|id| is_folder(id)).map(|id| self.unpacked(&id));
        if let Some(member) = &written {
            // Of a copy, what stands beside the image is in the layer that the engine prepared for it.
            let parent = top.and_then(|top| self.member(&top));
            self.keep(member, parent, None);
        }
        layers.push(PlannedLayer {
            member: written.map(|member| (member, 0)),
            expected: Expected::default(),
            unpacked: true,
        });
        let described = described(self.catalog, id).unwrap_or_default();
        let name = if described.name.is_empty() { id } else { &described.name };
        let container = Container {
            id: id.to_owned(),
            name: container_name(name),
            running: described.state.map(|state| state.running),
        };
        let planned = Planned { layers, holds: Holds::Container(container), ..Planned::default() };
        match sha256(&described.image) {
            Some(image) => {
                let file = self.path(&format!("imagedb/content/sha256/{image}"));
                let id = Some(image.to_owned());
                let environment = described.config.and_then(|run| run.env).map(|few| few.0);
                self.catalog.add(Entry { disk: 0, place: path_of(&file), file, id, environment, planned });
            }
            None => self.catalog.add_bare(planned),
        }
    }
}

/// Containers whose layers no graph driver keeps.
pub(super) fn without_layers(catalog: &mut Catalog<'_>) {
    for id in catalog.ids(0, "containers") {
        if catalog.is_full() || stop::requested() {
            break;
        }
        let disks = catalog.disks;
        let is_mount = |(driver, _): &(&str, Option<Keeps>)| {
            let mount = format!("image/{driver}/layerdb/mounts/{id}");
            // What cannot be looked into was reported with its driver.
            disks.first().is_some_and(|disk| disk.has_folder(mount.as_bytes()).unwrap_or(true))
        };
        if DRIVERS.iter().any(is_mount) {
            continue;
        }
        let place = format!("containers/{id}");
        match described(catalog, &id) {
            Some(described) if matches!(described.driver.as_str(), "overlayfs" | "native" | "stargz" | "nydus") => {
                catalog.left_out(&place, "a container whose layers containerd keeps: they are in its store");
            }
            Some(_) => catalog.flaw(&place, Flaw::malformed(WHAT, "the layers of a container are missing")),
            None => {}
        }
    }
}
