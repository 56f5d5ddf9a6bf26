//! The containers of a store: the layers of their image, and what they wrote.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;

use super::{
    Containerd, Recorded, chains, same,
    snapshots::{Kind, Snapshot},
};
use crate::{
    fact::TreePath,
    image::{
        manifest::{is_hex, parse},
        planned::{Container, Holds, Plan, Planned, PlannedLayer},
        source::below::Below,
    },
    surface::Flaw,
    text::escape_short,
};

/// Containers of one Docker that are looked up.
const CONTAINERS: usize = 100_000;

/// Layers of the snapshots that no image leads to, each counted for every one that stands on it.
const LAYERS: usize = 500_000;

/// What Docker knows of its containers, by id.
#[derive(Default)]
pub(super) struct Docker {
    containers: HashMap<String, Container>,
}

/// `containers/<id>/config.v2.json`, as far as it is needed.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    #[serde(rename = "ID")]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    state: State,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    running: Option<bool>,
}

impl Docker {
    /// From Docker's root; containers that cannot be read have no name.
    pub(super) fn read(root: &Below, flaws: &mut Vec<(TreePath, Flaw)>) -> Self {
        let mut docker = Self::default();
        let folder = root.within(b"containers");
        let names = folder.and_then(|folder| folder.map(|f| f.names().map(|names| (f, names))).transpose());
        let at = |name: &[u8]| TreePath::new(name).unwrap_or_else(TreePath::root);
        match names {
            Ok(Some((folder, names))) => {
                for (name, _) in names.into_iter().take(CONTAINERS) {
                    let path = [name.as_slice(), b"/config.v2.json"].concat();
                    match folder
                        .small(&path)
                        .and_then(|text| text.map(|t| parse::<Config>(&t, "container")).transpose())
                    {
                        Ok(Some(config)) => docker.add(config),
                        Ok(None) => {}
                        Err(flaw) => flaws.push((at(&[b"containers/", path.as_slice()].concat()), flaw)),
                    }
                }
            }
            Ok(None) => {}
            Err(flaw) => flaws.push((at(b"containers"), flaw)),
        }
        docker
    }

    fn add(&mut self, config: Config) {
        let name = shown(config.name.strip_prefix('/').unwrap_or(&config.name));
        let name = if name.is_empty() { shown(&config.id) } else { name };
        let container = Container { id: shown(&config.id), name, running: config.state.running };
        self.containers.insert(config.id, container);
    }
}

/// What a store says of a name, so that it is safe to show.
fn shown(text: &str) -> String {
    escape_short(text.as_bytes(), 300)
}

/// Adds the containers, then the snapshots that neither an image nor a container leads to.
pub(super) fn plan(store: &Containerd, plan: &mut Plan) {
    let images = Images::new(plan);
    let mut used: HashSet<&str> = HashSet::new();
    let mut found = Vec::new();
    for record in &store.metadata.containers {
        match written(store, record) {
            Some(top) => {
                let chain = store.snapshots.chain(top);
                used.extend(chain.iter().map(|s| s.name.as_str()));
                let container = store.docker.containers.get(&record.id).cloned().unwrap_or_else(|| Container {
                    id: shown(&record.id),
                    name: shown(&record.name()),
                    running: None,
                });
                found.push(images.under(store, plan, &chain, Holds::Container(container), &record.image));
            }
            None if record.snapshot.is_empty() => {
                let path = TreePath::new(record.id.as_bytes()).unwrap_or_else(TreePath::root);
                plan.left_out.push((path, "a container whose files are not kept by containerd"));
            }
            None => {
                let path = TreePath::new(record.id.as_bytes()).unwrap_or_else(TreePath::root);
                plan.flaws.push((path, Flaw::malformed("container", "what it wrote is missing")));
            }
        }
    }
    let mut layers = LAYERS;
    for top in store.snapshots.tops() {
        let chain = store.snapshots.chain(top);
        let Some(left) = layers.checked_sub(chain.len()) else {
            let more = "it has more snapshots that no image leads to than are examined";
            plan.flaws.push((TreePath::root(), Flaw::malformed("store of containerd", more)));
            break;
        };
        layers = left;
        let is_new = |s: &&&Snapshot| !used.contains(s.name.as_str()) && !images.by_chain.contains_key(s.key());
        // What is known already says nothing new, however many stand on it.
        let Some(first) = chain.first().filter(is_new) else {
            continue;
        };
        let holds = match store.docker.containers.get(first.key()) {
            Some(container) => Holds::Container(container.clone()),
            None if first.kind == Kind::Active && first.namespace() == "moby" && is_hex(first.key()) => {
                Holds::Container(Container { id: shown(first.key()), name: shown(first.key()), running: None })
            }
            None => Holds::Image,
        };
        used.extend(chain.iter().map(|s| s.name.as_str()));
        found.push(images.under(store, plan, &chain, holds, ""));
    }
    plan.images.extend(found);
}

/// The snapshot that a container writes to.
fn written<'s>(store: &'s Containerd, record: &Recorded) -> Option<&'s Snapshot> {
    let key = (record.namespace.clone(), record.snapshotter.clone(), record.snapshot.clone());
    store.snapshots.named(&record.snapshotter, store.metadata.snapshots.get(&key)?)
}

/// The images of a plan by the chain id of their topmost layer.
struct Images {
    by_top: HashMap<String, Vec<usize>>,
    /// Every chain id of any image.
    by_chain: BTreeMap<String, ()>,
}

impl Images {
    fn new(plan: &Plan) -> Self {
        let (mut by_top, mut by_chain): (HashMap<String, Vec<usize>>, _) = (HashMap::new(), BTreeMap::new());
        for (at, image) in plan.images.iter().enumerate() {
            let chains = chains(image);
            if chains.len() == image.layers.len()
                && let Some(top) = chains.last()
            {
                by_top.entry(top.clone()).or_default().push(at);
            }
            by_chain.extend(chains.into_iter().map(|chain| (chain, ())));
        }
        Self { by_top, by_chain }
    }

    /// The image that these snapshots stand on, with those of them above it. Where no image is known, all of them.
    fn under(&self, store: &Containerd, plan: &Plan, chain: &[&Snapshot], holds: Holds, name: &str) -> Planned {
        let member = |snapshot: &&Snapshot| PlannedLayer {
            member: store.snapshots.member(snapshot),
            unpacked: true,
            ..PlannedLayer::default()
        };
        for (at, snapshot) in chain.iter().enumerate() {
            let fitting = self.by_top.get(snapshot.key()).filter(|_| snapshot.kind == Kind::Committed);
            let images = fitting.into_iter().flatten().filter_map(|at| plan.images.get(*at));
            let image = images.reduce(|best, other| if other.tags.iter().any(|t| t == name) { other } else { best });
            if let Some(image) = image.filter(|_| holds != Holds::Image) {
                let mut planned = copy(image, holds);
                // The name that it was made by says more than all the names of the image.
                if planned.tags.iter().any(|tag| tag == name) {
                    planned.tags = vec![name.to_owned()];
                }
                planned.layers.extend(chain.iter().take(at).rev().map(member));
                return planned;
            }
        }
        Planned { layers: chain.iter().rev().map(member).collect(), holds, ..Planned::default() }
    }
}

/// The same image, as something else holds it.
fn copy(image: &Planned, holds: Holds) -> Planned {
    Planned {
        tags: image.tags.clone(),
        id: image.id.clone(),
        manifests: image.manifests.clone(),
        created: image.created,
        epoch: image.epoch,
        os: image.os.clone(),
        architecture: image.architecture.clone(),
        variables: image.variables.clone(),
        secrets: image.secrets.clone(),
        labels: image.labels.clone(),
        steps: image.steps.clone(),
        layers: image.layers.iter().map(same).collect(),
        holds,
    }
}
