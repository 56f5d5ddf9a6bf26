//! Homes of systems whose lists of accounts are not read.

use std::collections::BTreeMap;

use super::Accounts;
use crate::fact::TreePath;

impl Accounts {
    /// The same, with the folders in which the accounts of a Mac or of Windows live, whose lists of accounts are not read: by the name of
    /// the folder and its owner. Where one owner has several, as on a disk whose file system says nothing of owners, it has no name.
    #[must_use]
    pub fn with_users(mut self, homes: Vec<(TreePath, u32)>) -> Self {
        let mut count: BTreeMap<u32, usize> = BTreeMap::new();
        homes.iter().for_each(|(_, uid)| *count.entry(*uid).or_default() += 1);
        for (home, uid) in homes {
            if count.get(&uid) == Some(&1) && !self.names.contains_key(&uid) {
                self.add(uid, None, home.name());
            }
            self.owners.entry(home.clone()).or_insert(uid);
            self.add_home(home);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_owner_of_several_homes_has_no_name() {
        let home = |name: &str| TreePath::new(format!("Users/{name}").as_bytes()).unwrap();
        let mac = Accounts::new(b"", []).with_users(vec![(home("ann"), 501), (home("bo"), 502)]);
        assert_eq!((mac.name(501), mac.name(502)), ("ann".to_owned(), "bo".to_owned()));
        assert_eq!(mac.home_owner(&home("bo").join(b".zsh_history")), Some(502));
        let ntfs = Accounts::new(b"", []).with_users(vec![(home("ann"), 0), (home("bo"), 0)]);
        assert_eq!(ntfs.name(0), "0");
        assert_eq!(ntfs.homes().count(), 2);
        // What the tree itself says of a number stands.
        let own = Accounts::new(b"carl:x:501:501::/home/carl:/bin/sh\n", []).with_users(vec![(home("ann"), 501)]);
        assert_eq!(own.name(501), "carl");
    }
}
