//! One examined image: what describes it, its layers, and its facts with what became of them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    HISTORY, Step,
    facts::LayerFacts,
    join::Joined,
    layer::{GROUP, PASSWD},
    planned::{Container, Holds, Planned},
};
use crate::{
    accounts::Accounts,
    coverage::{Gap, GapKind, IMAGE},
    fact::{Credential, Fact, Origin, Seen, TreePath},
    inventory::Packing,
    walk::Router,
};

/// One image, or a container made of one, or a volume.
pub struct Image<'i> {
    /// Its first tag, else its shortened id: what facts carry as their tree.
    pub label: Arc<str>,
    /// References it is known by.
    pub tags: Vec<String>,
    /// Digest of its configuration, `sha256:…`: the image id of most engines.
    pub id: Option<String>,
    /// Digests of its manifest and of the indexes that lead to it, `sha256:…`: what registries know it by.
    pub manifests: Vec<String>,
    /// By the builder's clock, UTC.
    pub created: Option<Timestamp>,
    /// The instant that its build writes in place of times, where the history says it.
    pub epoch: Option<Timestamp>,
    /// `linux`.
    pub os: Option<String>,
    /// `amd64`.
    pub architecture: Option<String>,
    /// Names of the variables set in every container.
    pub variables: Vec<String>,
    /// The secrets among them, by name.
    pub secrets: Vec<(String, Credential)>,
    /// Secrets among its labels, by key.
    pub labels: Vec<(String, Credential)>,
    /// The build, from the first step on.
    pub steps: Vec<Step>,
    /// From the lowest up.
    pub layers: Vec<ImageLayer>,
    /// What the layers make up.
    pub holds: Holds,
    /// The inputs that hold it, by their names.
    pub found_in: Vec<Arc<str>>,
    /// What was read of each layer, for each place that has the image and does not hold the same bytes as another.
    copies: Vec<Vec<Option<Arc<LayerFacts>>>>,
    /// So many of the lowest layers are those of an image that is examined by itself: their facts are that image's.
    shared: usize,
    pub(super) packing: &'i Packing<'i>,
}

/// A layer of an image.
#[derive(Debug, Clone)]
pub struct ImageLayer {
    /// `sha256:…`: the diff id where the configuration has it, else the digest of the blob.
    pub digest: Option<Arc<str>>,
    /// The step that made it, as a position in `Image::steps`; `None` where the history does not say it.
    pub step: Option<usize>,
    /// Names of members, whiteouts included; `None` where the layer was not there.
    pub entries: Option<u64>,
    /// How many paths of lower layers it removes.
    pub whiteouts: u64,
}

/// A fact of one layer, and what became of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFact {
    /// The fact; its origin carries image and layer.
    pub seen: Seen,
    /// Position of its layer in `Image::layers`.
    pub layer: usize,
    /// Position of the first later layer that removes, replaces or overwrites its file: a container does not see it.
    pub gone_in: Option<usize>,
}

impl<'i> Image<'i> {
    /// Joins what describes an image with what was read of its layers.
    pub(super) fn new(
        planned: Planned,
        label: Arc<str>,
        found_in: Vec<Arc<str>>,
        (copies, shared): (Vec<Vec<Option<Arc<LayerFacts>>>>, usize),
        packing: &'i Packing<'i>,
    ) -> Self {
        let prefixed = |hex: &String| format!("sha256:{hex}");
        let made: Vec<usize> = planned.steps.iter().enumerate().filter(|(_, s)| !s.empty).map(|(at, _)| at).collect();
        let written = usize::from(matches!(planned.holds, Holds::Container(_)));
        // Tools that squash or import write a history that fits no layer.
        let fits = made.len() + written == planned.layers.len();
        let layers = planned.layers.iter().enumerate().map(|(at, layer)| {
            let digest = layer.expected.diff_id.as_ref().or(layer.expected.blob.as_ref());
            let read = || copies.iter().filter_map(move |copy| copy.get(at)?.as_ref());
            ImageLayer {
                digest: digest.map(|d| prefixed(d).into()),
                step: made.get(at).copied().filter(|_| fits),
                entries: read().map(|facts| facts.entries).max(),
                whiteouts: read().map(|facts| facts.whiteouts).max().unwrap_or(0),
            }
        });
        Self {
            label,
            id: planned.id.as_ref().map(prefixed),
            manifests: planned.manifests.iter().map(prefixed).collect(),
            created: planned.created,
            epoch: planned.epoch,
            os: planned.os,
            architecture: planned.architecture,
            variables: planned.variables,
            secrets: planned.secrets,
            labels: planned.labels,
            layers: layers.collect(),
            tags: planned.tags,
            steps: planned.steps,
            holds: planned.holds,
            found_in,
            copies,
            shared,
            packing,
        }
    }

    /// The container that wrote the top layer.
    pub fn container(&self) -> Option<&Container> {
        match &self.holds {
            Holds::Container(container) => Some(container),
            Holds::Image | Holds::Volume(_) => None,
        }
    }

    /// Whether it stands on an image that is examined by itself: what that one says is not said again.
    pub fn is_on_another(&self) -> bool {
        self.shared > 0
    }

    /// Whether every layer is there, whatever it holds.
    pub fn is_whole(&self) -> bool {
        self.positions().all(|(_, facts)| facts.is_some())
    }

    /// Whether something in its layers fits an indicator.
    pub fn has_evidence(&self) -> bool {
        self.copies.iter().flat_map(|copy| copy.iter().skip(self.shared)).flatten().any(|facts| facts.has_evidence)
    }

    /// The facts of every layer, lowest first, with what became of their files.
    pub fn facts(&self) -> Vec<ImageFact> {
        self.join(self.read(true, &mut |_| true))
    }

    /// The facts of every layer with its position, for each copy of the image, as far as they are admitted. Without `context`, of those
    /// that explain others only such as are of use alone.
    pub fn read(&self, context: bool, admit: &mut dyn FnMut(&mut Seen) -> bool) -> Vec<Vec<(usize, Seen)>> {
        let mut read = |copy: &Vec<Option<Arc<LayerFacts>>>| {
            let layers = copy.iter().enumerate().skip(self.shared);
            let layers = layers.filter_map(|(at, facts)| Some((at, facts.as_ref()?)));
            let mut all = Vec::new();
            for (at, facts) in layers {
                // One layer's facts are in memory at a time beside those that are admitted.
                let facts = facts.facts(&self.label, context, self.packing).into_iter();
                all.extend(facts.filter_map(|mut seen| admit(&mut seen).then_some((at, seen))));
            }
            all
        };
        self.copies.iter().map(&mut read).collect()
    }

    /// What became of the files of these, which `read` gave.
    pub fn join(&self, read: Vec<Vec<(usize, Seen)>>) -> Vec<ImageFact> {
        let mut found: Vec<ImageFact> = Vec::new();
        let mut known: HashSet<String> = HashSet::new();
        for (copy, facts) in self.copies.iter().zip(read) {
            if facts.is_empty() {
                continue;
            }
            let joined = Joined::new(copy);
            for (layer, mut seen) in facts {
                let gone_in = joined.gone_in(layer, &seen.origin.path);
                seen.origin.layer = self.layers.get(layer).and_then(|l| l.digest.clone());
                seen.at = seen.at.filter(|at| Some(at.time) != self.epoch);
                let fact = ImageFact { seen, layer, gone_in };
                // Another copy that says the same says nothing new.
                if self.copies.len() == 1 || known.insert(format!("{:?}", (layer, gone_in, &fact.seen))) {
                    found.push(fact);
                }
            }
        }
        if self.copies.len() > 1 {
            found.sort_by(|a, b| (a.layer, &a.seen.origin.path).cmp(&(b.layer, &b.seen.origin.path)));
        }
        found
    }

    /// The install commands of the build with the numbers of their steps. Their place is the image's root, in the layer that the
    /// step made.
    pub fn history(&self) -> impl Iterator<Item = (usize, Seen)> {
        let steps = self.steps.iter().enumerate().filter(|_| self.shared == 0);
        steps.flat_map(move |(at, step)| {
            let mut origin = Origin::file(&self.label, TreePath::root());
            origin.inner = Some(format!("step {}", step.number).into());
            let made = self.layers.iter().find(|l| l.step == Some(at));
            origin.layer = made.and_then(|l| l.digest.clone());
            step.commands.iter().map(move |command| {
                let fact = Fact::Command(command.clone());
                let (origin, at) = (origin.clone(), step.at.clone());
                let surface = HISTORY.id;
                (step.number, Seen { surface, origin, at, uid: None, gid: None, mode: None, unit: None, fact })
            })
        })
    }

    /// Who lives in the image, by the `passwd` and `group` files that a container sees.
    pub fn accounts(&self) -> Accounts {
        let mut files: [Option<Vec<u8>>; 2] = [None, None];
        let paths = [PASSWD, GROUP].map(|path| TreePath::new(path).unwrap_or_else(TreePath::root));
        for copy in &self.copies {
            let joined = Joined::new(copy);
            for (at, facts) in copy.iter().enumerate().rev() {
                let Some(facts) = facts.as_ref().filter(|_| files.iter().any(Option::is_none)) else { continue };
                let beside = facts.beside(&self.label, self.packing);
                for ((file, path), read) in files.iter_mut().zip(&paths).zip([beside.passwd, beside.group]) {
                    if file.is_none() && joined.gone_in(at, path).is_none() {
                        *file = read;
                    }
                }
            }
        }
        let [passwd, group] = files.map(Option::unwrap_or_default);
        Accounts::new(&passwd, []).with_groups(&group)
    }

    /// Whether every layer is there and matches its digest.
    pub fn verified(&self) -> bool {
        self.positions().all(|(_, facts)| facts.is_some_and(|facts| facts.verified))
    }

    /// Each layer of each copy.
    pub(super) fn positions(&self) -> impl Iterator<Item = (&ImageLayer, Option<&Arc<LayerFacts>>)> {
        self.copies.iter().flat_map(|copy| self.layers.iter().zip(copy)).map(|(layer, facts)| (layer, facts.as_ref()))
    }

    /// Wanted symbolic links that lead into another layer are not followed; links to nothing are no gap, nor are those to what is read
    /// under its own name by all that want the link, which `router` knows. Takes from `look_ups` what it costs to find out.
    pub(super) fn links_elsewhere(
        &self,
        links: &[(&ImageLayer, TreePath, TreePath)],
        router: &Router<'_>,
        look_ups: &mut u64,
    ) -> Vec<Gap> {
        let mut gaps = Vec::new();
        let gap = |path: &TreePath, layer: &ImageLayer, kind, detail: &str| {
            let mut origin = Origin::file(&self.label, path.clone());
            origin.layer.clone_from(&layer.digest);
            Gap { origin, surface: IMAGE, kind, detail: detail.to_owned() }
        };
        if links.is_empty() {
            return gaps;
        }
        let joined: Vec<Joined> = self.copies.iter().map(|copy| Joined::new(copy)).collect();
        for (layer, path, target) in links {
            let mut cost = 1;
            // What is named by another file, and not by a link, is wanted for what that file is.
            let is_read = |real: &TreePath| path != target && router.reads_both(path, real);
            if joined.iter().filter_map(|joined| joined.leaf(target)).any(|real| !is_read(&real)) {
                cost = REPORT_COST;
                let detail = "it leads to a file of another layer, or is one that this layer names: not followed";
                gaps.push(gap(path, layer, GapKind::Unsupported, detail));
            }
            match look_ups.checked_sub(cost) {
                Some(left) => *look_ups = left,
                None => {
                    let detail = "more links than are looked at lead out of their layer";
                    gaps.push(gap(&TreePath::root(), layer, GapKind::TooLarge, detail));
                    return gaps;
                }
            }
        }
        gaps
    }
}

/// What it costs to report a link, in look-ups: so some thousands are reported.
const REPORT_COST: u64 = 100;

/// A reference as people write it: engines disagree whether to save the name of the default registry.
fn familiar(reference: &str) -> &str {
    let short = reference.strip_prefix("docker.io/").unwrap_or(reference);
    short.strip_prefix("library/").unwrap_or(short)
}

/// A name for each image that no other image of the input has.
pub(super) fn labels(images: &[Planned], name: &Arc<str>) -> Vec<String> {
    let short = |i: &Planned| {
        let hex = i.id.as_ref().or(i.manifests.first()).and_then(|h| h.get(..12));
        hex.map_or_else(|| name.to_string(), |h| format!("sha256:{h}"))
    };
    let of_tag = |i: &Planned| match i.tags.first().filter(|_| i.holds == Holds::Image) {
        Some(tag) if tag.contains([':', '/', '@']) => familiar(tag).to_owned(),
        // An OCI annotation may hold the bare tag; the name of the layout says what it is a tag of.
        Some(tag) => format!("{name}:{tag}"),
        None => match &i.holds {
            Holds::Image => short(i),
            Holds::Container(container) => format!("container {}", container.name),
            Holds::Volume(name) => format!("volume {name}"),
        },
    };
    let count = |list: &[String]| {
        let mut seen: HashMap<String, usize> = HashMap::new();
        list.iter().for_each(|l| *seen.entry(l.clone()).or_default() += 1);
        seen
    };
    let distinct = |list: Vec<String>, more: &dyn Fn(&Planned) -> String| -> Vec<String> {
        let seen = count(&list);
        let more = |(label, image)| match seen.get(&label) {
            Some(1) | None => label,
            _ => format!("{label} ({})", more(image)),
        };
        list.into_iter().zip(images).map(more).collect()
    };
    let labels = images.iter().map(of_tag).collect();
    let platform = |i: &Planned| {
        let [os, arch] = [&i.os, &i.architecture].map(|w| w.as_deref().unwrap_or("unknown"));
        format!("{os}/{arch}")
    };
    let labels = distinct(distinct(labels, &platform), &short);
    let seen = count(&labels);
    let numbered = labels.into_iter().enumerate().map(|(i, label)| match seen.get(&label) {
        Some(1) | None => label,
        _ => format!("{label} #{}", i + 1),
    });
    numbered.collect()
}
