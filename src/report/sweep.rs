//! The picture of a sweep over images: which hold what, and what to build anew first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::v1::{Base, ImageUser, IncidentReport, MachineIncident, Report, Sweep, SweptImage};
use crate::verdict::{Confidence, Exposure};

/// Names of one base's images that are listed.
const SOME: usize = 20;
/// Bases that are listed.
const BASES: usize = 100;

/// What is known of an image before it is judged.
#[derive(Debug, Clone)]
pub struct Described {
    /// Its `exposure` and `incidents` are not known yet.
    pub image: SweptImage,
    /// Digests of its layers, from the lowest up.
    pub layers: Vec<Option<String>>,
}

/// Adds the picture to the report of these images.
pub fn add(
    report: &mut Report,
    mut images: Vec<Described>,
    layers: usize,
    bytes: u64,
    users: &dyn Fn(&SweptImage) -> Vec<ImageUser>,
) {
    let found = found(report);
    for Described { image, .. } in &mut images {
        image.incidents = found.get(image.tree.as_str()).cloned().unwrap_or_default();
        image.exposure = image.incidents.iter().map(|i| i.exposure).max();
        image.used_by.extend(users(image));
        image.used_by.sort();
        image.used_by.dedup();
    }
    let bases = bases(report, &images);
    images.sort_by(|a, b| weight(&a.image).cmp(&weight(&b.image)).then_with(|| a.image.tree.cmp(&b.image.tree)));
    let images = images.into_iter().map(|described| described.image).collect();
    report.sweep = Some(Sweep { images, bases, layers, bytes });
}

fn weight(image: &SweptImage) -> (std::cmp::Reverse<Option<Exposure>>, std::cmp::Reverse<usize>) {
    (std::cmp::Reverse(image.exposure), std::cmp::Reverse(image.incidents.len()))
}

/// By tree, the incidents that left evidence, worst first.
fn found(report: &Report) -> BTreeMap<&str, Vec<MachineIncident>> {
    let mut found: BTreeMap<&str, Vec<(&str, Exposure, Confidence)>> = BTreeMap::new();
    for incident in &report.incidents {
        for finding in &incident.findings {
            let here = found.entry(finding.location.tree.as_str()).or_default();
            here.push((&incident.id, finding.exposure, finding.confidence));
        }
    }
    found.into_iter().map(|(tree, findings)| (tree, of_findings(findings.into_iter()))).collect()
}

/// The incidents of these findings, worst first.
pub fn of_findings<'f>(findings: impl Iterator<Item = (&'f str, Exposure, Confidence)>) -> Vec<MachineIncident> {
    let mut list: Vec<MachineIncident> = Vec::new();
    for (id, exposure, confidence) in findings {
        match list.iter_mut().find(|i| i.id == id) {
            Some(known) => {
                known.findings += 1;
                if (exposure, confidence) > (known.exposure, known.confidence) {
                    (known.exposure, known.confidence) = (exposure, confidence);
                }
            }
            None => list.push(MachineIncident { id: id.to_owned(), exposure, confidence, findings: 1 }),
        }
    }
    list.sort_by(|a, b| (b.exposure, b.confidence).cmp(&(a.exposure, a.confidence)).then_with(|| a.id.cmp(&b.id)));
    list
}

/// The layers that bring findings, by the images that end with each.
fn bases(report: &Report, images: &[Described]) -> Vec<Base> {
    let brings: BTreeSet<&str> = brings(&report.incidents).into_keys().collect();
    let mut ends: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for Described { image, layers } in images.iter().filter(|d| d.image.kind == "image") {
        if let Some(Some(top)) = layers.last().filter(|top| top.as_deref().is_some_and(|top| brings.contains(top))) {
            ends.entry(top).or_default().push(image.tree.clone());
        }
    }
    cover(&report.incidents, &ends)
}

/// By layer, the images that it brings findings into.
fn brings(found: &[IncidentReport]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut brings: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for finding in found.iter().flat_map(|i| &i.findings) {
        if let Some(layer) = &finding.location.layer {
            brings.entry(layer).or_default().insert(&finding.location.tree);
        }
    }
    brings
}

/// The one first that brings findings into most images that no earlier one accounts for.
fn cover(found: &[IncidentReport], ends: &BTreeMap<&str, Vec<String>>) -> Vec<Base> {
    let mut brings = brings(found);
    let mut bases = Vec::new();
    while bases.len() < BASES {
        // Of two that help as many, the one that more images end with, then the first by digest.
        let rank = |(layer, images): &(&&str, &BTreeSet<&str>)| {
            (images.len(), ends.get(**layer).map_or(0, Vec::len), std::cmp::Reverse((**layer).to_owned()))
        };
        let Some((layer, covered)) = brings.iter().filter(|(_, images)| !images.is_empty()).max_by_key(rank) else {
            break;
        };
        let (layer, covered) = (*layer, covered.clone());
        bases.push(Base {
            layer: layer.to_owned(),
            names: ends.get(layer).cloned().unwrap_or_default().into_iter().take(SOME).collect(),
            images: covered.len(),
            some: covered.iter().take(SOME).map(|tree| (*tree).to_owned()).collect(),
        });
        brings.values_mut().for_each(|images| images.retain(|tree| !covered.contains(tree)));
    }
    bases
}

/// One picture of several: an image that several of them have is one, with all its names and users. `found` are the incidents of all.
pub fn united(sweeps: Vec<Sweep>, found: &[IncidentReport]) -> Option<Sweep> {
    let mut sweeps = sweeps.into_iter();
    let mut all = sweeps.next()?;
    let mut is_one = true;
    for sweep in sweeps {
        is_one = false;
        let known = all.images.iter().enumerate().filter_map(|(at, image)| Some((id_of(image)?.clone(), at)));
        let known: HashMap<String, usize> = known.collect();
        for image in sweep.images {
            match id_of(&image).and_then(|id| known.get(id)).and_then(|at| all.images.get_mut(*at)) {
                Some(known) => absorb(known, image),
                None => all.images.push(image),
            }
        }
        // What several read is counted with each: nobody knows here which of it is the same.
        all.layers = all.layers.saturating_add(sweep.layers);
        all.bytes = all.bytes.saturating_add(sweep.bytes);
        for base in sweep.bases {
            match all.bases.iter_mut().find(|known| known.layer == base.layer) {
                Some(known) => with_new(&mut known.names, base.names),
                None => all.bases.push(base),
            }
        }
    }
    if is_one {
        return Some(all);
    }
    let ends = all.bases.iter().map(|base| (base.layer.as_str(), base.names.clone())).collect();
    let bases = cover(found, &ends);
    all.bases = bases;
    all.images.sort_by(|a, b| weight(a).cmp(&weight(b)).then_with(|| a.tree.cmp(&b.tree)));
    Some(all)
}

/// By what an image is known wherever it is.
pub fn id_of(image: &SweptImage) -> Option<&String> {
    image.id.as_ref().filter(|_| image.kind == "image")
}

fn absorb(known: &mut SweptImage, other: SweptImage) {
    with_new(&mut known.digests, other.digests);
    with_new(&mut known.names, other.names);
    with_new(&mut known.found_in, other.found_in);
    with_new(&mut known.used_by, other.used_by);
    known.used_by.sort();
    known.complete |= other.complete;
    known.exposure = known.exposure.max(other.exposure);
    for incident in other.incidents {
        match known.incidents.iter_mut().find(|i| i.id == incident.id) {
            Some(one) if (incident.exposure, incident.confidence) > (one.exposure, one.confidence) => *one = incident,
            Some(_) => {}
            None => known.incidents.push(incident),
        }
    }
}

fn with_new<T: PartialEq>(known: &mut Vec<T>, other: Vec<T>) {
    for new in other {
        if !known.contains(&new) {
            known.push(new);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::report) fn described(tree: &str, layers: &[&str]) -> Described {
        Described {
            image: SweptImage {
                tree: tree.to_owned(),
                kind: "image".to_owned(),
                id: None,
                digests: Vec::new(),
                names: Vec::new(),
                found_in: Vec::new(),
                platform: None,
                created: None,
                layers: layers.len(),
                complete: true,
                exposure: None,
                incidents: Vec::new(),
                used_by: Vec::new(),
            },
            layers: layers.iter().map(|l| Some((*l).to_owned())).collect(),
        }
    }

    pub(in crate::report) fn user() -> ImageUser {
        let (kind, name) = ("pod".to_owned(), "shop/web-1/app".to_owned());
        ImageUser {
            kind,
            name,
            node: Some("n1".to_owned()),
            owner: Some("ReplicaSet web".to_owned()),
            running: Some(true),
        }
    }

    /// A report with findings of one incident at these layers of these trees.
    fn report(findings: &[(&str, &str)]) -> Report {
        let mut report = crate::report::tests::example();
        report.incidents.truncate(1);
        let one = report.incidents[0].findings[0].clone();
        let at = |(tree, layer): &(&str, &str)| {
            let mut finding = one.clone();
            (finding.location.tree, finding.location.layer) = ((*tree).to_owned(), Some((*layer).to_owned()));
            finding
        };
        report.incidents[0].findings = findings.iter().map(at).collect();
        report
    }

    #[test]
    fn the_base_that_helps_most_comes_first() {
        let images = [
            described("base", &["1", "2"]),
            described("a", &["1", "2", "3"]),
            described("b", &["1", "2", "4"]),
            described("c", &["1", "5"]),
            described("good", &["1"]),
        ];
        let mut report = report(&[("base", "2"), ("a", "2"), ("a", "3"), ("b", "2"), ("c", "5")]);
        add(&mut report, images.to_vec(), 5, 10, &|_| Vec::new());
        let sweep = report.sweep.unwrap();
        let bases: Vec<_> = sweep.bases.iter().map(|b| (b.layer.as_str(), b.names.join(" "), b.images)).collect();
        assert_eq!(bases, [("2", "base".to_owned(), 3), ("5", "c".to_owned(), 1)]);
        let order: Vec<&str> = sweep.images.iter().map(|i| i.tree.as_str()).collect();
        assert_eq!(order, ["a", "b", "base", "c", "good"]);
        assert_eq!(sweep.images[4].exposure, None);
    }
}
