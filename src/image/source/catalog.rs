//! What the files of a store say about its images, containers and volumes, gathered for a plan.

use std::collections::HashMap;

use rustix::io::Errno;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    disk::{self, Disk, Mounts},
    flaws::{Flaws, leave_out, note, place},
    unpacked::{Broken, Keeps, Steps, Unpacked, is_folder, volume},
};
use crate::{
    fact::TreePath,
    image::{
        layer::Expected,
        manifest::JSON,
        plan::{Readers, plan_configured},
        planned::{Configured, Holds, Plan, Planned, PlannedLayer},
    },
    surface::Flaw,
    text::hex,
};

/// Images, containers and volumes of one store.
const ENTRIES: usize = 50_000;
/// Their layers, each counted for every image that has it.
const LAYERS: usize = 1_000_000;
/// Bytes of all configurations of one store.
const JSON_TOTAL: usize = 256 << 20;
const WHAT: &str = "image store";

/// What is known of a store.
pub(super) struct Catalog<'s> {
    pub(super) disks: &'s [Disk],
    pub(super) layers: HashMap<TreePath, Unpacked>,
    images: Vec<Entry>,
    /// What no configuration describes.
    bare: Vec<Planned>,
    budget: Budget,
    flaws: Flaws,
    left_out: Vec<(TreePath, &'static str)>,
}

/// What is left of the images and layers that are examined of one store.
pub(super) struct Budget {
    entries: usize,
    layers: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { entries: ENTRIES, layers: LAYERS }
    }
}

impl Budget {
    #[cfg(test)]
    pub(super) fn new(entries: usize, layers: usize) -> Self {
        Self { entries, layers }
    }

    /// Whether nothing more is examined.
    pub(super) fn is_used_up(&self) -> bool {
        self.entries == 0
    }

    /// Takes so many layers. `false` where they are more than are left: nothing is examined then.
    pub(super) fn take_layers(&mut self, layers: usize) -> bool {
        match self.layers.checked_sub(layers).filter(|_| !self.is_used_up()) {
            Some(left) => self.layers = left,
            None => self.entries = 0,
        }
        !self.is_used_up()
    }

    /// Takes an image with so many layers, where it fits.
    pub(super) fn take(&mut self, layers: usize) -> bool {
        if self.take_layers(layers) {
            self.entries -= 1;
        }
        !self.is_used_up()
    }
}

/// An image, or a container on one, whose configuration is read later.
pub(super) struct Entry {
    /// Which of the disks has the configuration, and where.
    pub(super) disk: usize,
    pub(super) file: String,
    /// As it is reported.
    pub(super) place: TreePath,
    /// Hex of the configuration's SHA-256.
    pub(super) id: Option<String>,
    /// `NAME=value` of a container, in place of those of its image.
    pub(super) environment: Option<Vec<String>>,
    pub(super) planned: Planned,
}

impl<'s> Catalog<'s> {
    pub(super) fn new(disks: &'s [Disk]) -> Self {
        Self {
            disks,
            layers: HashMap::new(),
            images: Vec::new(),
            bare: Vec::new(),
            budget: Budget::default(),
            flaws: Vec::new(),
            left_out: Vec::new(),
        }
    }

    pub(super) fn flaw(&mut self, path: &str, flaw: Flaw) {
        note(&mut self.flaws, path.as_bytes(), flaw);
    }

    /// The same, whatever the path is.
    pub(super) fn flaw_at(&mut self, path: &[u8], flaw: Flaw) {
        note(&mut self.flaws, path, flaw);
    }

    pub(super) fn left_out(&mut self, path: &str, why: &'static str) {
        leave_out(&mut self.left_out, path.as_bytes(), why);
    }

    pub(super) fn add(&mut self, entry: Entry) {
        if self.fits(&entry.planned) {
            self.images.push(entry);
        }
    }

    /// Adds what no configuration describes.
    pub(super) fn add_bare(&mut self, planned: Planned) {
        if self.fits(&planned) {
            self.bare.push(planned);
        }
    }

    /// Whether nothing more is added.
    pub(super) fn is_full(&self) -> bool {
        self.budget.is_used_up()
    }

    /// Says that layers cannot be followed to the lowest. Those that were followed count.
    pub(super) fn broken(&mut self, path: &str, Broken { flaw, followed }: Broken) {
        self.flaw(path, flaw);
        if !self.is_full() && !self.budget.take_layers(followed) {
            self.full();
        }
    }

    fn fits(&mut self, planned: &Planned) -> bool {
        if self.is_full() {
            return false;
        }
        let fits = self.budget.take(planned.layers.len());
        if !fits {
            self.full();
        }
        fits
    }

    fn full(&mut self) {
        self.flaws.push((TreePath::root(), Flaw::malformed(WHAT, "it lists more images than are examined")));
    }

    /// The whole of a file; problems with it are reported.
    pub(super) fn small(&mut self, disk: usize, path: &str, most: u64) -> Option<Vec<u8>> {
        match self.disks.get(disk)?.small(path.as_bytes(), most) {
            Ok(bytes) => bytes,
            Err(flaw) => {
                self.flaw(&on(disk, path), flaw);
                None
            }
        }
    }

    /// Names in a folder; problems with it are reported.
    pub(super) fn names(&mut self, disk: usize, path: &str) -> Vec<Vec<u8>> {
        let Some(listed) = self.disks.get(disk).map(|disk| disk.names(path.as_bytes())) else {
            return Vec::new();
        };
        match listed {
            Ok((names, more)) => {
                if more {
                    self.flaw(&on(disk, path), Flaw::malformed(WHAT, "it has more than are examined"));
                }
                names
            }
            Err(flaw) => {
                self.flaw(&on(disk, path), flaw);
                Vec::new()
            }
        }
    }

    /// Names in a folder that engines give to folders. Others are reported: whatever has them is not examined.
    pub(super) fn ids(&mut self, disk: usize, path: &str) -> Vec<String> {
        let (mut ids, names) = (Vec::new(), self.names(disk, path));
        for name in names {
            match String::from_utf8(name) {
                Ok(id) if is_folder(&id) => ids.push(id),
                Ok(odd) => self.odd(disk, &[path.as_bytes(), b"/", odd.as_bytes()].concat()),
                Err(odd) => self.odd(disk, &[path.as_bytes(), b"/", odd.as_bytes()].concat()),
            }
        }
        ids
    }

    /// Reports what has a name that no engine gives.
    pub(super) fn odd(&mut self, disk: usize, path: &[u8]) {
        let path = [on(disk, "").as_bytes(), path].concat();
        note(&mut self.flaws, &path, Flaw::malformed(WHAT, "a name that no engine gives: it was not examined"));
    }

    /// The volumes of a folder `volumes`, each with its files in `_data`. What a volume mounts is not entered: it may be the disk of
    /// a machine that does not answer.
    pub(super) fn volumes(&mut self, disk: usize) {
        let names = self.names(disk, "volumes");
        let Some(top) = self.disks.get(disk).and_then(|disk| disk.folder(b"volumes", Mounts::Enter).ok()) else {
            return;
        };
        for name in names {
            if self.is_full() {
                break;
            }
            let folder = [b"volumes/", name.as_slice(), b"/_data"].concat();
            let Some(member) = TreePath::new(&folder) else {
                continue;
            };
            match disk::folder(&top, &[name.as_slice(), b"/_data"].concat(), Mounts::Refuse) {
                Ok(_) => {}
                Err(Errno::XDEV) => {
                    let why = "a volume that mounts another file system: it is examined where that one is";
                    leave_out(&mut self.left_out, &folder, why);
                    continue;
                }
                Err(Errno::NOENT | Errno::NOTDIR) => continue,
                Err(e) => {
                    note(&mut self.flaws, &folder, Flaw::Io(e.into()));
                    continue;
                }
            }
            let layer =
                PlannedLayer { member: Some((member.clone(), 0)), expected: Expected::default(), unpacked: true };
            self.add_bare(Planned { layers: vec![layer], holds: volume(&name), ..Planned::default() });
            let unpacked = Unpacked { disk, folder, keeps: Keeps::Files, parent: None, split: None };
            self.layers.insert(member, unpacked);
        }
    }

    /// The plan. `intermediate` is where images that are nothing but others' first steps are kept: those are left out.
    pub(super) fn plan(self, readers: Readers<'_>, intermediate: &str) -> (Plan, HashMap<TreePath, Unpacked>) {
        let Self { disks, layers, images, mut bare, mut flaws, mut left_out, .. } = self;
        let mut left = JSON_TOTAL;
        let mut config = |entry: &Entry| {
            let read = disks.get(entry.disk).map(|disk| disk.small(entry.file.as_bytes(), JSON));
            match read {
                Some(Ok(Some(config))) => match left.checked_sub(config.len()) {
                    Some(less) => {
                        left = less;
                        Ok(config)
                    }
                    None => Err(Flaw::malformed(WHAT, "its images have more bytes of JSON than are read")),
                },
                Some(Err(flaw)) => Err(flaw),
                Some(Ok(None)) | None => Err(Flaw::malformed(WHAT, "a configuration is missing")),
            }
        };
        let mut steps = Steps::default();
        let images = images.into_iter().filter_map(|entry| match config(&entry) {
            Ok(config) => Some((steps.add(&config), config, entry)),
            Err(flaw) => {
                note(&mut flaws, entry.place.as_bytes(), flaw);
                // Its layers are there all the same.
                bare.push(entry.planned);
                None
            }
        });
        let images: Vec<_> = images.collect();
        let is_kept = |own: Option<u64>, entry: &Entry| {
            let named = !entry.planned.tags.is_empty() || entry.planned.holds != Holds::Image;
            named || !steps.goes_on(own)
        };
        let (kept, steps_of_others): (Vec<_>, Vec<_>) =
            images.into_iter().partition(|(own, _, entry)| is_kept(*own, entry));
        if !steps_of_others.is_empty() {
            let why = "images that are the first steps of others: their layers and steps are examined there";
            left_out.push((path_of(intermediate), why));
        }
        let mut ids = HashMap::new();
        let configured = kept.into_iter().map(|(_, config, entry)| {
            let Entry { place, id, environment, planned: image, .. } = entry;
            if let (Some(environment), Holds::Container(container)) = (environment, &image.holds)
                && let Some(own) = with_environment(&config, environment)
            {
                ids.insert(container.id.clone(), hex(&Sha256::digest(&config)));
                return Configured { place, config: own, id: None, image };
            }
            Configured { place, config, id, image }
        });
        let mut plan = plan_configured(readers, configured);
        for image in &mut plan.images {
            if let Holds::Container(container) = &image.holds
                && let Some(id) = ids.remove(&container.id)
            {
                image.id = Some(id);
            }
        }
        plan.is_image = true;
        plan.within_others = steps_of_others.into_iter().filter_map(|(_, _, entry)| entry.id).collect();
        plan.images.extend(bare);
        plan.flaws.append(&mut flaws);
        plan.left_out.append(&mut left_out);
        (plan, layers)
    }
}

/// The configuration of an image with the environment of a container: what was given to it when it was made is in there.
fn with_environment(config: &[u8], environment: Vec<String>) -> Option<Vec<u8>> {
    let mut config: Value = serde_json::from_slice(config).ok()?;
    let run = config.as_object_mut()?.entry("config").or_insert(Value::Null);
    if !run.is_object() {
        *run = Value::Object(Map::new());
    }
    run.as_object_mut()?.insert("Env".to_owned(), environment.into());
    serde_json::to_vec(&config).ok()
}

/// A path of one of the disks, as it is reported.
pub(super) fn on(disk: usize, path: &str) -> String {
    if disk == 0 { path.to_owned() } else { format!("additional-{disk}/{path}") }
}

/// A path of the store.
pub(super) fn path_of(text: &str) -> TreePath {
    place(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(layers: usize) -> Planned {
        let layers = (0..layers).map(|_| PlannedLayer::default()).collect();
        Planned { layers, ..Planned::default() }
    }

    #[test]
    fn what_is_more_than_fits_is_reported_once() {
        let mut catalog = Catalog { budget: Budget { layers: 5, ..Budget::default() }, ..Catalog::new(&[]) };
        [3, 3, 1, 1].into_iter().for_each(|layers| catalog.add_bare(of(layers)));
        assert_eq!((catalog.bare.len(), catalog.flaws.len(), catalog.is_full()), (1, 1, true));
        let mut catalog = Catalog { budget: Budget { entries: 3, ..Budget::default() }, ..Catalog::new(&[]) };
        (0..9).for_each(|_| catalog.add_bare(of(0)));
        assert_eq!((catalog.bare.len(), catalog.flaws.len()), (2, 1));
        // What leads nowhere costs too.
        let mut catalog = Catalog::new(&[]);
        let broken = || Broken { flaw: Flaw::Truncated("layer"), followed: LAYERS / 2 };
        (0..3).for_each(|_| catalog.broken("x", broken()));
        assert!(catalog.is_full());
    }

    #[test]
    fn the_environment_of_a_container_takes_the_place_of_its_images() {
        let with = |config: &str| {
            let config = with_environment(config.as_bytes(), vec!["A=1".to_owned()])?;
            String::from_utf8(config).ok()
        };
        assert_eq!(
            with(r#"{"config":{"Env":["B=2"],"User":"x"}}"#).unwrap(),
            r#"{"config":{"Env":["A=1"],"User":"x"}}"#
        );
        assert_eq!(with(r#"{"config":null}"#).unwrap(), r#"{"config":{"Env":["A=1"]}}"#);
        assert_eq!(with("{}").unwrap(), r#"{"config":{"Env":["A=1"]}}"#);
        assert!(with("[]").is_none() && with("{").is_none());
    }
}
