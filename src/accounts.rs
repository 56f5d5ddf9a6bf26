//! Who lives on the examined machine: `passwd(5)` of the tree itself, and the folders that look like homes.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::TreePath;

/// The accounts of one tree.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    names: BTreeMap<u32, String>,
    /// The groups of an account, by its number: its own first, then those of `group(5)`.
    groups: BTreeMap<u32, BTreeSet<u32>>,
    /// Whether `group(5)` was read.
    all_groups: bool,
    homes: BTreeSet<TreePath>,
    /// Whose home a folder is, by `passwd(5)`.
    owners: BTreeMap<TreePath, u32>,
    /// Folders that not everybody may enter.
    closed: BTreeMap<TreePath, Access>,
}

/// Whose a folder is, and who may enter it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
}

impl Accounts {
    /// From the text of `/etc/passwd`, folders found below `/home`, and folders the caller calls homes.
    pub fn new(passwd: &[u8], found: impl IntoIterator<Item = TreePath>) -> Self {
        let mut accounts = Self { homes: found.into_iter().collect(), ..Self::default() };
        for line in passwd.split(|b| *b == b'\n') {
            let mut fields = line.split(|b| *b == b':');
            let (name, uid, gid, home) = (fields.next(), fields.nth(1), fields.next(), fields.nth(1));
            let (Some(name), Some(uid), Some(home)) = (name, uid, home) else {
                continue;
            };
            let uid = number(uid);
            if let (Some(uid), Some(gid)) = (uid, gid.and_then(number)) {
                accounts.groups.entry(uid).or_default().insert(gid);
            }
            let name = std::str::from_utf8(name).ok().filter(|n| is_account(n));
            if let (Some(uid), Some(name)) = (uid, name) {
                accounts.names.entry(uid).or_insert_with(|| name.to_owned());
            }
            if let Some(home) = TreePath::new(home).filter(|h| !h.as_bytes().is_empty()) {
                if let Some(uid) = uid {
                    accounts.owners.entry(home.clone()).or_insert(uid);
                }
                accounts.homes.insert(home);
            }
        }
        accounts
    }

    /// The same, with the members that the text of `/etc/group` names.
    #[must_use]
    pub fn with_groups(mut self, group: &[u8]) -> Self {
        for line in group.split(|b| *b == b'\n') {
            let mut fields = line.split(|b| *b == b':');
            let (Some(gid), Some(members)) = (fields.nth(2).and_then(number), fields.next()) else {
                continue;
            };
            self.all_groups = true;
            for member in members.split(|b| *b == b',') {
                let uids = self.names.iter().filter(|(_, name)| name.as_bytes() == member.trim_ascii());
                for uid in uids.map(|(uid, _)| *uid) {
                    self.groups.entry(uid).or_default().insert(gid);
                }
            }
        }
        self
    }

    /// The same, with what is known of the folders above some files.
    #[must_use]
    pub fn with_folders(mut self, folders: impl IntoIterator<Item = (TreePath, Access)>) -> Self {
        self.closed.extend(folders.into_iter().filter(|(_, access)| access.mode & 0o001 == 0));
        self
    }

    /// The folder on the way to a file that keeps an account out, where one is known to.
    pub fn barred(&self, uid: u32, path: &TreePath) -> Option<(TreePath, Access)> {
        if self.closed.is_empty() || uid == 0 {
            return None;
        }
        let mut above = path.parent();
        while !above.as_bytes().is_empty() {
            if let Some(access) = self.closed.get(&above).filter(|a| !self.enters(uid, a)) {
                return Some((above, *access));
            }
            above = above.parent();
        }
        None
    }

    /// The owner's bits count for the owner alone, those of the group for whoever is, or may be, in it.
    fn enters(&self, uid: u32, folder: &Access) -> bool {
        match uid == folder.uid {
            true => folder.mode & 0o100 != 0,
            false => folder.mode & 0o010 != 0 && self.in_group(uid, folder.gid).unwrap_or(true),
        }
    }

    /// The same, with these homes too. The root is none.
    #[must_use]
    pub fn with_homes(mut self, homes: impl IntoIterator<Item = TreePath>) -> Self {
        self.homes.extend(homes.into_iter().filter(|h| !h.as_bytes().is_empty()));
        self
    }

    /// Whether an account is in a group; `None` where these files do not say (an account of a directory service, no
    /// `/etc/group`).
    pub fn in_group(&self, uid: u32, gid: u32) -> Option<bool> {
        let groups = self.groups.get(&uid)?;
        if groups.contains(&gid) { Some(true) } else { self.all_groups.then_some(false) }
    }

    /// The account's name, or its number.
    pub fn name(&self, uid: u32) -> String {
        self.names.get(&uid).cloned().unwrap_or_else(|| uid.to_string())
    }

    /// The account in whose home a file stands, whoever owns the file.
    pub fn at_home(&self, path: &TreePath) -> Option<u32> {
        let mut above = path.parent();
        while !above.as_bytes().is_empty() {
            if let Some(uid) = self.owners.get(&above) {
                return Some(*uid);
            }
            above = above.parent();
        }
        None
    }

    /// The homes known of.
    pub fn homes(&self) -> impl Iterator<Item = &TreePath> {
        self.homes.iter()
    }

    /// What stands behind the home folder in a path: `/home/NAME`, `/root`, `/Users/NAME`, or a home known of.
    pub fn below_home<'p>(&self, path: &'p TreePath) -> Option<&'p [u8]> {
        let usual = || {
            let raw = path.as_bytes();
            if let Some(rest) = raw.strip_prefix(b"root/") {
                return Some(rest);
            }
            let rest = raw.strip_prefix(b"home/").or_else(|| raw.strip_prefix(b"Users/"))?;
            let slash = rest.iter().position(|b| *b == b'/')?;
            rest.get(slash + 1..)
        };
        let known = self.homes.iter().filter_map(|h| path.below(h)).min_by_key(|rest| rest.len());
        known.or_else(usual)
    }
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn is_account(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-$@".contains(c);
    !name.is_empty() && name.len() <= 64 && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_come_from_passwd_and_from_custom() {
        let a = Accounts::new(
            b"root:x:0:0::/root:/bin/sh\nci:x:999:999::/var/lib/ci:/bin/sh\nbad\nx\x1b:x:5:5::/h:/s\n",
            [],
        );
        let below = |p: &str| {
            let p = TreePath::new(p.as_bytes()).unwrap();
            a.below_home(&p).map(|r| String::from_utf8_lossy(r).into_owned())
        };
        assert_eq!(below("home/al/.ssh/id").as_deref(), Some(".ssh/id"));
        assert_eq!(below("root/.npmrc").as_deref(), Some(".npmrc"));
        assert_eq!(below("var/lib/ci/.npmrc").as_deref(), Some(".npmrc"));
        assert_eq!(below("etc/passwd"), None);
        let groups = a.clone().with_groups(b"root:x:0:\nwww:x:33:bob,ci\nbroken\nshadow:x:42:\n");
        assert_eq!((groups.in_group(999, 33), groups.in_group(999, 999)), (Some(true), Some(true)));
        assert_eq!((groups.in_group(999, 42), groups.in_group(7, 42)), (Some(false), None));
        assert_eq!((a.in_group(999, 999), a.in_group(999, 42)), (Some(true), None));
        assert_eq!((a.name(0), a.name(999), a.name(5)), ("root".into(), "ci".into(), "5".into()));
    }
}
