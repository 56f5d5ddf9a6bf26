//! Which mounted file systems a forensic walk leaves out: `/proc/self/mountinfo`, proc(5).

use std::collections::{HashMap, HashSet};

use crate::fact::TreePath;

/// File systems without stored files.
const PSEUDO: &[&str] = &[
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "efivarfs",
    "fusectl",
    "fuse.gvfsd-fuse",
    "fuse.portal",
    "fuse.lxcfs",
    "hugetlbfs",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
];
/// File systems of other machines.
const NETWORK: &[&str] = &[
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "fuse.ceph",
    "fuse.davfs",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb2",
    "smb3",
    "smbfs",
];

/// File systems that take names in any case, as Linux mounts them; `fuseblk` is ntfs-3g or exfat-fuse.
const WITHOUT_CASE: &[&str] =
    &["exfat", "fuse.apfs", "fuseblk", "hfs", "hfsplus", "msdos", "ntfs", "ntfs3", "apfs", "vfat"];

/// Why a mount point is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// Nothing is stored there.
    Pseudo,
    /// It belongs to another machine.
    Network,
    /// Opening what is in it mounts something.
    Automount,
    /// A container's merged view; its layers are examined where they are stored.
    Merged,
}

impl Skip {
    /// For people.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Pseudo => "pseudo file system",
            Self::Network => "network file system: examine it on the machine that holds it",
            Self::Automount => "mounted when it is opened, and it was not",
            Self::Merged => "a container's merged view: its layers are examined where they are stored",
        }
    }
}

/// The mounts to leave out.
#[derive(Debug, Clone, Default)]
pub struct Skips {
    /// By the folder they are mounted on.
    pub points: HashMap<TreePath, Skip>,
    /// Their devices, by major and minor number: a link may lead there from anywhere.
    pub devices: HashSet<(u32, u32)>,
}

/// What to leave out, from the text of mountinfo. The root of the machine itself is never left out.
pub fn to_skip(mountinfo: &[u8]) -> Skips {
    let mut skips = Skips::default();
    for Mount { device, path, kind } in mounts(mountinfo) {
        let (device, kind) = (device.as_str(), kind.as_str());
        let skip = if PSEUDO.contains(&kind) {
            Skip::Pseudo
        } else if NETWORK.contains(&kind) {
            Skip::Network
        } else if kind == "autofs" {
            Skip::Automount
        } else if kind == "overlay" && is_of_a_container(path.as_bytes()) {
            Skip::Merged
        } else {
            // A later mount on the same point hides the earlier one.
            skips.points.remove(&path);
            continue;
        };
        if !path.as_bytes().is_empty() {
            skips.points.insert(path, skip);
            skips.devices.extend(numbers(device));
        }
    }
    skips
}

/// Where file systems are mounted that take names in any case.
pub fn without_case(mountinfo: &[u8]) -> Vec<TreePath> {
    mounts(mountinfo).filter(|m| WITHOUT_CASE.contains(&m.kind.as_str())).map(|m| m.path).collect()
}

/// A line of mountinfo.
struct Mount {
    device: String,
    path: TreePath,
    kind: String,
}

fn mounts(mountinfo: &[u8]) -> impl Iterator<Item = Mount> {
    mountinfo.split(|b| *b == b'\n').filter_map(|line| {
        let line = String::from_utf8_lossy(line);
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ').skip(2);
        let (device, point) = (front.next()?.to_owned(), front.nth(1)?);
        Some(Mount { device, path: TreePath::new(&unescape(point))?, kind: back.split(' ').next()?.to_owned() })
    })
}

/// Where Docker, podman and CRI-O (`…/merged`) and containerd (`…/io.containerd.runtime.v2.task/NAMESPACE/ID/rootfs`) mount.
fn is_of_a_container(path: &[u8]) -> bool {
    let task = |p: &[u8]| memchr::memmem::find(p, b"io.containerd.runtime.").is_some();
    path.ends_with(b"/merged") || path.ends_with(b"/rootfs") && task(path)
}

/// `254:0`.
fn numbers(device: &str) -> Option<(u32, u32)> {
    let (major, minor) = device.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// `\040` and the like, as mountinfo writes space, tab, newline and backslash.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let octal = tail
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|d| std::str::from_utf8(d).ok())
            .and_then(|d| u8::from_str_radix(d, 8).ok());
        match octal {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_of_others_and_of_nothing_are_left_out() {
        let skips = to_skip(
            b"22 1 254:0 / / rw - ext4 /dev/vda rw\n23 22 0:5 / /proc rw shared:1 - proc proc rw\n\
              24 22 0:9 / /mnt/my\\040share rw - nfs4 srv:/x rw\n25 22 0:7 / /tmp rw - tmpfs tmpfs rw\n\
              26 22 0:8 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n\
              27 22 0:11 / /run/containerd/io.containerd.runtime.v2.task/k8s.io/x/rootfs rw - overlay overlay rw\n\
              28 22 0:12 / /srv/rootfs rw - overlay overlay rw\nrubbish\n",
        );
        let by = |p: &[u8]| TreePath::new(p).and_then(|p| skips.points.get(&p).copied());
        assert_eq!(by(b"proc"), Some(Skip::Pseudo));
        assert_eq!(by(b"mnt/my share"), Some(Skip::Network));
        assert_eq!(by(b"var/lib/docker/overlay2/x/merged"), Some(Skip::Merged));
        assert_eq!(by(b"run/containerd/io.containerd.runtime.v2.task/k8s.io/x/rootfs"), Some(Skip::Merged));
        assert_eq!((by(b"tmp"), by(b"srv/rootfs")), (None, None));
        assert_eq!(skips.points.len(), 4);
        assert_eq!(skips.devices, [(0, 5), (0, 9), (0, 8), (0, 11)].into());
    }
}
