//! Which files of `/proc` are examined, for each process.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
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

/// A line of numbers and a name.
const STAT: u64 = 4 << 10;
/// The kernel counts so many ticks a second to programs, whatever its own clock does.
const TICKS: i64 = 100;

/// Command lines of all; programs, mapped files and variables of those that have the same root as this one and may be looked at.
pub fn visit<V: Visit>(host: &Host, visit: &V, own_mounts: &[u8], stop: &AtomicBool) {
    let Some(proc) = TreePath::new(b"proc") else {
        return;
    };
    let own = (std::process::id().to_string(), root_of(own_mounts));
    let (mut files, mut refused, mut apart) = (Vec::new(), false, false);
    let booted = boot_time(&host.read(&proc.join(b"stat"), MOUNTS).unwrap_or_default().bytes);
    let mut names = host.list(&proc, PROCESSES);
    names.retain(|n| n.iter().all(u8::is_ascii_digit) && n.as_slice() != own.0.as_bytes());
    for folder in names.iter().take_while(|_| !stop.load(Ordering::Relaxed)).map(|n| proc.join(n)) {
        files.push(folder.join(b"cmdline"));
        let mounts = host.read(&folder.join(b"mountinfo"), MOUNTS).unwrap_or_default().bytes;
        if !mounts.is_empty() && root_of(&mounts) != own.1 {
            apart = true;
            continue;
        }
        let stat = host.read(&folder.join(b"stat"), STAT).unwrap_or_default().bytes;
        match host.visit_link(visit, &folder.join(b"exe"), started(booted, &stat)) {
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

/// When the machine started, in seconds since 1970: `btime` of `/proc/stat`.
fn boot_time(stat: &[u8]) -> Option<i64> {
    let line = stat.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"btime "))?;
    std::str::from_utf8(line).ok()?.trim().parse().ok()
}

/// When a process started, by field 22 of its `stat`; the name in the second one may hold spaces and brackets.
fn started(booted: Option<i64>, stat: &[u8]) -> Option<Timestamp> {
    let behind = stat.get(memchr::memrchr(b')', stat)? + 1..)?;
    let ticks: i64 = std::str::from_utf8(behind).ok()?.split_ascii_whitespace().nth(19)?.parse().ok()?;
    let part = (ticks % TICKS).checked_mul(1000 / TICKS)?;
    Timestamp::from_millisecond(booted?.checked_add(ticks / TICKS)?.checked_mul(1000)?.checked_add(part)?).ok()
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
    use super::*;

    #[test]
    fn a_process_started_so_long_after_the_machine() {
        let boot = boot_time(b"cpu  1 2\nintr 5\nbtime 1774350000\nprocesses 9\n");
        assert_eq!(boot, Some(1_774_350_000));
        assert_eq!((boot_time(b""), boot_time(b"btime x\n"), boot_time(b"xbtime 5\n")), (None, None, None));
        let stat = |name: &str, ticks: &str| {
            let text = format!("42 ({name}) S 1 42 42 0 -1 4194560 1 0 0 0 3 1 0 0 20 0 1 0 {ticks} 4096 5 6\n");
            started(boot, text.as_bytes()).map(|t| t.as_millisecond())
        };
        assert_eq!(stat("python3", "12345"), Some(1_774_350_123_450));
        assert_eq!(stat("a) S 1 (b", "12345"), Some(1_774_350_123_450));
        assert_eq!((stat("x", "9223372036854775807"), stat("x", "-")), (None, None));
        assert_eq!((started(None, b"1 (a) S"), started(boot, b""), started(boot, b")")), (None, None, None));
    }

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
