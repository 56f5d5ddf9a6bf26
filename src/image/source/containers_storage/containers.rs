//! The containers of a driver, each with the layer that it wrote.

use std::collections::HashMap;

use super::{
    Driver, WHAT,
    json::{self, Metadata, Runtime, State},
};
use crate::{
    image::{
        manifest::{JSON, parse},
        planned::{Container, Holds, Planned},
        source::unpacked::{chain, container_name, is_folder},
    },
    stop,
    surface::Flaw,
};

impl Driver<'_, '_> {
    /// `running` is by the id of a container.
    pub(super) fn containers(&mut self, running: &HashMap<String, bool>) {
        for file in ["containers", "volatile-containers"] {
            let index = format!("{}-containers/{file}.json", self.name);
            for container in self.with_ids(0, &index, |c: &json::Container| &c.id) {
                if !self.catalog.is_full() && !stop::requested() {
                    self.container(&container, running.get(&container.id).copied());
                }
            }
        }
    }

    fn container(&mut self, container: &json::Container, running: Option<bool>) {
        let place = format!("{}-containers/{}", self.name, container.id);
        let layers = chain(Some(container.layer.clone()), &mut |id| self.layer(id));
        let layers = layers.unwrap_or_else(|flaw| {
            self.catalog.broken(&place, flaw);
            Vec::new()
        });
        if layers.last().is_none_or(|layer| layer.member.is_none()) {
            self.catalog.flaw(&place, Flaw::malformed(WHAT, "the layer of a container is missing"));
        }
        let running = running.or_else(|| self.runs_in_crio(&place));
        let holds = Holds::Container(Container { id: container.id.clone(), name: name(container), running });
        let planned = Planned { layers, holds, ..Planned::default() };
        match self.config_of(&container.image) {
            Some(config) => {
                let environment = self.environment(&place);
                self.catalog.add(config.entry(planned, environment));
            }
            None => {
                if !container.image.is_empty() && !is_folder(&container.image) {
                    self.catalog.flaw(&place, Flaw::malformed(WHAT, "its image has an id that no engine gives"));
                }
                self.catalog.add_bare(planned);
            }
        }
    }

    /// What a container was given, as its runtime has it.
    fn environment(&mut self, place: &str) -> Option<Vec<String>> {
        let runtime: Runtime = self.parsed(&format!("{place}/userdata/config.json"), JSON)?;
        runtime.process?.env.map(|few| few.0)
    }

    /// A file of JSON; problems with it are reported.
    fn parsed<T: serde::de::DeserializeOwned>(&mut self, file: &str, most: u64) -> Option<T> {
        let bytes = self.catalog.small(0, file, most)?;
        parse(&bytes, WHAT).map_err(|flaw| self.catalog.flaw(file, flaw)).ok()
    }

    /// What CRI-O wrote last of a container's state.
    fn runs_in_crio(&mut self, place: &str) -> Option<bool> {
        let state: State = self.parsed(&format!("{place}/userdata/state.json"), 1 << 20)?;
        match state.status.as_str() {
            "running" | "paused" => Some(true),
            "created" | "stopped" => Some(false),
            _ => None,
        }
    }
}

/// What people call a container.
fn name(container: &json::Container) -> String {
    let metadata: Metadata = serde_json::from_str(&container.metadata).unwrap_or_default();
    let Metadata { name, pod_name, namespace, metadata_name } = metadata;
    let first = container.names.as_ref().and_then(|names| names.0.first()).unwrap_or(&name);
    // Its own name says more, where it is in the kubelet's form.
    if !first.starts_with("k8s_") && [&pod_name, &namespace, &metadata_name].iter().all(|part| !part.is_empty()) {
        return container_name(&format!("{namespace}/{pod_name}/{metadata_name}"));
    }
    container_name(if first.is_empty() { &container.id } else { first })
}
