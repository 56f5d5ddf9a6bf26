//! Disks of virtual machines in which engines run, by the paths of their files. What is on such a disk is not read.

use super::NAMES;
use crate::fact::TreePath;

const DESKTOP: &str =
    "the disk of Docker Desktop's virtual machine, which is not read: ask the engine in it while it runs";
const PODMAN: &str = "the disk of a Podman machine, which is not read: ask the engine in it, or run dosimeter inside (`podman machine ssh`)";
const COLIMA: &str =
    "the disk of a Colima machine, which is not read: ask the engine in it, or run dosimeter inside (`colima ssh`)";
const LIMA: &str =
    "the disk of a Lima machine, which is not read: ask the engine in it, or run dosimeter inside (`limactl shell`)";
const ORBSTACK: &str = "the disk of OrbStack, which is not read: ask the engine in it while it runs";
const RANCHER: &str =
    "the disk of Rancher Desktop, which is not read: ask the engine in it, or run dosimeter inside (`rdctl shell`)";
const MINIKUBE: &str = "the disk of a minikube machine, which is not read: run dosimeter inside (`minikube ssh`)";
const WSL: &str = "the disk of a Linux system in WSL, which is not read: run dosimeter inside (`wsl`)";

/// Below a home.
pub(super) const HOME: &[(&str, &str)] = &[
    ("Library/Containers/com.docker.docker/Data/vms/*/data/Docker.raw", DESKTOP),
    ("Library/Containers/com.docker.docker/Data/vms/*/Docker.raw", DESKTOP),
    ("Library/Containers/com.docker.docker/Data/vms/*/data/Docker.qcow2", DESKTOP),
    (".docker/desktop/vms/*/data/Docker.raw", DESKTOP),
    ("AppData/Local/Docker/wsl/data/ext4.vhdx", DESKTOP),
    ("AppData/Local/Docker/wsl/disk/docker_data.vhdx", DESKTOP),
    ("AppData/Local/Docker/wsl/main/ext4.vhdx", DESKTOP),
    (".local/share/containers/podman/machine/*.raw", PODMAN),
    (".local/share/containers/podman/machine/*/*.raw", PODMAN),
    (".local/share/containers/podman/machine/*/*.qcow2", PODMAN),
    (".local/share/containers/podman/machine/*/*.vhdx", PODMAN),
    (".local/share/containers/podman/machine/wsl/wsldist/*/ext4.vhdx", PODMAN),
    (".colima/_lima/*/diffdisk", COLIMA),
    (".colima/_lima/_disks/*/datadisk", COLIMA),
    (".config/colima/_lima/*/diffdisk", COLIMA),
    (".lima/*/diffdisk", LIMA),
    (".lima/_disks/*/datadisk", LIMA),
    (".orbstack/data/data.img", ORBSTACK),
    ("Library/Group Containers/*dev.orbstack/data/data.img.raw", ORBSTACK),
    ("Library/Application Support/rancher-desktop/lima/*/diffdisk", RANCHER),
    (".local/share/rancher-desktop/lima/*/diffdisk", RANCHER),
    ("AppData/Local/rancher-desktop/distro-data/ext4.vhdx", RANCHER),
    (".minikube/machines/*/*.rawdisk", MINIKUBE),
    (".minikube/machines/*/disk.qcow2", MINIKUBE),
    ("AppData/Local/Packages/*/LocalState/ext4.vhdx", WSL),
    ("AppData/Local/wsl/*/ext4.vhdx", WSL),
];

/// Below the root of a system.
pub(super) const SYSTEM: &[(&str, &str)] = &[("ProgramData/DockerDesktop/vm-data/*.vhdx", DESKTOP)];

/// The paths of a pattern, in which a component may have one `*`. Whether they are files is not looked at.
pub(super) fn matching(
    start: &TreePath,
    pattern: &str,
    names: &mut dyn FnMut(&TreePath) -> Vec<Vec<u8>>,
) -> Vec<TreePath> {
    let mut found = vec![start.clone()];
    for part in pattern.split('/') {
        let Some((front, back)) = part.split_once('*') else {
            found = found.iter().map(|folder| folder.join(part.as_bytes())).collect();
            continue;
        };
        let fits = |name: &[u8]| {
            let inner = name.strip_prefix(front.as_bytes()).and_then(|name| name.strip_suffix(back.as_bytes()));
            inner.is_some_and(|inner| !inner.is_empty() && name.len() > front.len() + back.len())
        };
        let mut inside = |folder: &TreePath| {
            let fitting = names(folder).into_iter().filter(|name| fits(name));
            fitting.map(|name| folder.join(&name)).collect::<Vec<_>>()
        };
        found = found.iter().flat_map(&mut inside).take(NAMES).collect();
    }
    found
}
