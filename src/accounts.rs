//! Who lives on the examined machine: `passwd(5)` of the tree itself, and the folders that look like homes.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::TreePath;

/// The accounts of one tree.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    names: BTreeMap<u32, String>,
    homes: BTreeSet<TreePath>,
}

impl Accounts {
    /// From the text of `/etc/passwd`, folders found below `/home`, and folders the caller calls homes.
    pub fn new(passwd: &[u8], found: impl IntoIterator<Item = TreePath>) -> Self {
        let mut accounts = Self { names: BTreeMap::new(), homes: found.into_iter().collect() };
        for line in passwd.split(|b| *b == b'\n') {
            let mut fields = line.split(|b| *b == b':');
            let (name, uid, home) = (fields.next(), fields.nth(1), fields.nth(2));
            let (Some(name), Some(uid), Some(home)) = (name, uid, home) else {
                continue;
            };
            let uid = std::str::from_utf8(uid).ok().and_then(|u| u.parse().ok());
            let name = std::str::from_utf8(name).ok().filter(|n| is_account(n));
            if let (Some(uid), Some(name)) = (uid, name) {
                accounts.names.entry(uid).or_insert_with(|| name.to_owned());
            }
            if let Some(home) = TreePath::new(home).filter(|h| !h.as_bytes().is_empty()) {
                accounts.homes.insert(home);
            }
        }
        accounts
    }

    /// The account's name, or its number.
    pub fn name(&self, uid: u32) -> String {
        self.names.get(&uid).cloned().unwrap_or_else(|| uid.to_string())
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
        assert_eq!((a.name(0), a.name(999), a.name(5)), ("root".into(), "ci".into(), "5".into()));
    }
}
