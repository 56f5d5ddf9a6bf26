//! Finds the stores of a machine without being asked: where engines keep images, by their defaults and by their settings.
//!
//! ```text
//! /var/lib/docker                     Docker; `data-root` of /etc/docker/daemon.json; rootless: ~/.local/share/docker
//! /var/lib/containers/storage         Podman, Buildah, CRI-O; `graphroot`, `imagestore` and `additionalimagestores` of storage.conf;
//!                                     `root` of crio.conf; rootless: ~/.local/share/containers/storage
//! /var/lib/containerd                 containerd; `root` of its config.toml; those of k3s, RKE2, k0s, MicroK8s; Docker's own
//! <volume>/_data/lib/containerd       a node of kind or minikube, and engines that run in containers
//! ~/Library/… , ~/.lima, AppData/…    disks of virtual machines: named, not read
//! ```
//!
//! Nothing is opened but folders and settings. Links are followed inside the root.
#![cfg_attr(not(test), expect(dead_code, reason = "until the driver opens stores on disk"))]

mod machines;
mod settings;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fs::File, io::Read as _, os::fd::OwnedFd};

use rustix::{
    fs::{self as sys, Mode, OFlags, ResolveFlags},
    io::Errno,
};

use self::settings::Storage;
use super::disk::{Disk, list};
use crate::{fact::TreePath, surface::Flaw};

/// Names of one folder that are looked at.
const NAMES: usize = 10_000;
/// Volumes of one machine that are looked into.
const VOLUMES: usize = 20_000;
/// Stores of one machine.
const STORES: usize = 1000;
/// Bytes of one file of settings.
const SETTINGS: u64 = 1 << 20;

/// Who writes a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::image) enum StoreKind {
    /// A data root of Docker Engine: `docker_store::open`.
    Docker,
    /// A graph root of Podman, Buildah or CRI-O: `containers_storage::open`.
    ContainersStorage,
    /// A root of containerd.
    Containerd,
    /// A file that is the disk of a virtual machine with an engine in it.
    MachineDisk,
}

/// A store that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::image) struct FoundStore {
    pub(in crate::image) kind: StoreKind,
    /// From the root, links not resolved.
    pub(in crate::image) path: TreePath,
    /// The account in whose home, or by whose settings, it was found; `None` for the machine's own.
    pub(in crate::image) owner: Option<u32>,
    /// Stores of images that it shares, from the root.
    pub(in crate::image) additional: Vec<TreePath>,
    /// What people should know of it: who made it, and of what is not read, how to reach it.
    pub(in crate::image) note: &'static str,
}

/// A home, and the number of the account that has it, where that is known.
pub(in crate::image) type Home = (TreePath, Option<u32>);

/// What was found.
#[derive(Debug, Default)]
pub(in crate::image) struct Found {
    /// Sorted, each once.
    pub(in crate::image) stores: Vec<FoundStore>,
    /// Settings and folders that could not be read.
    pub(in crate::image) flaws: Vec<(TreePath, Flaw)>,
}

/// Looks for the stores below a root, in its usual places and in these homes.
pub(in crate::image) fn find(root: &OwnedFd, homes: &[Home]) -> Found {
    let mut search = Search { root, found: Found::default(), known: BTreeSet::new() };
    let system = search.system();
    for home in homes {
        search.home(home, &system);
    }
    search.inside_volumes();
    search.found.stores.sort();
    search.found
}

/// Opens a folder below a root, following links inside it.
///
/// # Errors
/// As `openat2` gives them.
pub(in crate::image) fn open(root: &OwnedFd, path: &TreePath) -> Result<OwnedFd, Errno> {
    within(root, path, OFlags::RDONLY | OFlags::DIRECTORY)
}

struct Search<'r> {
    root: &'r OwnedFd,
    found: Found,
    /// Devices and inodes of the stores that were found.
    known: BTreeSet<(u64, u64)>,
}

impl Search<'_> {
    /// The machine's own. What its settings say of users' stores.
    fn system(&mut self) -> Storage {
        let mut dockers = vec!["var/lib/docker".to_owned(), "var/snap/docker/common/var-lib-docker".to_owned()];
        dockers.extend(self.docker_root("etc/docker/daemon.json", ""));
        for path in dockers {
            self.docker(&path, None, "Docker");
        }
        let mut storage = Storage::default();
        for path in ["usr/share/containers/storage.conf", "etc/containers/storage.conf"] {
            storage.extend(self.storage(path, "", None));
        }
        let mut roots = vec!["var/lib/containers/storage".to_owned(), "run/containers/storage".to_owned()];
        roots.append(&mut storage.graph_roots);
        let drop_ins = self.below("etc/crio/crio.conf.d", ".conf");
        for path in drop_ins.into_iter().chain(["etc/crio/crio.conf".to_owned()]) {
            roots.extend(self.settings(&path).and_then(|text| settings::crio_root(&text)));
        }
        for path in roots {
            self.containers(&path, None, &storage.additional);
        }
        for (path, note) in CONTAINERD {
            self.containerd(path, None, note);
        }
        let mut others = self.below("etc/containerd/conf.d", ".toml");
        others.push("etc/containerd/config.toml".to_owned());
        for path in others {
            if let Some(root) = self.settings(&path).and_then(|text| settings::containerd_root(&text)) {
                self.containerd(&root, None, "containerd");
            }
        }
        self.machines("", None, machines::SYSTEM);
        storage
    }

    fn home(&mut self, (home, owner): &Home, system: &Storage) {
        let text = String::from_utf8_lossy(home.as_bytes()).into_owned();
        let at = |rest: &str| format!("{text}/{rest}");
        let mut dockers = vec![at(".local/share/docker")];
        dockers.extend(self.docker_root(&at(".config/docker/daemon.json"), &text));
        for path in dockers {
            self.docker(&path, *owner, "Docker without root");
        }
        let mut storage = self.storage(&at(".config/containers/storage.conf"), &text, *owner);
        let mut roots = vec![at(".local/share/containers/storage")];
        roots.extend(owner.map(|uid| format!("run/user/{uid}/containers")));
        roots.append(&mut storage.graph_roots);
        roots.extend(system.users.iter().filter_map(|path| settings::expand(path, &text, *owner)));
        storage.additional.extend(system.additional.iter().cloned());
        for path in roots {
            self.containers(&path, *owner, &storage.additional);
        }
        for rest in [".local/share/containerd", ".rancher/k3s/agent/containerd"] {
            self.containerd(&at(rest), *owner, "containerd without root");
        }
        self.machines(&text, *owner, machines::HOME);
    }

    /// Engines in containers keep their stores in volumes: nodes of kind and minikube, Docker in Docker.
    fn inside_volumes(&mut self) {
        let outer: Vec<FoundStore> = self.found.stores.clone();
        let mut left = VOLUMES;
        for store in outer {
            if !matches!(store.kind, StoreKind::Docker | StoreKind::ContainersStorage) {
                continue;
            }
            let volumes = store.path.join(b"volumes");
            let names = self.names(&volumes);
            if names.len() > left {
                self.found
                    .flaws
                    .push((volumes.clone(), Flaw::malformed("store", "it has more volumes than are looked into")));
            }
            for name in names.into_iter().take(left) {
                left -= 1;
                let data = volumes.join(&name).join(b"_data");
                let Ok(data) = std::str::from_utf8(data.as_bytes()) else {
                    continue;
                };
                for path in [data.to_owned(), format!("{data}/docker"), format!("{data}/lib/docker")] {
                    self.docker(&path, store.owner, "Docker in a container");
                }
                for path in [data.to_owned(), format!("{data}/containerd"), format!("{data}/lib/containerd")] {
                    self.containerd(&path, store.owner, "containerd in a container, such as a node of kind");
                }
                for path in [data.to_owned(), format!("{data}/lib/containers/storage")] {
                    self.containers(&path, store.owner, &[]);
                }
            }
        }
    }

    fn docker(&mut self, path: &str, owner: Option<u32>, note: &'static str) {
        if let Some((path, disk)) = self.open(path) {
            let drivers = disk.has_folder(b"image");
            if drivers || disk.has_folder(b"containers") && disk.has_folder(b"volumes") {
                let own = path.join(b"containerd").join(b"daemon");
                self.add(FoundStore { kind: StoreKind::Docker, path, owner, additional: Vec::new(), note }, &disk);
                if let Ok(own) = std::str::from_utf8(own.as_bytes()) {
                    self.containerd(own, owner, "containerd of Docker");
                }
            }
        }
    }

    fn containers(&mut self, path: &str, owner: Option<u32>, additional: &[String]) {
        if let Some((path, disk)) = self.open(path)
            && disk.names(b"").is_ok_and(|(names, _)| names.iter().any(|name| name.ends_with(b"-images")))
        {
            let additional = additional.iter().filter_map(|other| self.open(other)).map(|(path, _)| path);
            let mut additional: Vec<TreePath> = additional.filter(|other| *other != path).collect();
            additional.sort();
            additional.dedup();
            let (kind, note) = (StoreKind::ContainersStorage, "Podman, Buildah or CRI-O");
            self.add(FoundStore { kind, path, owner, additional, note }, &disk);
        }
    }

    fn containerd(&mut self, path: &str, owner: Option<u32>, note: &'static str) {
        if let Some((path, disk)) = self.open(path)
            && (disk.has_folder(b"io.containerd.content.v1.content")
                || disk.has_folder(b"io.containerd.metadata.v1.bolt"))
        {
            self.add(FoundStore { kind: StoreKind::Containerd, path, owner, additional: Vec::new(), note }, &disk);
        }
    }

    /// Adds a store, unless it is known under another name.
    fn add(&mut self, store: FoundStore, disk: &Disk) {
        let Some(own) = disk.identity() else {
            return;
        };
        if self.found.stores.len() < STORES && self.known.insert(own) {
            self.found.stores.push(store);
        }
    }

    /// A folder of the machine, where it is there.
    fn open(&mut self, path: &str) -> Option<(TreePath, Disk)> {
        let path = TreePath::new(path.as_bytes()).filter(|path| !path.as_bytes().is_empty())?;
        match open(self.root, &path) {
            Ok(folder) => Some((path, Disk::new(folder))),
            Err(Errno::NOENT | Errno::NOTDIR) => None,
            Err(e) => {
                self.found.flaws.push((path, Flaw::Io(e.into())));
                None
            }
        }
    }

    /// Names of a folder that end so, with its path.
    fn below(&mut self, folder: &str, end: &str) -> Vec<String> {
        let path = TreePath::new(folder.as_bytes()).unwrap_or_else(TreePath::root);
        let names = self.names(&path).into_iter().filter_map(|name| String::from_utf8(name).ok());
        names.filter(|name| name.ends_with(end)).map(|name| format!("{folder}/{name}")).collect()
    }

    fn names(&self, folder: &TreePath) -> Vec<Vec<u8>> {
        let listed = open(self.root, folder).and_then(|folder| list(&folder, NAMES));
        listed.map_or_else(|_| Vec::new(), |(names, _)| names)
    }

    fn settings(&mut self, path: &str) -> Option<String> {
        let path = TreePath::new(path.as_bytes())?;
        match small(self.root, &path) {
            Ok(text) => Some(text),
            Err(Flaw::Io(e)) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(flaw) => {
                self.found.flaws.push((path, flaw));
                None
            }
        }
    }

    fn docker_root(&mut self, path: &str, home: &str) -> Option<String> {
        let text = self.settings(path)?;
        settings::docker_root(&text).and_then(|root| settings::expand(&root, home, None))
    }

    fn storage(&mut self, path: &str, home: &str, owner: Option<u32>) -> Storage {
        self.settings(path).map_or_else(Storage::default, |text| settings::storage(&text, home, owner))
    }

    fn machines(&mut self, home: &str, owner: Option<u32>, places: &[(&str, &'static str)]) {
        for (pattern, note) in places {
            let start = TreePath::new(home.as_bytes()).unwrap_or_else(TreePath::root);
            for path in machines::matching(start, pattern, &|folder| self.names(folder)) {
                let is_file = within(self.root, &path, OFlags::PATH).and_then(|file| sys::fstat(&file));
                let Ok(stat) = is_file else {
                    continue;
                };
                let kind = StoreKind::MachineDisk;
                let is_file = sys::FileType::from_raw_mode(stat.st_mode) == sys::FileType::RegularFile;
                if is_file && self.found.stores.len() < STORES && self.known.insert((stat.st_dev, stat.st_ino)) {
                    self.found.stores.push(FoundStore { kind, path, owner, additional: Vec::new(), note });
                }
            }
        }
    }
}

/// Roots of containerd, and whose they are.
const CONTAINERD: &[(&str, &str)] = &[
    ("var/lib/containerd", "containerd"),
    ("var/lib/rancher/k3s/agent/containerd", "containerd of k3s"),
    ("var/lib/rancher/rke2/agent/containerd", "containerd of RKE2"),
    ("var/lib/k0s/containerd", "containerd of k0s"),
    ("var/snap/microk8s/common/var/lib/containerd", "containerd of MicroK8s"),
];

/// Opens what a path leads to inside the root; links are followed, as the machine itself would.
fn within(root: &OwnedFd, path: &TreePath, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let flags = flags | OFlags::CLOEXEC;
    let raw = if path.as_bytes().is_empty() { b".".as_slice() } else { path.as_bytes() };
    match sys::openat2(root, raw, flags, Mode::empty(), resolve) {
        // Before Linux 5.6 nothing keeps a link inside the root: none is followed.
        Err(Errno::NOSYS) => super::disk::without_links(root, raw, flags),
        opened => opened,
    }
}

/// The text of a file of settings.
fn small(root: &OwnedFd, path: &TreePath) -> Result<String, Flaw> {
    let held = within(root, path, OFlags::PATH).map_err(std::io::Error::from)?;
    let file: File = super::disk::reopened(&held).map_err(std::io::Error::from)?;
    if file.metadata()?.len() > SETTINGS {
        return Err(Flaw::TooLarge(SETTINGS));
    }
    let mut bytes = Vec::new();
    file.take(SETTINGS).read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| Flaw::malformed("settings of an engine", "not UTF-8"))
}
