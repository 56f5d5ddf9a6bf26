//! Containers whose files lie in an engine's store on this disk: what is in one ran in a container, which had the store's layers
//! before it and of the machine only what somebody mounted.
//!
//! ```text
//! var/lib/docker/overlay2/<id>/{diff,merged}                                     fuse-overlayfs likewise
//! var/lib/docker/{aufs/diff,btrfs/subvolumes,vfs/dir,zfs/graph,rootfs/<driver>}/<id>
//! .local/share/containers/storage/overlay/<id>/{diff,merged}                     vfs/dir/<id>, btrfs/subvolumes/<id>
//! var/lib/containerd/io.containerd.snapshotter.v1.<driver>/snapshots/<n>/fs
//! run/containerd/io.containerd.runtime.v2.task/<namespace>/<id>/rootfs
//! var/lib/docker/volumes/<name>/_data                                            mounted into a container
//! var/lib/machines/<name>, var/lib/{lxc,lxd,incus}/…/<name>/rootfs
//! ```

use std::{collections::HashSet, sync::Arc};

use super::{Account, Bounds, Case, Finding, whereabouts::folder};
use crate::{
    accounts::Accounts,
    fact::{CommandAction, Fact, TreePath},
    text::escape,
};

/// A store of images and containers, by the folder that only its engine writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Store {
    /// Docker, also rootless.
    Docker,
    /// Podman, Buildah, CRI-O.
    Containers,
    /// containerd, also of k3s and RKE2.
    Containerd,
    /// Pods of a kubelet.
    Kubelet,
    /// LXC, LXD, Incus, systemd-nspawn, snap: another system below a folder.
    Other,
}

impl Store {
    /// The program that removes an image from it.
    pub fn engine(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Containers => "podman (or crictl, where CRI-O keeps the store)",
            Self::Containerd => "ctr, nerdctl, crictl or `k3s crictl`",
            Self::Kubelet => "kubectl, from a clean machine",
            Self::Other => "the program that made the container",
        }
    }
}

/// The store that a path is in, if it is in one, and its folder.
pub fn store(path: &TreePath) -> Option<(Store, TreePath)> {
    const FOLDERS: &[(&str, Store)] = &[
        ("/docker/overlay2/", Store::Docker),
        ("/docker/aufs/", Store::Docker),
        ("/docker/btrfs/", Store::Docker),
        ("/docker/vfs/", Store::Docker),
        ("/docker/devicemapper/", Store::Docker),
        ("/docker/fuse-overlayfs/", Store::Docker),
        ("/docker/containerd/", Store::Docker),
        ("/docker/rootfs/", Store::Docker),
        ("/docker/volumes/", Store::Docker),
        ("/docker/buildkit/", Store::Docker),
        ("/docker/zfs/", Store::Docker),
        ("/docker/image/", Store::Docker),
        ("/var/lib/docker/", Store::Docker),
        ("/containers/storage/", Store::Containers),
        ("/containers/cache/", Store::Containers),
        ("/var/lib/containers/", Store::Containers),
        ("/var/lib/containerd/", Store::Containerd),
        ("/run/containerd/", Store::Containerd),
        ("/agent/containerd/", Store::Containerd),
        ("/k3s/containerd/", Store::Containerd),
        ("/io.containerd.snapshotter.v1.overlayfs/", Store::Containerd),
        ("/var/lib/buildkit/", Store::Containerd),
        ("/share/buildkit/", Store::Containerd),
        ("/var/lib/nerdctl/", Store::Containerd),
        ("/share/nerdctl/", Store::Containerd),
        ("/var/lib/kubelet/", Store::Kubelet),
        ("/var/lib/lxc/", Store::Other),
        ("/var/lib/lxd/", Store::Other),
        ("/var/lib/incus/", Store::Other),
        ("/var/lib/machines/", Store::Other),
        ("/var/lib/crio/", Store::Containers),
    ];
    let raw = path.as_bytes();
    let whole = [b"/", raw, b"/"].concat();
    let at = |folder: &str| memchr::memmem::find(&whole, folder.as_bytes()).map(|n| n + folder.len() - 2);
    let first = FOLDERS.iter().filter_map(|(folder, store)| Some((at(folder)?, *store))).min()?;
    Some((first.1, TreePath::new(raw.get(..first.0)?)?))
}

/// A folder of an engine's store that is the root of what containers see.
#[derive(Debug, PartialEq, Eq)]
pub struct Contained {
    /// The folder whose layers are put together: any of them may be in the same container.
    store: TreePath,
    /// What the container calls `/`.
    root: TreePath,
}

/// The container's root that a path is in.
pub fn container_of(path: &TreePath) -> Option<Contained> {
    let parts: Vec<&[u8]> = path.components().collect();
    (0..parts.len()).find_map(|at| {
        let (store, root) = at_store(&parts, at)?;
        let folder = |end: usize| TreePath::new(&parts.get(..end)?.join(&b'/'));
        (root < parts.len()).then(|| Some(Contained { store: folder(store)?, root: folder(root)? }))?
    })
}

/// Where the store that begins at this component ends, and where the container's root does; both as numbers of components.
fn at_store(parts: &[&[u8]], at: usize) -> Option<(usize, usize)> {
    let part = |n: usize| parts.get(at + n).copied().unwrap_or_default();
    let above = at.checked_sub(1).and_then(|n| parts.get(n)).copied().unwrap_or_default();
    let of_engine = matches!(above, b"docker" | b"storage" | b"nerdctl" | b"buildkit");
    let layer = |n: usize| matches!(part(n), b"diff" | b"merged");
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let below = match (part(0), part(1)) {
        (b"overlay2" | b"fuse-overlayfs", _) if layer(2) => (1, 3),
        (b"overlay", _) if of_engine && layer(2) => (1, 3),
        (b"aufs", b"diff") | (b"btrfs", b"subvolumes") | (b"vfs", b"dir") | (b"zfs", b"graph") if of_engine => (2, 3),
        (b"rootfs", _) if of_engine && !part(2).is_empty() => (2, 3),
        (b"volumes", _) if of_engine && part(2) == b"_data" => (3, 3),
        (driver, b"snapshots")
            if driver.starts_with(b"io.containerd.snapshotter.v1.") && digits(part(2)) && part(3) == b"fs" =>
        {
            (2, 4)
        }
        (b"io.containerd.runtime.v2.task", _) if part(3) == b"rootfs" => (4, 4),
        (b"machines", name) if above == b"lib" && !name.is_empty() => (2, 2),
        (b"lxc" | b"lxd" | b"incus", _) if above == b"lib" => {
            let root = (2..5).find(|n| part(*n) == b"rootfs")?;
            (root + 1, root + 1)
        }
        _ => return None,
    };
    Some((at + below.0, at + below.1))
}

/// A path as the container, or the other system that it is a copy of, sees it; `None` of this machine's own.
pub fn seen_inside(path: &TreePath, accounts: Option<&Accounts>) -> Option<TreePath> {
    let root = container_of(path).map(|c| c.root).or_else(|| accounts?.other_root(path).cloned())?;
    TreePath::new(path.below(&root)?)
}

/// What ran in a container had the container before it. As whom is not known, and a mount may have given it more.
pub fn bound(case: &Case<'_>, findings: &mut [Finding]) {
    bound_copies(case, findings);
    for finding in findings.iter_mut().filter(|f| f.bounds.is_none() && f.account != Account::Elsewhere) {
        if let Some(contained) = container_of(&finding.origin.path) {
            finding.account = Account::All;
            let bounds = Bounds { folders: vec![contained.store], mounts_unknown: true, ..Bounds::default() };
            finding.bounds = Some(Arc::new(bounds));
        }
    }
}

/// What stands in the files of another system ran there, whoever owns the files here; unless this machine starts something in them.
fn bound_copies(case: &Case<'_>, findings: &mut [Finding]) {
    let root_of = |tree: &Arc<str>, path: &TreePath| case.accounts.get(tree)?.other_root(path).cloned();
    if case.accounts.values().all(|a| a.roots.is_empty()) {
        return;
    }
    let mut used: HashSet<(Arc<str>, TreePath)> = HashSet::new();
    for seen in case.evidence.iter().map(|e| &e.seen) {
        let started = match &seen.fact {
            Fact::Starts(c) | Fact::Command(c) if c.action == CommandAction::Start => {
                let named = c.whereabouts.environment.as_deref();
                named.and_then(|named| folder(named, case.accounts.get(&seen.origin.tree), &seen.origin.path))
            }
            Fact::Process { program, .. } => program.clone(),
            Fact::Executable { program, .. } => Some(program.clone()),
            Fact::Loaded { site, .. } => Some(site.clone()),
            _ => None,
        };
        let tree = &seen.origin.tree;
        if let Some(root) = started.and_then(|place| root_of(tree, &place))
            && root_of(tree, &seen.origin.path).as_ref() != Some(&root)
        {
            used.insert((tree.clone(), root));
        }
    }
    for finding in findings.iter_mut().filter(|f| f.bounds.is_none() && f.account != Account::Elsewhere) {
        let Some(root) = root_of(&finding.origin.tree, &finding.origin.path) else {
            continue;
        };
        if !used.contains(&(finding.origin.tree.clone(), root.clone())) {
            let shown = escape(&[b"/", root.as_bytes()].concat());
            finding.account = Account::All;
            finding.reason = format!("{}; it stands in the files of another system, below `{shown}`", finding.reason);
            finding.bounds = Some(Arc::new(Bounds { folders: vec![root], ..Bounds::default() }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(path: &str) -> Option<(String, String)> {
        let contained = container_of(&TreePath::new(path.as_bytes()).unwrap())?;
        Some((contained.store.text().into_owned(), contained.root.text().into_owned()))
    }

    #[test]
    fn each_store_has_its_roots() {
        for (path, store, root) in [
            (
                "var/lib/docker/overlay2/abc/diff/root/.aws/x",
                "/var/lib/docker/overlay2",
                "/var/lib/docker/overlay2/abc/diff",
            ),
            ("data/d/overlay2/abc/merged/x", "/data/d/overlay2", "/data/d/overlay2/abc/merged"),
            (
                "home/a/.local/share/docker/fuse-overlayfs/a1/diff/x",
                "/home/a/.local/share/docker/fuse-overlayfs",
                "/home/a/.local/share/docker/fuse-overlayfs/a1/diff",
            ),
            (
                "home/a/.local/share/containers/storage/overlay/a1/diff/x",
                "/home/a/.local/share/containers/storage/overlay",
                "/home/a/.local/share/containers/storage/overlay/a1/diff",
            ),
            ("var/lib/docker/vfs/dir/a1/x", "/var/lib/docker/vfs/dir", "/var/lib/docker/vfs/dir/a1"),
            (
                "var/lib/docker/rootfs/overlayfs/a1/x",
                "/var/lib/docker/rootfs/overlayfs",
                "/var/lib/docker/rootfs/overlayfs/a1",
            ),
            ("var/lib/docker/volumes/v/_data/x", "/var/lib/docker/volumes/v/_data", "/var/lib/docker/volumes/v/_data"),
            (
                "var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/7/fs/x",
                "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots",
                "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/7/fs",
            ),
            (
                "run/containerd/io.containerd.runtime.v2.task/k8s.io/a1/rootfs/x",
                "/run/containerd/io.containerd.runtime.v2.task/k8s.io/a1/rootfs",
                "/run/containerd/io.containerd.runtime.v2.task/k8s.io/a1/rootfs",
            ),
            ("var/lib/machines/deb/x", "/var/lib/machines/deb", "/var/lib/machines/deb"),
            ("var/lib/lxc/c1/rootfs/x", "/var/lib/lxc/c1/rootfs", "/var/lib/lxc/c1/rootfs"),
            (
                "var/lib/lxd/storage-pools/default/rootfs/x",
                "/var/lib/lxd/storage-pools/default/rootfs",
                "/var/lib/lxd/storage-pools/default/rootfs",
            ),
        ] {
            assert_eq!(roots(path), Some((store.to_owned(), root.to_owned())), "{path}");
        }
    }

    #[test]
    fn stores_are_known_by_their_folders() {
        let known =
            |p: &str| store(&TreePath::new(p.as_bytes()).unwrap()).map(|(s, folder)| (s, folder.text().into_owned()));
        let site = "usr/lib/python3/dist-packages/x";
        for (below, engine, folder) in [
            ("var/lib/docker/overlay2/abc/diff", Store::Docker, "/var/lib/docker"),
            (
                "home/dev/.local/share/docker/fuse-overlayfs/a/diff",
                Store::Docker,
                "/home/dev/.local/share/docker/fuse-overlayfs",
            ),
            ("srv/data/docker/overlay2/abc/diff", Store::Docker, "/srv/data/docker/overlay2"),
            (
                "home/dev/.local/share/containers/storage/overlay/a/diff",
                Store::Containers,
                "/home/dev/.local/share/containers/storage",
            ),
            (
                "var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/s/1/fs",
                Store::Containerd,
                "/var/lib/containerd",
            ),
            ("var/lib/rancher/k3s/agent/containerd/x", Store::Containerd, "/var/lib/rancher/k3s/agent/containerd"),
            ("run/k3s/containerd/x", Store::Containerd, "/run/k3s/containerd"),
        ] {
            assert_eq!(known(&format!("{below}/{site}")), Some((engine, folder.to_owned())), "{below}");
        }
        for other in
            ["home/dev/docker/app/.venv/x", "home/dev/src/containers/x", "srv/docker/compose/x", "opt/containerd-src/x"]
        {
            assert_eq!(known(other), None, "{other}");
        }
    }

    #[test]
    fn other_folders_are_the_machine_s_own() {
        for path in [
            "home/a/src/overlay/x/diff/y",
            "home/a/overlay2/notes",
            "var/lib/docker/overlay2/abc/link",
            "var/lib/docker/overlay2/abc/diff",
            "var/lib/docker/image/overlay2/x",
            "srv/vfs/dir/a1/x",
            "home/a/machines/x/y",
            "var/lib/lxc/c1/config",
            "srv/rootfs/x/y/z",
            "srv/volumes/v/_data/x",
            "srv/snapshots/7/fs/x",
            "",
        ] {
            assert_eq!(roots(path), None, "{path}");
        }
    }

    #[test]
    fn a_path_is_read_as_the_container_sees_it() {
        let inside =
            |path: &str| seen_inside(&TreePath::new(path.as_bytes()).unwrap(), None).map(|p| p.text().into_owned());
        assert_eq!(inside("var/lib/docker/overlay2/abc/diff/root/.ssh/id").as_deref(), Some("/root/.ssh/id"));
        assert_eq!(inside("root/.ssh/id"), None);
    }
}
