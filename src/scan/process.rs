//! Which files of `/proc` are examined, for each process.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;

use crate::{
    coverage::Exclusion,
    fact::{Origin, TreePath},
    tree::{Visit, host::Host},
};

/// Larger tables of mounts are not read.
const MOUNTS: u64 = 4 << 20;
/// More names than the kernel gives numbers to processes, and those of the other files there.
const PROCESSES: usize = (1 << 22) + 1000;

/// Command lines of all; programs, mapped files and variables of those that have the same root as this one and may be looked at.
pub fn visit<V: Visit>(host: &Host, visit: &V, own_mounts: &[u8], stop: &AtomicBool) {
    let Some(proc) = TreePath::new(b"proc") else {
        return;
    };
    let own = (std::process::id().to_string(), root_of(own_mounts));
    let (mut files, mut refused, mut apart) = (Vec::new(), false, false);
    let mut names = host.list(&proc, PROCESSES);
    names.retain(|n| n.iter().all(u8::is_ascii_digit) && n.as_slice() != own.0.as_bytes());
    for folder in names.iter().take_while(|_| !stop.load(Ordering::Relaxed)).map(|n| proc.join(n)) {
        files.push(folder.join(b"cmdline"));
        let mounts = host.read(&folder.join(b"mountinfo"), MOUNTS).unwrap_or_default().bytes;
        if !mounts.is_empty() && root_of(&mounts) != own.1 {
            apart = true;
            continue;
        }
        match host.visit_link(visit, &folder.join(b"exe")) {
            Ok(()) => files.extend([b"maps".as_slice(), b"environ"].map(|name| folder.join(name))),
            Err(Errno::ACCESS | Errno::PERM) => refused = true,
            // A thread of the kernel; a process that has ended.
            Err(_) => {}
        }
    }
    host.visit_files(visit, &files, stop);
    let leave_out = |reason: &str| {
        visit.exclude(Exclusion { origin: Origin::file(host.label(), proc.clone()), reason: reason.to_owned() });
    };
    if refused {
        leave_out("programs, variables and loaded modules of processes that the system does not let this user look at");
    }
    if apart {
        leave_out("processes with another root (containers): only their command lines were searched");
    }
}

/// Device and folder of what is mounted on `/`, as mountinfo writes them: the last line hides the earlier ones.
fn root_of(mountinfo: &[u8]) -> Option<(&[u8], &[u8])> {
    let lines = mountinfo.split(|b| *b == b'\n').rev();
    let mut fields = lines.map(|line| line.split(|b| *b == b' ').skip(2));
    fields.find_map(|mut f| {
        let (device, folder, point) = (f.next()?, f.next()?, f.next()?);
        (point == b"/").then_some((device, folder))
    })
}

#[cfg(test)]
mod tests {
    use super::root_of;

    #[test]
    fn a_container_has_another_root() {
        let host = b"22 1 254:0 / / rw - ext4 /dev/vda rw\n23 22 0:5 / /proc rw - proc proc rw\n";
        let private_tmp = b"90 1 254:0 / / rw - ext4 /dev/vda rw\n91 90 254:0 /tmp/p /tmp rw - ext4 /dev/vda rw\n";
        let container = b"70 60 0:57 / / rw - overlay overlay rw\n71 70 0:60 / /proc rw - proc proc rw\n";
        let chroot = b"23 22 0:5 / /proc rw - proc proc rw\n";
        assert_eq!(root_of(host), Some((&b"254:0"[..], &b"/"[..])));
        assert_eq!(root_of(private_tmp), root_of(host));
        assert_ne!(root_of(container), root_of(host));
        assert_eq!(root_of(chroot), None);
    }
}
