//! Folders that hold the files of another system: copied evidence, a mounted disk, a chroot. What is in one is not this machine's own:
//! whoever owns its files here, it ran there.
//!
//! ```text
//! cases/7/etc/passwd                          the accounts of that system
//! cases/7/home/al/v/lib/python3.11/…          where a finding may stand
//! ```

use std::collections::BTreeSet;

use crate::{
    fact::{Fact, Seen, TreePath},
    tree::host::Host,
};

/// Folders that are asked about in one examination.
const MOST: usize = 2000;
/// Bytes of a list of accounts that are looked at: the first is root.
const HEAD: u64 = 4096;

/// The roots of other systems that these facts stand in. A snapshot or a backup of this system is none: what stands in it ran here.
/// `own` reads a file of the machine that is examined.
pub fn of_others(hosts: &[Host], seen: &[Seen], own: &dyn Fn(&str) -> Vec<u8>) -> BTreeSet<TreePath> {
    let installed = seen.iter().filter(|s| !matches!(s.fact, Fact::Credential(_) | Fact::Command(_)));
    let candidates: BTreeSet<TreePath> = installed.flat_map(|s| candidates(&s.origin.path)).take(MOST * 100).collect();
    candidates.into_iter().take(MOST).filter(|root| holds_system(hosts, root) && !is_own(hosts, root, own)).collect()
}

/// Whether a folder holds the files of this system, by what each system has for itself.
fn is_own(hosts: &[Host], root: &TreePath, own: &dyn Fn(&str) -> Vec<u8>) -> bool {
    ["machine-id", "hostname"].iter().any(|name| {
        let copy = root.join(b"etc").join(name.as_bytes());
        let copy = hosts.iter().find_map(|host| host.read_shown(&copy, HEAD)).unwrap_or_default().bytes;
        let copy = copy.trim_ascii();
        let usual = copy.is_empty() || copy.starts_with(b"localhost") || copy == b"uninitialized";
        !usual && own(&format!("etc/{name}")).trim_ascii() == copy
    })
}

/// The folders above this path below which it would stand as it does in a system.
fn candidates(path: &TreePath) -> Vec<TreePath> {
    let parts: Vec<&[u8]> = path.components().collect();
    let usual = |at: usize| {
        let next = parts.get(at + 1).copied().unwrap_or_default();
        match parts.get(at).copied().unwrap_or_default() {
            b"usr" => matches!(next, b"lib" | b"lib64" | b"local" | b"bin" | b"share"),
            b"home" | b"root" | b"opt" | b"srv" => true,
            b"var" => matches!(next, b"lib" | b"www" | b"task" | b"opt"),
            _ => false,
        }
    };
    let roots = (1..parts.len().min(32)).filter(|at| usual(*at));
    roots.filter_map(|at| TreePath::new(&parts.get(..at)?.join(&b'/'))).collect()
}

fn holds_system(hosts: &[Host], root: &TreePath) -> bool {
    let passwd = root.join(b"etc").join(b"passwd");
    let read = hosts.iter().find_map(|host| host.read_shown(&passwd, HEAD));
    read.is_some_and(|start| {
        start
            .bytes
            .split(|b| *b == b'\n')
            .any(|line| line.starts_with(b"root:") && line.split(|b| *b == b':').count() == 7)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_may_hold_another_system() {
        let of = |path: &str| -> Vec<String> {
            candidates(&TreePath::new(path.as_bytes()).unwrap()).iter().map(|p| p.text().into_owned()).collect()
        };
        assert_eq!(of("cases/7/home/al/v/lib/x"), ["/cases/7"]);
        assert_eq!(of("srv/e/usr/lib/python3/dist-packages/x"), ["/srv/e"]);
        assert_eq!(of("home/me/cases/root/.local/lib/x"), ["/home/me/cases"]);
        for path in ["home/al/v/lib/python3.11/site-packages/x", "usr/lib/x", "root/v/x", "home/al/usr/x", ""] {
            assert_eq!(of(path), [""; 0], "{path}");
        }
        assert!(of(&"home/".repeat(500)).len() < 32);
    }
}
