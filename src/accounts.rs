//! Who lives on the examined machine: `passwd(5)` of the tree itself, and the folders that look like homes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

mod machine;
mod users;

use crate::{fact::TreePath, work};

pub use machine::is_loopback;

/// Accounts of a tree that are known, and homes. Whoever writes a `passwd(5)` of evidence decides how many it names; the largest
/// hosts that keep their accounts in it have a tenth of this.
pub const MOST: usize = 20_000;

/// The accounts of one tree.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    pub(crate) names: BTreeMap<u32, String>,
    /// The groups of an account, by its number: its own first, then those of `group(5)`.
    pub(crate) groups: BTreeMap<u32, BTreeSet<u32>>,
    /// Whether `group(5)` was read.
    pub(crate) all_groups: bool,
    pub(crate) homes: BTreeSet<TreePath>,
    /// Files where the settings of an account put its history.
    pub(crate) histories: BTreeSet<TreePath>,
    /// Files that the caller named.
    pub(crate) by_hand: BTreeSet<TreePath>,
    /// Whose home a folder is, by `passwd(5)`.
    pub(crate) owners: BTreeMap<TreePath, u32>,
    /// Folders that not everybody may enter.
    pub(crate) closed: BTreeMap<TreePath, Access>,
    /// Names and addresses that the machine has for itself, in lower case.
    pub(crate) own_names: BTreeSet<String>,
    /// Places that commands and units name, and lie elsewhere: they are links, or behind one.
    pub(crate) links: BTreeMap<TreePath, TreePath>,
    /// The same of homes from the other end: the first link to each.
    pub(crate) linked: BTreeMap<TreePath, TreePath>,
    /// Folders that hold the files of another system.
    pub(crate) roots: BTreeSet<TreePath>,
    /// Lines and folders that were left out: there were more than `MOST`.
    pub(crate) dropped: usize,
}

/// Whose commands a history holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryOf {
    /// Those of an account of this machine.
    Account,
    /// Somebody's: the caller named the file.
    Somebody,
    /// It is a copy, a backup or a test file.
    Nobody,
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

/// Histories that a program keeps in the folder of each project.
const IN_PROJECTS: &[&[u8]] = &[b".aider.input.history", b".aider.chat.history.md"];

impl Accounts {
    /// From the text of `/etc/passwd`, folders found below `/home`, and folders the caller calls homes.
    pub fn new(passwd: &[u8], found: impl IntoIterator<Item = TreePath>) -> Self {
        let mut accounts = Self::default();
        found.into_iter().for_each(|home| accounts.add_home(home));
        for line in passwd.split(|b| *b == b'\n') {
            let mut fields = line.split(|b| *b == b':');
            work::done(1);
            let (name, uid, gid, home) = (fields.next(), fields.nth(1), fields.next(), fields.nth(1));
            let (Some(name), Some(uid), Some(home)) = (name, uid, home) else {
                continue;
            };
            if let Some(uid) = number(uid) {
                accounts.add(uid, gid.and_then(number), name);
            }
            if let Some(home) = TreePath::new(home).filter(|h| !h.as_bytes().is_empty()) {
                if let Some(uid) = number(uid) {
                    accounts.owners.entry(home.clone()).or_insert(uid);
                }
                accounts.add_home(home);
            }
        }
        accounts
    }

    fn add(&mut self, uid: u32, gid: Option<u32>, name: &[u8]) {
        if self.groups.len().max(self.names.len()) >= MOST {
            self.dropped += 1;
            return;
        }
        if let Some(gid) = gid {
            self.groups.entry(uid).or_default().insert(gid);
        }
        if let Some(name) = std::str::from_utf8(name).ok().filter(|n| is_account(n)) {
            self.names.entry(uid).or_insert_with(|| name.to_owned());
        }
    }

    fn add_home(&mut self, home: TreePath) {
        if self.homes.len() < MOST {
            self.homes.insert(home);
        } else if !self.homes.contains(&home) {
            self.dropped += 1;
        }
    }

    /// How many accounts and homes were left out since there were too many.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// The same, with the members that the text of `/etc/group` names.
    #[must_use]
    pub fn with_groups(mut self, group: &[u8]) -> Self {
        let mut uids: HashMap<&[u8], Vec<u32>> = HashMap::new();
        for (uid, name) in &self.names {
            uids.entry(name.as_bytes()).or_default().push(*uid);
        }
        for line in group.split(|b| *b == b'\n') {
            let mut fields = line.split(|b| *b == b':');
            let (Some(gid), Some(members)) = (fields.nth(2).and_then(number), fields.next()) else {
                continue;
            };
            self.all_groups = true;
            for member in members.split(|b| *b == b',') {
                work::done(1);
                for uid in uids.get(member.trim_ascii()).into_iter().flatten() {
                    work::done(1);
                    self.groups.entry(*uid).or_default().insert(gid);
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
        homes.into_iter().filter(|h| !h.as_bytes().is_empty()).for_each(|home| self.add_home(home));
        self
    }

    /// Whether an account is in a group; `None` where these files do not say (an account of a directory service, no
    /// `/etc/group`). Root's own group has nobody else, where nothing names a member of it.
    pub fn in_group(&self, uid: u32, gid: u32) -> Option<bool> {
        let groups = self.groups.get(&uid)?;
        if groups.contains(&gid) { Some(true) } else { (self.all_groups || gid == 0).then_some(false) }
    }

    /// The same, with where places really lie that are links, or behind one.
    #[must_use]
    pub fn with_links(mut self, links: impl IntoIterator<Item = (TreePath, TreePath)>) -> Self {
        for (link, real) in links.into_iter().take(MOST) {
            if self.homes.contains(&link) {
                let known = self.linked.entry(real.clone()).or_insert_with(|| link.clone());
                *known = link.clone().min(known.clone());
            }
            self.links.insert(link, real);
        }
        self
    }

    /// The same, with folders that hold the files of another system.
    #[must_use]
    pub fn with_other_roots(mut self, roots: impl IntoIterator<Item = TreePath>) -> Self {
        self.roots.extend(roots);
        self
    }

    /// The folder above a path that holds the files of another system: the innermost one.
    pub fn other_root(&self, path: &TreePath) -> Option<&TreePath> {
        if self.roots.is_empty() {
            return None;
        }
        let mut above = path.parent();
        while !above.as_bytes().is_empty() {
            if let Some(root) = self.roots.get(&above) {
                return Some(root);
            }
            above = above.parent();
        }
        None
    }

    /// Where a place really lies, as far as it was asked for.
    pub fn real<'p>(&'p self, path: &'p TreePath) -> &'p TreePath {
        self.links.get(path).unwrap_or(path)
    }

    /// A home that is a link to a place.
    pub fn link_to(&self, real: &TreePath) -> Option<&TreePath> {
        self.linked.get(real)
    }

    /// A place that a command names: `/srv/v`, or `~/v` of the home that holds `file`; `None` below a folder that is not known.
    pub fn named(&self, named: &str, file: &TreePath) -> Option<TreePath> {
        let Some(rest) = named.strip_prefix('~') else {
            return TreePath::new(named.as_bytes()).filter(|_| named.starts_with('/'));
        };
        let rest = rest.trim_start_matches('/');
        let home = self.home_of(file).or_else(|| Self::default().home_of(file))?;
        Some(rest.split('/').filter(|p| !p.is_empty()).fold(home, |folder, name| folder.join(name.as_bytes())))
    }

    /// The home of an account.
    pub fn home(&self, uid: u32) -> Option<&TreePath> {
        self.owners.iter().find(|(_, owner)| **owner == uid).map(|(home, _)| home)
    }

    /// The number of the account of this name, or of `#1000`.
    pub fn uid_of(&self, name: &str) -> Option<u32> {
        let numbered = name.trim_start_matches('#').parse().ok();
        let named = || self.names.iter().find(|(_, n)| n.as_str() == name).map(|(uid, _)| *uid);
        numbered.or_else(named).or_else(|| (name == "root").then_some(0))
    }

    /// Those that somebody logs in with, by their numbers: root, and others that have a home below `/home` or `/Users`.
    pub fn logins(&self) -> impl Iterator<Item = (u32, &str)> {
        let above = |home: &TreePath| [b"home/".as_slice(), b"Users/"].iter().any(|a| home.as_bytes().starts_with(a));
        let lives: BTreeSet<u32> = self.owners.iter().filter(|(home, _)| above(home)).map(|(_, uid)| *uid).collect();
        let own = move |uid: &u32| *uid == 0 || lives.contains(uid);
        self.names.iter().filter(move |(uid, _)| own(uid)).map(|(uid, name)| (*uid, name.as_str()))
    }

    /// The home in which a file stands.
    pub fn home_of(&self, path: &TreePath) -> Option<TreePath> {
        let rest = self.below_home(path)?;
        let end = path.as_bytes().len().checked_sub(rest.len() + 1)?;
        TreePath::new(path.as_bytes().get(..end)?)
    }

    /// The account's name, or its number.
    pub fn name(&self, uid: u32) -> String {
        self.names.get(&uid).cloned().unwrap_or_else(|| uid.to_string())
    }

    /// The account in whose home a file stands, whoever owns the file.
    pub fn home_owner(&self, path: &TreePath) -> Option<u32> {
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

    /// The number of the account that has this home.
    pub fn owner_of(&self, home: &TreePath) -> Option<u32> {
        self.owners.get(home).copied()
    }

    /// The same, with files where settings put histories.
    #[must_use]
    pub fn with_histories(mut self, files: impl IntoIterator<Item = TreePath>) -> Self {
        self.histories.extend(files);
        self
    }

    /// The same, with files that the caller named.
    #[must_use]
    pub fn with_files_by_hand(mut self, files: impl IntoIterator<Item = TreePath>) -> Self {
        self.by_hand.extend(files);
        self
    }

    /// Whose commands the history in this file holds. An account's own stands in its home, below a hidden folder of it, or where a
    /// system keeps settings of programs; not among its other files, but for those that a program keeps in each project.
    pub fn history_of(&self, path: &TreePath) -> HistoryOf {
        let own = |rest: &[u8]| {
            let first = rest.split(|b| *b == b'/').next().unwrap_or_default();
            IN_PROJECTS.contains(&path.name())
                || first.len() == rest.len()
                || first.starts_with(b".")
                || matches!(first, b"AppData" | b"Library")
        };
        let is_log = path.without_private().as_bytes().starts_with(b"var/log/");
        if is_log || self.histories.contains(path) || self.below_home(path).is_some_and(own) {
            HistoryOf::Account
        } else if self.by_hand.contains(path) {
            HistoryOf::Somebody
        } else {
            HistoryOf::Nobody
        }
    }

    /// What stands behind the home folder in a path: `/home/NAME`, `/root`, `/Users/NAME`, or a home known of.
    pub fn below_home<'p>(&self, path: &'p TreePath) -> Option<&'p [u8]> {
        let usual = || {
            let raw = path.as_bytes();
            let root = [&b"root/"[..], b"var/root/", b"private/var/root/"].iter().find_map(|r| raw.strip_prefix(*r));
            if root.is_some() {
                return root;
            }
            let rest = raw.strip_prefix(b"home/").or_else(|| raw.strip_prefix(b"Users/"))?;
            let slash = rest.iter().position(|b| *b == b'/')?;
            rest.get(slash + 1..)
        };
        let mut above = path.parent();
        while !above.as_bytes().is_empty() {
            work::done(1);
            if self.homes.contains(&above) {
                return path.below(&above);
            }
            above = above.parent();
        }
        usual()
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
    fn there_is_a_bound_and_what_is_beyond_is_counted() {
        let passwd = |n: usize| (0..n).map(|i| format!("u{i}:x:{i}:1::/n/{i}:/bin/sh\n")).collect::<String>();
        let kept = |n: usize| {
            let accounts = Accounts::new(passwd(n).as_bytes(), []);
            (accounts.homes().count(), accounts.names.len(), accounts.dropped())
        };
        assert_eq!(kept(MOST), (MOST, MOST, 0));
        // The row behind the bound is an account and a home.
        assert_eq!(kept(MOST + 1), (MOST, MOST, 2));
        // The same row again is nothing more.
        assert_eq!(Accounts::new(b"a:x:1:1::/a:/s\na:x:1:1::/a:/s\n", []).dropped(), 0);
    }

    #[test]
    fn the_innermost_home_counts() {
        let a = Accounts::new(b"a:x:1:1::/srv/a:/s\nb:x:2:2::/srv/a/b:/s\n", []);
        let below = |p: &str| {
            let p = TreePath::new(p.as_bytes()).unwrap();
            a.below_home(&p).map(|r| String::from_utf8_lossy(r).into_owned())
        };
        assert_eq!(below("srv/a/b/.npmrc").as_deref(), Some(".npmrc"));
        assert_eq!(below("srv/a/bc/.npmrc").as_deref(), Some("bc/.npmrc"));
        assert_eq!(below("srv/a"), None);
    }

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
        // Root's group needs no list of members; of an account that is not listed nothing is known.
        assert_eq!((a.in_group(999, 0), a.in_group(0, 0), a.in_group(7, 0)), (Some(false), Some(true), None));
        let wheel = a.clone().with_groups(b"wheel:x:0:root,ci\n");
        assert_eq!(wheel.in_group(999, 0), Some(true));
        assert_eq!((a.name(0), a.name(999), a.name(5)), ("root".into(), "ci".into(), "5".into()));
    }

    #[test]
    fn a_history_is_an_accounts_own_only_where_accounts_keep_theirs() {
        let path = |p: &str| TreePath::new(p.as_bytes()).unwrap();
        let a = Accounts::new(b"ci:x:999:999::/var/lib/ci:/bin/sh\n", [])
            .with_histories([path("data/hist/al")])
            .with_files_by_hand([path("tmp/case/.bash_history"), path("home/al/.zsh_history")]);
        for (at, whose) in [
            ("home/al/.bash_history", HistoryOf::Account),
            ("home/al/.local/share/fish/fish_history", HistoryOf::Account),
            ("home/al/.zsh_history", HistoryOf::Account),
            ("Users/al/Library/x/history", HistoryOf::Account),
            ("root/.bash_history", HistoryOf::Account),
            ("var/lib/ci/.bash_history", HistoryOf::Account),
            ("data/hist/al", HistoryOf::Account),
            ("data/hist/al2", HistoryOf::Nobody),
            ("home/al/src/app/tests/.bash_history", HistoryOf::Nobody),
            ("srv/backup/al/.bash_history", HistoryOf::Nobody),
            ("srv/root/.bash_history", HistoryOf::Nobody),
            ("home/.bash_history", HistoryOf::Nobody),
            ("tmp/case/.bash_history", HistoryOf::Somebody),
        ] {
            assert_eq!(a.history_of(&path(at)), whose, "{at}");
        }
    }
}
