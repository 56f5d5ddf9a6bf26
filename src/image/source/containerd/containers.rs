//! The containers of a store: the layers of their image, and what they wrote.

use std::collections::{HashMap, HashSet};

use super::{
    Containerd, Recorded, chains, same,
    snapshots::{Kind, Snapshot},
};
use crate::{
    image::{
        manifest::{JSON, is_hex, parse},
        planned::{Container, Holds, Plan, Planned, PlannedLayer},
        source::{
            below::Below,
            catalog::Budget,
            docker_store::Described,
            flaws::{Flaws, leave_out, note, place},
            unpacked::container_name,
        },
    },
    stop,
    surface::Flaw,
    text::escape_short,
};

/// Containers of one Docker that are looked up.
const CONTAINERS: usize = 100_000;
const WHAT: &str = "store of containerd";

/// What Docker knows of its containers, by id.
#[derive(Default)]
pub(super) struct Docker {
    containers: HashMap<String, Container>,
}

impl Docker {
    /// From Docker's root; containers that cannot be read have no name.
    pub(super) fn read(root: &Below, flaws: &mut Flaws) -> Self {
        let mut docker = Self::default();
        let folder = root.within(b"containers");
        let names = folder.and_then(|folder| folder.map(|f| f.names().map(|names| (f, names))).transpose());
        let (folder, names) = match names {
            Ok(Some(found)) => found,
            Ok(None) => return docker,
            Err(flaw) => {
                note(flaws, b"containers", flaw);
                return docker;
            }
        };
        if names.len() > CONTAINERS {
            note(flaws, b"containers", Flaw::malformed("Docker's store", "it has more containers than are looked up"));
        }
        for (name, _) in names.into_iter().take(CONTAINERS).take_while(|_| !stop::requested()) {
            let path = [name.as_slice(), b"/config.v2.json"].concat();
            let text = folder.text(&path, JSON);
            match text.and_then(|text| text.map(|t| parse::<Described>(&t, "container")).transpose()) {
                Ok(Some(described)) => docker.add(&described),
                Ok(None) => {}
                Err(flaw) => note(flaws, &[b"containers/", path.as_slice()].concat(), flaw),
            }
        }
        docker
    }

    fn add(&mut self, described: &Described) {
        let name = if described.name.is_empty() { &described.id } else { &described.name };
        let container = Container {
            id: shown(&described.id),
            name: container_name(name),
            running: described.state.as_ref().map(|state| state.running),
        };
        if is_hex(&described.id) {
            self.containers.insert(described.id.clone(), container);
        }
    }
}

/// What a store says of a name, so that it is safe to show.
fn shown(text: &str) -> String {
    escape_short(text.as_bytes(), 300)
}

/// Adds the containers, then the snapshots that neither an image nor a container leads to.
pub(super) fn plan(store: &Containerd, plan: &mut Plan) {
    plan_within(store, plan, Budget::default());
}

/// The same, as far as a budget suffices for the layers of what is planned, and those that are followed.
pub(super) fn plan_within(store: &Containerd, plan: &mut Plan, mut budget: Budget) {
    let Plan { images: known, flaws, left_out, .. } = plan;
    let images = Images::new(store, known);
    let (mut used, mut found) = (HashSet::new(), Vec::new());
    for record in &store.metadata.containers {
        match written(store, record) {
            Some(top) => {
                let chain = followed(store, top, flaws);
                if !budget.take_layers(chain.len()) {
                    break;
                }
                used.extend(chain.iter().map(|s| s.identity()));
                let container = store.docker.containers.get(&record.id).cloned().unwrap_or_else(|| Container {
                    id: shown(&record.id),
                    name: shown(&record.name()),
                    running: None,
                });
                found.extend(images.under(&chain, Holds::Container(container), &record.image, &mut budget));
            }
            None if record.snapshot.is_empty() => {
                leave_out(left_out, record.id.as_bytes(), "a container whose files are not kept by containerd");
            }
            None => note(flaws, record.id.as_bytes(), Flaw::malformed("container", "what it wrote is missing")),
        }
        if budget.is_used_up() || stop::requested() {
            break;
        }
    }
    for top in store.snapshots.tops() {
        if budget.is_used_up() || stop::requested() {
            break;
        }
        let chain = followed(store, top, flaws);
        if !budget.take_layers(chain.len()) {
            break;
        }
        let is_known = |s: &Snapshot| s.kind == Kind::Committed && images.by_chain.contains(s.key());
        // What is known already says nothing new, however many stand on it.
        let Some(first) = chain.first().filter(|s| !used.contains(&s.identity()) && !is_known(s)) else {
            continue;
        };
        let holds = match store.docker.containers.get(first.key()) {
            Some(container) => Holds::Container(container.clone()),
            None if first.kind == Kind::Active && first.namespace() == "moby" && is_hex(first.key()) => {
                Holds::Container(Container { id: shown(first.key()), name: shown(first.key()), running: None })
            }
            None => Holds::Image,
        };
        used.extend(chain.iter().map(|s| s.identity()));
        found.extend(images.under(&chain, holds, "", &mut budget));
    }
    if budget.is_used_up() {
        flaws.push((place(b""), Flaw::malformed(WHAT, "it has more containers and snapshots than are examined")));
    }
    plan.images.extend(found);
}

/// A snapshot and those below it, from the topmost.
fn followed<'s>(store: &'s Containerd, top: &'s Snapshot, flaws: &mut Flaws) -> Vec<&'s Snapshot> {
    let (chain, more) = store.snapshots.chain(top);
    if more {
        note(flaws, top.name.as_bytes(), Flaw::malformed(WHAT, "a snapshot that stands on too many"));
    }
    chain
}

/// The snapshot that a container writes to.
fn written<'s>(store: &'s Containerd, record: &Recorded) -> Option<&'s Snapshot> {
    let key = (record.namespace.clone(), record.snapshotter.clone(), record.snapshot.clone());
    store.snapshots.named(&record.snapshotter, store.metadata.snapshots.get(&key)?)
}

/// The images of a plan by the chain id of their topmost layer.
struct Images<'p> {
    store: &'p Containerd,
    by_top: HashMap<String, Top<'p>>,
    /// Every chain id of any image.
    by_chain: HashSet<String>,
}

/// The images whose topmost layer is the same.
struct Top<'p> {
    first: &'p Planned,
    by_name: HashMap<&'p str, &'p Planned>,
}

impl<'p> Images<'p> {
    fn new(store: &'p Containerd, known: &'p [Planned]) -> Self {
        let (mut by_top, mut by_chain): (HashMap<String, Top<'p>>, _) = (HashMap::new(), HashSet::new());
        for image in known {
            let chains = chains(image);
            if chains.len() == image.layers.len()
                && let Some(top) = chains.last()
            {
                let top = by_top.entry(top.clone()).or_insert_with(|| Top { first: image, by_name: HashMap::new() });
                top.by_name.extend(image.tags.iter().map(|tag| (tag.as_str(), image)));
            }
            by_chain.extend(chains);
        }
        Self { store, by_top, by_chain }
    }

    /// The image that these snapshots stand on, with those of them above it. Where no image is known, all of them. `None` where it does
    /// not fit.
    fn under(&self, chain: &[&Snapshot], holds: Holds, name: &str, budget: &mut Budget) -> Option<Planned> {
        let member = |snapshot: &&Snapshot| PlannedLayer {
            member: self.store.snapshots.member(snapshot),
            unpacked: true,
            ..PlannedLayer::default()
        };
        for (at, snapshot) in chain.iter().enumerate().filter(|_| holds != Holds::Image) {
            let fitting = self.by_top.get(snapshot.key()).filter(|_| snapshot.kind == Kind::Committed);
            if let Some(image) = fitting.map(|top| *top.by_name.get(name).unwrap_or(&top.first)) {
                let named = image.tags.iter().any(|tag| tag == name);
                if !budget.take(at.saturating_add(weight(image, named))) {
                    return None;
                }
                let mut planned = copy(image, holds);
                // The name that it was made by says more than all the names of the image.
                planned.tags = if named { vec![name.to_owned()] } else { image.tags.clone() };
                planned.layers.extend(chain.iter().take(at).rev().map(member));
                return Some(planned);
            }
        }
        let layers = || chain.iter().rev().map(member).collect();
        budget.take(chain.len()).then(|| Planned { layers: layers(), holds, ..Planned::default() })
    }
}

/// What a copy of an image costs, in layers: a hostile one has a great many steps, variables or names.
fn weight(image: &Planned, named: bool) -> usize {
    const BYTES: usize = 1024;
    let texts = image.variables.iter().chain(image.tags.iter().filter(|_| !named)).chain(&image.manifests);
    let bytes: usize = texts.map(|text| text.len() + 24).sum();
    let commands: usize = image.steps.iter().map(|step| 1 + step.commands.len() + step.secrets.len()).sum();
    image.layers.len() + commands + image.secrets.len() + image.labels.len() + bytes / BYTES
}

/// The same image, as something else holds it. Its names are left to the caller.
fn copy(image: &Planned, holds: Holds) -> Planned {
    Planned {
        tags: Vec::new(),
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
