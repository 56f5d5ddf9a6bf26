//! What of a disk belongs to a finding: the paths that go together to the evidence, and the stores that only their own engine
//! may change.

use std::collections::BTreeSet;

use super::situation::Situation;
use crate::{
    assess::{Finding, FindingKind},
    ecosystem::{purl::Purl, pypi::normalise},
    fact::TreePath,
    ioc::model::FileRole,
    verdict::Exposure,
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
    f.origin.line.is_none() && f.origin.inner.is_none()
}

/// The paths that a loadable, left-over or stored finding stands for.
pub fn holdings(s: &Situation<'_>, f: &Finding) -> BTreeSet<TreePath> {
    if let Some(all) = &f.holdings {
        return all.iter().cloned().collect();
    }
    let path = &f.origin.path;
    if f.kind != FindingKind::Package || f.origin.inner.is_some() {
        return BTreeSet::from([path.clone()]);
    }
    if f.exposure == Exposure::Cached {
        return BTreeSet::from_iter(stored(path));
    }
    let folder = path.parent();
    if folder.name() == b"EGG-INFO" {
        return BTreeSet::from([folder.parent()]);
    }
    let named = |ends: &[&[u8]], p: &TreePath| ends.iter().any(|e| p.name().ends_with(e));
    let metadata = match () {
        () if named(&[b".dist-info", b".egg-info"], &folder) => folder.clone(),
        // One file: an egg, a wheel on the path, Debian's egg-info, conda's record.
        () => path.clone(),
    };
    let mut all = BTreeSet::from([metadata.clone()]);
    let site = metadata.parent();
    if named(&[b".dist-info", b".egg-info"], &metadata) {
        all.extend(by_name(s, f, &site));
    }
    let listed = s.assessment.belongings.of(&f.origin.tree, path).unwrap_or_default();
    all.extend(listed.iter().cloned());
    outermost(all)
}

/// What has the package's name beside its metadata: a list that the payload wrote may leave it out.
fn by_name(s: &Situation<'_>, f: &Finding, site: &TreePath) -> Vec<TreePath> {
    let purl = f.package.as_deref().and_then(Purl::parse);
    let normal = purl.map(|p| normalise(&p.name)).unwrap_or_default();
    let incident = s.index.incident(f.incident);
    let modules = incident.into_iter().flat_map(|i| &i.files);
    let modules = modules.filter(|m| m.package.as_deref().is_some_and(|p| normalise(p) == normal));
    let tops = modules.flat_map(|m| &m.paths).filter_map(|p| p.strip_prefix("site:"));
    let tops = tops.map(|p| p.split('/').next().unwrap_or(p)).filter(|t| !t.is_empty() && !t.contains('*'));
    let mut all: Vec<TreePath> = tops.map(|t| site.join(t.as_bytes())).collect();
    if !normal.is_empty() {
        let module = normal.replace('-', "_");
        all.extend([module.clone(), format!("{module}.py")].map(|n| site.join(n.as_bytes())));
    }
    all
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

/// The same over many findings.
pub fn holdings_of_all(s: &Situation<'_>, found: &[&Finding]) -> Vec<TreePath> {
    outermost(found.iter().flat_map(|f| holdings(s, f)).collect()).into_iter().collect()
}

/// The entry of a cache: its bytes with what describes them; else the file.
fn stored(path: &TreePath) -> Vec<TreePath> {
    let parts: Vec<&[u8]> = path.components().collect();
    let up_to = |n: usize| parts.get(..n).and_then(|p| TreePath::new(&p.join(&b'/')));
    for (n, part) in parts.iter().enumerate() {
        let rest = parts.len().saturating_sub(n + 1);
        // uv: an unpacked wheel is a folder of its own.
        if part.starts_with(b"archive-v") && rest > 1 {
            return up_to(n + 2).into_iter().collect();
        }
        // conda: an unpacked package, by its `info`.
        if *part == b"info" && rest == 1 && path.name() == b"index.json" && n > 0 {
            return up_to(n).into_iter().collect();
        }
    }
    let folder = path.parent();
    if [&b".dist-info"[..], b".egg-info"].iter().any(|e| folder.name().ends_with(e)) {
        return vec![folder];
    }
    // pip: the header, and beside it the bytes.
    match path.as_bytes().strip_suffix(b".body") {
        Some(header) => TreePath::new(header).into_iter().chain([path.clone()]).collect(),
        None => vec![path.clone()],
    }
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
    fn an_entry_of_a_cache_goes_and_never_the_cache() {
        let of = |p: &str| stored(&path(p)).iter().map(|p| p.text().into_owned()).collect::<Vec<_>>();
        assert_eq!(
            of("h/.cache/pip/http-v2/a/b/x.body"),
            ["/h/.cache/pip/http-v2/a/b/x", "/h/.cache/pip/http-v2/a/b/x.body"]
        );
        assert_eq!(of("h/.cache/uv/archive-v0/abc/litellm-1.dist-info/METADATA"), ["/h/.cache/uv/archive-v0/abc"]);
        assert_eq!(of("c/pkgs/litellm-1-py_0/info/index.json"), ["/c/pkgs/litellm-1-py_0"]);
        assert_eq!(of("h/x/litellm-1.whl"), ["/h/x/litellm-1.whl"]);
        assert_eq!(of("h/x/litellm-1.dist-info/METADATA"), ["/h/x/litellm-1.dist-info"]);
    }

    #[test]
    fn what_lies_in_another_goes_with_it() {
        let set = BTreeSet::from(["a/b", "a/b/c", "a/bc", "d"].map(path));
        let left: Vec<_> = outermost(set).iter().map(|p| p.text().into_owned()).collect();
        assert_eq!(left, ["/a/b", "/a/bc", "/d"]);
    }
}
