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

mod machines;
mod settings;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, os::fd::OwnedFd};

use rustix::{
    fs::{self as sys, Mode, OFlags, ResolveFlags},
    io::Errno,
};

use self::settings::{Account, Storage};
use super::{
    disk::{self, Disk, Mounts, again_after_a_race, list, unless_refused},
    docker_store,
    flaws::{Flaws, note, place},
};
use crate::{fact::TreePath, stop, surface::Flaw};

/// Names of one folder that are looked at.
const NAMES: usize = 10_000;
/// Volumes of one machine that are looked into.
const VOLUMES: usize = 20_000;
/// Stores of one machine, and disks of virtual machines.
const STORES: usize = 1000;

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
    pub(in crate::image) flaws: Flaws,
}

/// Looks for the stores below a root, in its usual places and in these homes.
pub(in crate::image) fn find(root: &OwnedFd, homes: &[Home]) -> Found {
    let mut search =
        Search { root, found: Found::default(), known: BTreeSet::new(), disks: BTreeSet::new(), full: false };
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
    /// The same of the disks of virtual machines.
    disks: BTreeSet<(u64, u64)>,
    /// There were more stores than are kept.
    full: bool,
}

impl Search<'_> {
    /// The machine's own. What its settings say of users' stores.
    fn system(&mut self) -> Storage {
        let mut dockers = vec![place(b"var/lib/docker"), place(b"var/snap/docker/common/var-lib-docker")];
        dockers.extend(self.docker_root(&place(b"etc/docker/daemon.json"), &Account::default()));
        for path in dockers {
            self.docker(path, None, "Docker");
        }
        let mut storage = Storage::default();
        for path in ["usr/share/containers/storage.conf", "etc/containers/storage.conf"] {
            storage.extend(self.storage(&place(path.as_bytes()), &Account::default()));
        }
        let mut roots = vec![place(b"var/lib/containers/storage"), place(b"run/containers/storage")];
        roots.extend(storage.graph_roots.drain(..).filter_map(|path| TreePath::new(path.as_bytes())));
        let mut settings = self.below("etc/crio/crio.conf.d", b".conf");
        settings.push(place(b"etc/crio/crio.conf"));
        for path in settings {
            roots.extend(
                self.said(&path, settings::crio_root).flatten().and_then(|root| TreePath::new(root.as_bytes())),
            );
        }
        for path in roots {
            self.containers(path, None, &storage.additional);
        }
        for (path, note) in CONTAINERD {
            self.containerd(place(path.as_bytes()), None, note);
        }
        let mut others = self.below("etc/containerd/conf.d", b".toml");
        others.push(place(b"etc/containerd/config.toml"));
        for path in others {
            let root = self.said(&path, settings::containerd_root).flatten();
            if let Some(root) = root.and_then(|root| TreePath::new(root.as_bytes())) {
                self.containerd(root, None, "containerd");
            }
        }
        self.machines(&TreePath::root(), None, machines::SYSTEM);
        storage
    }

    fn home(&mut self, (home, owner): &Home, system: &Storage) {
        let account = Account { home: std::str::from_utf8(home.as_bytes()).ok(), uid: *owner };
        let mut shared = system.additional.clone();
        let mut roots: Vec<_> =
            owner.iter().map(|uid| place(format!("run/user/{uid}/containers").as_bytes())).collect();
        let users = system.users.iter().filter_map(|path| settings::expand(path, &account));
        roots.extend(users.filter_map(|path| TreePath::new(path.as_bytes())));
        if self.is_closed(home) {
            for path in roots {
                self.containers(path, *owner, &shared);
            }
            return;
        }
        let mut dockers = vec![home.join(b".local/share/docker")];
        dockers.extend(self.docker_root(&home.join(b".config/docker/daemon.json"), &account));
        for path in dockers {
            self.docker(path, *owner, "Docker without root");
        }
        let storage = self.storage(&home.join(b".config/containers/storage.conf"), &account);
        roots.push(home.join(b".local/share/containers/storage"));
        roots.extend(storage.graph_roots.iter().filter_map(|path| TreePath::new(path.as_bytes())));
        shared.extend(storage.additional);
        for path in roots {
            self.containers(path, *owner, &shared);
        }
        for rest in [".local/share/containerd", ".rancher/k3s/agent/containerd"] {
            self.containerd(home.join(rest.as_bytes()), *owner, "containerd without root");
        }
        self.machines(home, *owner, machines::HOME);
    }

    /// Whether nothing in a home can be looked up, which is reported once.
    fn is_closed(&mut self, home: &TreePath) -> bool {
        match within(self.root, &home.join(b".local"), OFlags::PATH) {
            Err(e @ (Errno::ACCESS | Errno::PERM)) => {
                self.flaw(home, Flaw::Io(e.into()));
                true
            }
            _ => false,
        }
    }

    /// Engines in containers keep their stores in volumes: nodes of kind and minikube, Docker in Docker. What a volume mounts is not
    /// entered: it may be the disk of a machine that does not answer.
    fn inside_volumes(&mut self) {
        const DOCKER: &[&[u8]] = &[b"", b"docker", b"lib/docker"];
        const CONTAINERD: &[&[u8]] = &[b"", b"containerd", b"lib/containerd"];
        const CONTAINERS: &[&[u8]] = &[b"", b"lib/containers/storage"];
        let outer: Vec<FoundStore> = self.found.stores.clone();
        let mut left = VOLUMES;
        for store in outer {
            if !matches!(store.kind, StoreKind::Docker | StoreKind::ContainersStorage) {
                continue;
            }
            let volumes = store.path.join(b"volumes");
            let names = self.names(&volumes);
            let Ok(top) = open(self.root, &volumes) else {
                continue;
            };
            if names.len() > left {
                self.flaw(&volumes, Flaw::malformed("store", "it has more volumes than are looked into"));
            }
            for name in names.into_iter().take(left) {
                if stop::requested() {
                    return;
                }
                left -= 1;
                let data = volumes.join(&name).join(b"_data");
                let inner = match disk::folder(&top, &[name.as_slice(), b"/_data"].concat(), Mounts::Refuse) {
                    Ok(inner) => inner,
                    Err(Errno::NOENT | Errno::NOTDIR | Errno::XDEV) => continue,
                    Err(e) => {
                        self.flaw(&data, Flaw::Io(e.into()));
                        continue;
                    }
                };
                let mut each = |rests: &[&[u8]], take: &mut dyn FnMut(&mut Self, TreePath, Disk)| {
                    for rest in rests {
                        if let Ok(folder) = disk::folder(&inner, rest, Mounts::Refuse) {
                            let path = if rest.is_empty() { data.clone() } else { data.join(rest) };
                            take(self, path, Disk::new(folder));
                        }
                    }
                };
                let owner = store.owner;
                each(DOCKER, &mut |search, path, disk| search.docker_in(path, &disk, owner, "Docker in a container"));
                each(CONTAINERD, &mut |search, path, disk| {
                    search.containerd_in(path, &disk, owner, "containerd in a container, such as a node of kind");
                });
                each(CONTAINERS, &mut |search, path, disk| search.containers_in(path, &disk, owner, &[]));
            }
        }
    }

    fn docker(&mut self, path: TreePath, owner: Option<u32>, note: &'static str) {
        if let Some(disk) = self.open(&path) {
            self.docker_in(path, &disk, owner, note);
        }
    }

    fn docker_in(&mut self, path: TreePath, disk: &Disk, owner: Option<u32>, note: &'static str) {
        let is_here = docker_store::is_data_root(disk);
        if self.is_here(&path, is_here.map_err(|e| Flaw::Io(e.into()))) {
            let own = path.join(b"containerd/daemon");
            self.add(FoundStore { kind: StoreKind::Docker, path, owner, additional: Vec::new(), note }, disk);
            self.containerd(own, owner, "containerd of Docker");
        }
    }

    fn containers(&mut self, path: TreePath, owner: Option<u32>, additional: &[String]) {
        if let Some(disk) = self.open(&path) {
            self.containers_in(path, &disk, owner, additional);
        }
    }

    fn containers_in(&mut self, path: TreePath, disk: &Disk, owner: Option<u32>, additional: &[String]) {
        // Podman keeps locks and mounts of layers in a folder for its state, and no images.
        let is_here = disk.names(b"").map(|(names, _)| names.iter().any(|name| name.ends_with(b"-images")));
        if self.is_here(&path, is_here) {
            let additional = additional.iter().filter_map(|other| TreePath::new(other.as_bytes()));
            let additional = additional.filter(|other| *other != path && !other.as_bytes().is_empty());
            let mut additional: Vec<TreePath> = additional.filter(|other| self.open(other).is_some()).collect();
            additional.sort();
            additional.dedup();
            let (kind, note) = (StoreKind::ContainersStorage, "Podman, Buildah or CRI-O");
            self.add(FoundStore { kind, path, owner, additional, note }, disk);
        }
    }

    fn containerd(&mut self, path: TreePath, owner: Option<u32>, note: &'static str) {
        if let Some(disk) = self.open(&path) {
            self.containerd_in(path, &disk, owner, note);
        }
    }

    fn containerd_in(&mut self, path: TreePath, disk: &Disk, owner: Option<u32>, note: &'static str) {
        let has = |name: &[u8]| disk.has_folder(name).map_err(|e| Flaw::Io(e.into()));
        let is_here = has(b"io.containerd.content.v1.content")
            .and_then(|content| Ok(content || has(b"io.containerd.metadata.v1.bolt")?));
        if self.is_here(&path, is_here) {
            self.add(FoundStore { kind: StoreKind::Containerd, path, owner, additional: Vec::new(), note }, disk);
        }
    }

    /// Whether a store is there; that this cannot be found out is reported.
    fn is_here(&mut self, path: &TreePath, is_here: Result<bool, Flaw>) -> bool {
        is_here.unwrap_or_else(|flaw| {
            self.flaw(path, flaw);
            false
        })
    }

    /// Adds a store, unless it is known under another name.
    fn add(&mut self, store: FoundStore, disk: &Disk) {
        let Some(own) = disk.identity() else {
            return;
        };
        if self.known.contains(&own) {
            return;
        }
        if self.known.len() >= STORES {
            if !std::mem::replace(&mut self.full, true) {
                let more = Flaw::malformed("machine", "it has more stores than are examined");
                self.found.flaws.push((store.path, more));
            }
            return;
        }
        self.known.insert(own);
        self.found.stores.push(store);
    }

    /// Reports what is wrong at a path, once.
    fn flaw(&mut self, path: &TreePath, flaw: Flaw) {
        if !self.found.flaws.iter().any(|(known, _)| known == path) {
            note(&mut self.found.flaws, path.as_bytes(), flaw);
        }
    }

    /// A folder of the machine, where it is there.
    fn open(&mut self, path: &TreePath) -> Option<Disk> {
        if path.as_bytes().is_empty() {
            return None;
        }
        match open(self.root, path) {
            Ok(folder) => Some(Disk::new(folder)),
            Err(Errno::NOENT | Errno::NOTDIR) => None,
            Err(e) => {
                self.flaw(path, Flaw::Io(e.into()));
                None
            }
        }
    }

    /// Paths of what a folder has whose names end so.
    fn below(&mut self, folder: &str, end: &[u8]) -> Vec<TreePath> {
        let folder = place(folder.as_bytes());
        let names = self.names(&folder).into_iter().filter(|name| name.ends_with(end));
        names.map(|name| folder.join(&name)).collect()
    }

    /// Names in a folder; problems with it are reported.
    fn names(&mut self, folder: &TreePath) -> Vec<Vec<u8>> {
        match open(self.root, folder).and_then(|folder| list(&folder, NAMES)) {
            Ok((names, more)) => {
                if more {
                    self.flaw(folder, Flaw::malformed("folder", "it has more names than are looked at"));
                }
                names
            }
            Err(Errno::NOENT | Errno::NOTDIR) => Vec::new(),
            Err(e) => {
                self.flaw(folder, Flaw::Io(e.into()));
                Vec::new()
            }
        }
    }

    /// What a file of settings says; problems with it are reported.
    fn said<T>(&mut self, path: &TreePath, read: impl FnOnce(&str) -> Result<T, Flaw>) -> Option<T> {
        match settings::small(self.root, path).and_then(|text| text.map(|text| read(&text)).transpose()) {
            Ok(said) => said,
            Err(flaw) => {
                self.flaw(path, flaw);
                None
            }
        }
    }

    fn docker_root(&mut self, path: &TreePath, account: &Account<'_>) -> Option<TreePath> {
        let root = self.said(path, settings::docker_root)??;
        TreePath::new(settings::expand(&root, account)?.as_bytes())
    }

    fn storage(&mut self, path: &TreePath, account: &Account<'_>) -> Storage {
        self.said(path, |text| settings::storage(text, account)).unwrap_or_default()
    }

    fn machines(&mut self, home: &TreePath, owner: Option<u32>, places: &[(&str, &'static str)]) {
        for (pattern, note) in places {
            for path in machines::matching(home, pattern, &mut |folder| self.names(folder)) {
                let is_file = within(self.root, &path, OFlags::PATH).and_then(|file| sys::fstat(&file));
                let Ok(stat) = is_file else {
                    continue;
                };
                let kind = StoreKind::MachineDisk;
                let is_file = sys::FileType::from_raw_mode(stat.st_mode) == sys::FileType::RegularFile;
                if !is_file || self.disks.contains(&(stat.st_dev, stat.st_ino)) {
                    continue;
                }
                if self.disks.len() >= STORES {
                    self.flaw(
                        home,
                        Flaw::malformed("machine", "it has more disks of virtual machines than are listed"),
                    );
                    return;
                }
                self.disks.insert((stat.st_dev, stat.st_ino));
                self.found.stores.push(FoundStore { kind, path, owner, additional: Vec::new(), note });
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
    let raw = if path.as_bytes().is_empty() { b".".as_slice() } else { path.as_bytes() };
    let opened = |more: OFlags| sys::openat2(root, raw, flags | OFlags::CLOEXEC | more, Mode::empty(), resolve);
    let is_held = flags.contains(OFlags::PATH);
    match if is_held { again_after_a_race(|| opened(OFlags::empty())) } else { unless_refused(opened) } {
        // Before Linux 5.6 nothing keeps a link inside the root: none is followed.
        Err(Errno::NOSYS) => disk::without_links(root, raw, flags | OFlags::CLOEXEC),
        opened => opened,
    }
}
