//! One examined image: what describes it, its layers, and its facts with what became of them.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;

use super::{
    HISTORY, Job, Step,
    entries::Key,
    input::to_u64,
    layer::{GROUP, LayerScan, PASSWD},
    planned::Planned,
};
use crate::{
    accounts::Accounts,
    coverage::{Gap, GapKind, IMAGE},
    fact::{Credential, Fact, Origin, Seen, TreePath},
};

/// One image.
#[derive(Debug, Clone)]
pub struct Image {
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
    /// The build, from the first step on.
    pub steps: Vec<Step>,
    /// From the lowest up.
    pub layers: Vec<ImageLayer>,
    pub(super) key: Key,
}

/// A layer of an image.
#[derive(Debug, Clone)]
pub struct ImageLayer {
    /// `sha256:…`: the diff id where the configuration has it, else the digest of the blob.
    pub digest: Option<Arc<str>>,
    /// The step that made it, as a position in `Image::steps`; `None` where the history does not say it.
    pub step: Option<usize>,
    /// `None` where the input does not hold the layer.
    pub(super) scan: Option<Arc<LayerScan>>,
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

impl Image {
    /// The facts of every layer as they were read, lowest first: without image and layer, since images may share them.
    pub fn as_read(&self) -> impl Iterator<Item = &Seen> {
        self.layers.iter().flat_map(|layer| layer.scan.iter().flat_map(|scan| scan.facts.iter().map(|seen| &**seen)))
    }

    /// The facts of every layer, lowest first. Made as they are asked for: images that share layers share what was read.
    pub fn facts(&self) -> impl Iterator<Item = ImageFact> {
        self.layers.iter().enumerate().flat_map(move |(at, layer)| {
            let facts = layer.scan.iter().flat_map(|scan| &scan.facts);
            facts.filter_map(move |seen| self.fact(at, (**seen).clone()))
        })
    }

    /// Takes out those of the facts as they were read that are wanted, with the positions of their layers. What no other image holds
    /// any more is not copied, and what is not wanted of it is given up.
    pub fn take_facts(&mut self, wanted: &dyn Fn(&Seen) -> bool) -> Vec<(usize, Box<Seen>)> {
        let mut taken = Vec::new();
        for (at, layer) in self.layers.iter_mut().enumerate() {
            let Some(scan) = &mut layer.scan else {
                continue;
            };
            if let Some(own) = Arc::get_mut(scan) {
                let facts = std::mem::take(&mut own.facts);
                taken.extend(facts.into_iter().filter(|seen| wanted(seen)).map(|seen| (at, seen)));
            } else {
                taken.extend(scan.facts.iter().filter(|seen| wanted(seen)).map(|seen| (at, seen.clone())));
            }
        }
        taken
    }

    /// A fact as it was read of the layer at this position, with what became of its file.
    pub fn fact(&self, layer: usize, mut seen: Seen) -> Option<ImageFact> {
        self.relabel(&mut seen.origin, self.layers.get(layer)?);
        seen.at = seen.at.filter(|at| Some(at.time) != self.epoch);
        Some(ImageFact { gone_in: self.gone_in(layer, &seen.origin.path), layer, seen })
    }

    /// The install commands of the build with the numbers of their steps. Their place is the image's root, in the layer that the
    /// step made.
    pub fn history(&self) -> impl Iterator<Item = (usize, Seen)> {
        self.steps.iter().enumerate().flat_map(move |(at, step)| {
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
        let passwd = self.seen_file(PASSWD, |scan| scan.passwd.as_deref());
        let group = self.seen_file(GROUP, |scan| scan.group.as_deref());
        Accounts::new(passwd.unwrap_or_default(), []).with_groups(group.unwrap_or_default())
    }

    /// A file that is kept of each layer, from the topmost that has it, unless one above took it out.
    fn seen_file<'l>(&'l self, path: &[u8], kept: impl Fn(&'l LayerScan) -> Option<&'l [u8]>) -> Option<&'l [u8]> {
        let path = TreePath::new(path)?;
        let layers = self.layers.iter().enumerate().rev();
        let mut seen = layers.filter_map(|(at, layer)| Some((at, kept(layer.scan.as_deref()?)?)));
        seen.find(|(at, _)| self.gone_in(*at, &path).is_none()).map(|(_, text)| text)
    }

    /// What of this image's layers could not be examined.
    pub fn gaps(&self) -> impl Iterator<Item = Gap> {
        self.layers.iter().flat_map(move |layer| {
            let gaps = layer.scan.iter().flat_map(|scan| &scan.coverage.gaps);
            gaps.map(move |gap| {
                let mut gap = gap.clone();
                self.relabel(&mut gap.origin, layer);
                gap
            })
        })
    }

    /// Whether every layer is there and matches its digest.
    pub fn verified(&self) -> bool {
        self.layers.iter().all(|l| l.scan.as_ref().is_some_and(|s| s.verified))
    }

    /// Position of the first layer above `layer` through which its file at `path` cannot be seen.
    pub fn gone_in(&self, layer: usize, path: &TreePath) -> Option<usize> {
        let hides = |l: &ImageLayer| l.scan.as_ref().is_some_and(|s| s.names.hides(&self.key, path));
        let above = self.layers.get(layer + 1..).unwrap_or_default();
        above.iter().position(hides).map(|n| layer + 1 + n)
    }

    pub(super) fn relabel(&self, origin: &mut Origin, layer: &ImageLayer) {
        origin.tree.clone_from(&self.label);
        origin.layer.clone_from(&layer.digest);
    }

    /// Wanted symbolic links that lead into another layer are not followed; links to nothing are no gap. Takes from `look_ups`
    /// what it costs to find out.
    pub(super) fn links_elsewhere(&self, look_ups: &mut u64) -> Vec<Gap> {
        let mut gaps = Vec::new();
        let gap = |path: &TreePath, layer: &ImageLayer, kind, detail: &str| {
            let mut origin = Origin::file(&self.label, path.clone());
            origin.layer.clone_from(&layer.digest);
            Gap { origin, surface: IMAGE, kind, detail: detail.to_owned() }
        };
        for layer in &self.layers {
            for (path, target) in layer.scan.iter().flat_map(|s| &s.elsewhere) {
                let mut cost = to_u64(self.layers.len());
                let there = |l: &ImageLayer| l.scan.as_ref().is_some_and(|s| s.names.has_leaf(*target));
                if self.layers.iter().any(there) {
                    cost = cost.saturating_add(REPORT_COST);
                    gaps.push(gap(
                        path,
                        layer,
                        GapKind::Unsupported,
                        "it leads to a file of another layer, or is one that this layer names: not followed",
                    ));
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
        }
        gaps
    }
}

/// What it costs to report a link, in look-ups: so some thousands are reported.
const REPORT_COST: u64 = 1000;

impl ImageLayer {
    /// Names of members, whiteouts included; `None` where the layer was not there.
    pub fn entries(&self) -> Option<u64> {
        self.scan.as_ref().map(|s| s.coverage.files_seen)
    }

    /// How many paths of lower layers it removes.
    pub fn whiteouts(&self) -> u64 {
        self.scan.as_ref().map_or(0, |s| s.whiteouts)
    }
}

/// Joins what describes an image with what was read of its layers.
pub(super) fn assemble(
    job: &Job<'_>,
    planned: Planned,
    label: Arc<str>,
    scans: &HashMap<TreePath, Arc<LayerScan>>,
) -> Image {
    let prefixed = |hex: &String| format!("sha256:{hex}");
    let made: Vec<usize> = planned.steps.iter().enumerate().filter(|(_, s)| !s.empty).map(|(at, _)| at).collect();
    // Tools that squash or import write a history that fits no layer.
    let fits = made.len() == planned.layers.len();
    let layers = planned.layers.iter().enumerate().map(|(at, layer)| {
        let digest = layer.expected.diff_id.as_ref().or(layer.expected.blob.as_ref());
        ImageLayer {
            digest: digest.map(|d| prefixed(d).into()),
            step: made.get(at).copied().filter(|_| fits),
            scan: layer.member.as_ref().and_then(|(member, _)| scans.get(member).cloned()),
        }
    });
    Image {
        label,
        id: planned.id.as_ref().map(prefixed),
        manifests: planned.manifests.iter().map(prefixed).collect(),
        created: planned.created,
        epoch: planned.epoch,
        os: planned.os.clone(),
        architecture: planned.architecture.clone(),
        variables: planned.variables.clone(),
        secrets: planned.secrets.clone(),
        layers: layers.collect(),
        tags: planned.tags,
        steps: planned.steps,
        key: job.key.clone(),
    }
}

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
    let of_tag = |i: &Planned| match i.tags.first() {
        Some(tag) if tag.contains([':', '/', '@']) => familiar(tag).to_owned(),
        // An OCI annotation may hold the bare tag; the name of the layout says what it is a tag of.
        Some(tag) => format!("{name}:{tag}"),
        None => short(i),
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
