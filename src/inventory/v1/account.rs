//! Who lives on the machine.

use serde::{Deserialize, Serialize};

use super::Path;
use crate::accounts::{self, Access};

/// Accounts and homes of a machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Accounts {
    /// Names by number.
    #[serde(default)]
    pub names: Vec<(u32, String)>,
    /// The groups of an account, by its number.
    #[serde(default)]
    pub groups: Vec<(u32, Vec<u32>)>,
    /// Whether the list of groups was read.
    #[serde(default)]
    pub all_groups: bool,
    /// Folders that are homes.
    #[serde(default)]
    pub homes: Vec<Path>,
    /// Where settings put histories of shells.
    #[serde(default)]
    pub histories: Vec<Path>,
    /// Files that somebody named.
    #[serde(default)]
    pub by_hand: Vec<Path>,
    /// Whose home a folder is.
    #[serde(default)]
    pub owners: Vec<(Path, u32)>,
    /// Folders above credentials that not everybody may enter: path, owner, group, permission bits.
    #[serde(default)]
    pub closed: Vec<(Path, u32, u32, u32)>,
    /// Names and addresses that the machine has for itself.
    #[serde(default)]
    pub own_names: Vec<String>,
    /// Places that commands name and that lie elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<(Path, Path)>,
    /// Folders that hold the files of another system.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<Path>,
}

impl From<&accounts::Accounts> for Accounts {
    fn from(a: &accounts::Accounts) -> Self {
        let paths = |set: &std::collections::BTreeSet<_>| set.iter().map(Path::from).collect();
        Self {
            names: a.names.iter().map(|(uid, name)| (*uid, name.clone())).collect(),
            groups: a.groups.iter().map(|(uid, gids)| (*uid, gids.iter().copied().collect())).collect(),
            all_groups: a.all_groups,
            homes: paths(&a.homes),
            histories: paths(&a.histories),
            by_hand: paths(&a.by_hand),
            owners: a.owners.iter().map(|(home, uid)| (home.into(), *uid)).collect(),
            closed: a.closed.iter().map(|(folder, by)| (folder.into(), by.uid, by.gid, by.mode)).collect(),
            own_names: a.own_names.iter().cloned().collect(),
            links: a.links.iter().map(|(link, real)| (link.into(), real.into())).collect(),
            roots: paths(&a.roots),
        }
    }
}

impl Accounts {
    /// `None` where a path is none, or there are more than are known of one machine.
    pub fn read(&self) -> Option<accounts::Accounts> {
        let most = |n: usize| n <= accounts::MOST.saturating_mul(4);
        let counts = [
            self.names.len(),
            self.groups.len(),
            self.homes.len(),
            self.owners.len(),
            self.histories.len(),
            self.links.len(),
            self.roots.len(),
        ];
        counts.into_iter().all(most).then_some(())?;
        let paths = |list: &[Path]| list.iter().map(Path::read).collect::<Option<_>>();
        let owner = |(path, uid): &(Path, u32)| Some((path.read()?, *uid));
        let closed = |(path, uid, gid, mode): &(Path, u32, u32, u32)| {
            Some((path.read()?, Access { uid: *uid, gid: *gid, mode: *mode }))
        };
        let links: Option<Vec<_>> = self.links.iter().map(|(link, real)| Some((link.read()?, real.read()?))).collect();
        let accounts = accounts::Accounts {
            names: self.names.iter().cloned().collect(),
            groups: self.groups.iter().map(|(uid, gids)| (*uid, gids.iter().copied().collect())).collect(),
            all_groups: self.all_groups,
            homes: paths(&self.homes)?,
            histories: paths(&self.histories)?,
            by_hand: paths(&self.by_hand)?,
            owners: self.owners.iter().map(owner).collect::<Option<_>>()?,
            closed: self.closed.iter().map(closed).collect::<Option<_>>()?,
            own_names: self.own_names.iter().cloned().collect(),
            links: Default::default(),
            linked: Default::default(),
            roots: paths(&self.roots)?,
            dropped: 0,
        };
        Some(accounts.with_links(links?))
    }
}
