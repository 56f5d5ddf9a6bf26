//! What of a disk belongs to a finding: the paths that go together to the evidence, and the stores that only their own engine
//! may change.

use std::collections::BTreeSet;

use crate::{
    assess::{Finding, FindingKind},
    fact::TreePath,
    ioc::model::FileRole,
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

/// A dropped file that shows that the payload ran.
pub fn is_trace(f: &Finding) -> bool {
    f.kind == FindingKind::File && matches!(f.role, Some(FileRole::Persistence | FileRole::Trace))
}

/// Whether it is one file or folder as a whole, not a line or a member of one.
pub fn is_whole(f: &Finding) -> bool {
    f.origin.line.is_none() && f.origin.inner.is_none() || is_elsewhere(f)
}

/// Whether other files than the one that speaks of it are taken out: a record of an installer names the folder of a package.
pub fn is_elsewhere(f: &Finding) -> bool {
    f.holdings.as_ref().is_some_and(|all| !all.is_empty() && !all.contains(&f.origin.path))
}

/// The paths that findings stand for.
pub fn holdings_of_all(found: &[&Finding]) -> Vec<TreePath> {
    let all = found.iter().flat_map(|f| match &f.holdings {
        Some(all) => all.clone(),
        None => vec![f.origin.path.clone()],
    });
    outermost(all.collect()).into_iter().collect()
}

/// What lies in another path of the set goes with that.
fn outermost(all: BTreeSet<TreePath>) -> BTreeSet<TreePath> {
    let inside = |p: &TreePath| {
        let mut above = p.parent();
        while !above.as_bytes().is_empty() {
            if all.contains(&above) {
                return true;
            }
            above = above.parent();
        }
        false
    };
    all.iter().filter(|p| !inside(p)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn stores_are_known_by_their_folders() {
        let known = |p: &str| store(&path(p)).map(|(s, folder)| (s, folder.text().into_owned()));
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
    fn what_lies_in_another_goes_with_it() {
        let set = BTreeSet::from(["a/b", "a/b/c", "a/bc", "d"].map(path));
        let left: Vec<_> = outermost(set).iter().map(|p| p.text().into_owned()).collect();
        assert_eq!(left, ["/a/b", "/a/bc", "/d"]);
    }
}
