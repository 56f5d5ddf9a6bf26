//! What is known of the images of a sweep beside their findings, and who uses them.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use indicatif::HumanBytes;

use crate::{
    coverage::Coverage,
    image::{
        Holds, Image, Sweep,
        listing::{ImageId, ImageUse, User},
        target::Remote,
    },
    report::{
        sweep::{self, Described},
        v1::{ImageUser, Report, SweptImage},
    },
};

/// What a sweep would take, in lines.
pub fn plan(sweep: &Sweep<'_>) -> Vec<String> {
    let (layers, bytes) = sweep.size();
    let amount = |bytes: u64| HumanBytes(bytes).to_string();
    let counted = |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    let images = match sweep.is_images_alone() {
        true => counted(sweep.count(), "image"),
        false => format!("{} images, containers and volumes", sweep.count()),
    };
    let layers = counted(layers, "different layer");
    let mut lines = vec![format!("{images}, {layers}, {} ({bytes} bytes)", amount(bytes))];
    let part = |(name, images, layers, bytes): (Arc<str>, usize, usize, u64)| {
        let images = if images == 0 { "no further image".to_owned() } else { format!("{images} of them") };
        format!("  {name}: {images}, {} to read, {}", counted(layers, "layer"), amount(bytes))
    };
    lines.extend(sweep.parts().into_iter().map(part));
    if sweep.gaps() > 0 {
        lines.push(format!(
            "{} problems with manifests and lists: without `--plan` the report lists them",
            sweep.gaps()
        ));
    }
    lines
}

/// Images as they are joined.
#[derive(Default)]
pub struct Picture {
    images: Vec<Described>,
    /// By the id of the image, the containers made of it, each with its own id.
    containers: HashMap<String, Vec<(String, ImageUser)>>,
}

impl Picture {
    /// The one that was taken last.
    pub fn last(&self) -> Option<&SweptImage> {
        self.images.last().map(|described| &described.image)
    }

    /// Takes one.
    pub fn add(&mut self, image: &Image<'_>) {
        if let (Some(container), Some(id)) = (image.container(), &image.id) {
            let user = ImageUser {
                kind: "container".to_owned(),
                name: container.name.clone(),
                node: None,
                owner: None,
                running: container.running,
            };
            self.containers.entry(id.clone()).or_default().push((container.id.clone(), user));
        }
        let kind = match image.holds {
            Holds::Image => "image",
            Holds::Container(_) => "container",
            Holds::Volume(_) => "volume",
        };
        let platform = image.os.as_ref().zip(image.architecture.as_ref()).map(|(os, arch)| format!("{os}/{arch}"));
        let swept = SweptImage {
            tree: image.label.to_string(),
            kind: kind.to_owned(),
            id: image.id.clone(),
            digests: image.manifests.clone(),
            names: image.tags.clone(),
            found_in: image.found_in.iter().map(ToString::to_string).collect(),
            platform,
            created: image.created,
            layers: image.layers.len(),
            complete: image.is_whole(),
            exposure: None,
            incidents: Vec::new(),
            used_by: Vec::new(),
        };
        let layers = image.layers.iter().map(|layer| layer.digest.as_deref().map(str::to_owned)).collect();
        self.images.push(Described { image: swept, layers });
    }

    /// Adds names that somebody else knows an image by, whose id or digest this is.
    pub fn name(&mut self, id: &str, names: &[String]) {
        let is_it = |image: &SweptImage| image.id.as_deref() == Some(id) || image.digests.iter().any(|d| d == id);
        for image in self.images.iter_mut().map(|d| &mut d.image).filter(|i| i.kind == "image" && is_it(i)) {
            let new: Vec<String> = names.iter().filter(|name| !image.names.contains(name)).cloned().collect();
            image.names.extend(new);
        }
    }

    /// What could not be examined of images is known once all are.
    pub fn note(&mut self, coverage: &Coverage) {
        let open: HashSet<&str> = coverage.gaps.iter().map(|g| &*g.origin.tree).collect();
        self.images.iter_mut().for_each(|d| d.image.complete &= !open.contains(d.image.tree.as_str()));
    }

    /// Puts the picture into the report.
    pub fn put(self, report: &mut Report, (layers, bytes): (usize, u64), uses: &[ImageUse]) {
        let remotes: Vec<Option<Remote>> = uses.iter().map(|u| Remote::complete(&u.image)).collect();
        let containers = RefCell::new(self.containers);
        let users = |image: &SweptImage| {
            if image.kind != "image" {
                return Vec::new();
            }
            let names: Vec<Remote> = image.names.iter().filter_map(|name| Remote::complete(name)).collect();
            let used = uses.iter().zip(&remotes).filter(|(u, remote)| is_used(image, &names, u, remote.as_ref()));
            let used: Vec<&ImageUse> = used.map(|(u, _)| u).collect();
            let on_disk = image.id.as_ref().and_then(|id| containers.borrow_mut().remove(id)).unwrap_or_default();
            // Of a container that a running engine knows too, that one knows better whether it runs.
            let known: HashSet<&str> = used.iter().filter_map(|u| container_id(u)).collect();
            let on_disk = on_disk.into_iter().filter(|(id, _)| !known.contains(id.as_str())).map(|(_, user)| user);
            on_disk.chain(used.iter().map(|u| user(u))).collect()
        };
        sweep::add(report, self.images, layers, bytes, &users);
    }
}

/// Whether a list says that this image is used. What runs is known by its digest; a name alone may mean another image by now.
fn is_used(image: &SweptImage, names: &[Remote], used: &ImageUse, remote: Option<&Remote>) -> bool {
    match &used.image_id {
        Some(ImageId::Manifest { digest, .. }) => image.digests.contains(digest),
        Some(ImageId::Config(digest)) => image.id.as_ref() == Some(digest) || image.digests.contains(digest),
        None => remote.is_some_and(|remote| match &remote.digest {
            Some(digest) => image.digests.contains(digest),
            None => names.contains(remote),
        }),
    }
}

fn container_id(used: &ImageUse) -> Option<&str> {
    match &used.user {
        User::Container(container) => Some(&container.id),
        User::Pod(container) => container.id.as_deref(),
        User::Service { .. } | User::Value(_) => None,
    }
}

fn user(used: &ImageUse) -> ImageUser {
    match &used.user {
        User::Pod(c) => {
            let parts = [c.namespace.as_deref(), c.pod.as_deref(), Some(c.container.as_str())];
            ImageUser {
                kind: if c.pod.is_some() { "pod" } else { "template" }.to_owned(),
                name: parts.into_iter().flatten().collect::<Vec<_>>().join("/"),
                node: c.node.clone(),
                owner: c.owner.as_ref().map(|o| format!("{} {}", o.kind, o.name)),
                running: c.running,
            }
        }
        User::Container(c) => {
            let name = c.name.clone();
            ImageUser { kind: "container".to_owned(), name, node: None, owner: None, running: Some(c.running) }
        }
        User::Service { project, service, .. } => {
            let name = project.iter().chain([service]).cloned().collect::<Vec<_>>().join("/");
            ImageUser { kind: "service".to_owned(), name, node: None, owner: None, running: None }
        }
        User::Value(name) => {
            ImageUser { kind: "value".to_owned(), name: name.clone(), node: None, owner: None, running: None }
        }
    }
}
