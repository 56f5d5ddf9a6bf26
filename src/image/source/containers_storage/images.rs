//! The images of a driver.

use std::collections::{HashMap, HashSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    Driver, WHAT,
    json::{Image, Manifest},
};
use crate::{
    image::{
        manifest::{JSON, is_hex, parse, sha256},
        planned::Planned,
        source::{
            catalog::{Entry, on, path_of},
            disk::Disk,
            unpacked::{chain, is_folder},
        },
    },
    stop,
    surface::Flaw,
};

/// Where the configuration of an image is.
pub(super) struct Config {
    disk: usize,
    file: String,
    /// Hex of its digest.
    id: Option<String>,
}

impl Driver<'_, '_> {
    pub(super) fn images(&mut self) {
        let mut known: HashMap<String, (usize, Image)> = HashMap::new();
        let mut order = Vec::new();
        for disk in 0..self.catalog.disks.len() {
            for image in self.with_ids(disk, &format!("{}-images/images.json", self.name), |i: &Image| &i.id) {
                match known.get_mut(&image.id) {
                    // Of an image that two stores have, the names are those of both.
                    Some((_, first)) => {
                        first.names.get_or_insert_default().0.extend(image.names.unwrap_or_default().0);
                    }
                    None => {
                        order.push(image.id.clone());
                        known.insert(image.id.clone(), (disk, image));
                    }
                }
            }
        }
        for id in order {
            if self.catalog.is_full() || stop::requested() {
                return;
            }
            if let Some((disk, image)) = known.remove(&id) {
                self.image(disk, image);
            }
        }
    }

    fn image(&mut self, disk: usize, image: Image) {
        let place = format!("{}-images/{}", self.name, image.id);
        let manifests = sha256(&image.digest).map(str::to_owned).into_iter().collect();
        let mut tags = each_once(image.names.unwrap_or_default().0);
        if tags.is_empty() {
            tags = former(image.names_history.unwrap_or_default().0, &image.digest);
        }
        let layers = chain(Some(image.layer).filter(|id| !id.is_empty()), &mut |id| self.layer(id));
        let layers = layers.unwrap_or_else(|flaw| {
            self.catalog.broken(&on(disk, &place), flaw);
            Vec::new()
        });
        let planned = Planned { tags, manifests, layers, ..Planned::default() };
        let named = image.big_data_names.unwrap_or_default().0;
        match self.config(disk, &image.id, &named) {
            Ok(Some(config)) => self.catalog.add(config.entry(planned, None)),
            Ok(None) => self
                .catalog
                .left_out(&on(disk, &place), "a list of images for several platforms, which are listed themselves"),
            Err(flaw) => {
                self.catalog.flaw(&on(disk, &place), flaw);
                self.catalog.add_bare(planned);
            }
        }
    }

    /// Where the configuration of an image is; `None` of an index, which has none.
    pub(super) fn config(&mut self, disk: usize, id: &str, named: &[String]) -> Result<Option<Config>, Flaw> {
        let folder = format!("{}-images/{id}", self.name);
        let manifest = self.catalog.small(disk, &format!("{folder}/manifest"), JSON);
        let read = manifest.map(|bytes| parse::<Manifest>(&bytes, WHAT)).transpose();
        let manifest = read.map_err(|flaw| self.catalog.flaw(&on(disk, &format!("{folder}/manifest")), flaw));
        let manifest = manifest.ok().flatten().unwrap_or_default();
        let digest = match manifest {
            Manifest { config: Some(config), .. } => config.digest,
            Manifest { manifests: Some(_), .. } => return Ok(None),
            // The schema of 2015 had no configuration: the store keeps the one that it made from it.
            _ => format!("sha256:{id}"),
        };
        // Other algorithms are rare, and the name is what counts.
        if !named.is_empty() && !named.contains(&digest) {
            return Err(Flaw::malformed(WHAT, "an image has no configuration"));
        }
        let id = sha256(&digest).map(str::to_owned);
        Ok(Some(Config { disk, file: format!("{folder}/{}", file_of(&digest)), id }))
    }

    /// The configuration of an image of which only the id is known.
    pub(super) fn config_of(&mut self, id: &str) -> Option<Config> {
        if !is_folder(id) {
            return None;
        }
        let folder = format!("{}-images/{id}", self.name);
        // Where one cannot be looked into, the configuration is reported as one that cannot be read.
        let has = |disk: &Disk| disk.has_folder(folder.as_bytes()).unwrap_or(true);
        let disk = self.catalog.disks.iter().position(has)?;
        self.config(disk, id, &[]).ok().flatten()
    }
}

impl Config {
    pub(super) fn entry(self, planned: Planned, environment: Option<Vec<String>>) -> Entry {
        let Self { disk, file, id } = self;
        Entry { disk, place: path_of(&on(disk, &file)), file, id, environment, planned }
    }
}

/// The file of a thing with this name: names with other than lower case letters, digits and points are coded.
fn file_of(name: &str) -> String {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.');
    if plain { name.to_owned() } else { format!("={}", STANDARD.encode(name)) }
}

/// What an image without a name was called, with its digest: another image may have the name now.
fn former(names: Vec<String>, digest: &str) -> Vec<String> {
    let is_made_up = |repository: &str| {
        let last = repository.rsplit('/').next().unwrap_or(repository);
        last.strip_suffix("-tmp").is_some_and(is_hex)
    };
    if sha256(digest).is_none() {
        return Vec::new();
    }
    let mut former: Vec<String> = Vec::new();
    for name in names {
        let front = name.split('@').next().unwrap_or(&name);
        // A colon before the last slash is a port's.
        let tag = front.rfind(':').filter(|at| !front.get(*at..).is_some_and(|rest| rest.contains('/')));
        let repository = tag.and_then(|at| front.get(..at)).unwrap_or(front);
        let reference = format!("{repository}@{digest}");
        if !is_made_up(repository) {
            former.push(reference);
        }
    }
    each_once(former)
}

fn each_once(names: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    names.into_iter().filter(|name| seen.insert(name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        assert_eq!((file_of("manifest"), file_of("a-b")), ("manifest".to_owned(), "=YS1i".to_owned()));
        assert_eq!(file_of("sha256:00"), "=c2hhMjU2OjAw");
        assert_eq!(file_of("../../etc/passwd"), "=Li4vLi4vZXRjL3Bhc3N3ZA==");
    }

    /// Looking each up among all others would take minutes.
    #[test]
    fn many_names_are_each_there_once() {
        let names: Vec<String> = (0..200_000).map(|n| format!("registry.example/app{}:1", n / 2)).collect();
        assert_eq!(former(names.clone(), &format!("sha256:{}", "ab".repeat(32))).len(), 100_000);
        assert_eq!(each_once(names).len(), 100_000);
    }

    #[test]
    fn an_image_without_a_name_is_known_by_its_digest() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let made_up = format!("registry.example/library/{}-tmp:latest", "0a".repeat(32));
        let names = ["registry.example:5000/demo/app:1.0", "registry.example:5000/demo/app:2.0", &made_up, "app"];
        let names: Vec<String> = names.map(str::to_owned).to_vec();
        let known = [format!("registry.example:5000/demo/app@{digest}"), format!("app@{digest}")];
        assert_eq!(former(names.clone(), &digest), known);
        assert!(former(names, "md5:00").is_empty());
    }
}
