//! Who may enter the folders above the credentials: a file that everybody may read is out of reach in a home that is closed.

use std::collections::BTreeSet;

use crate::{
    accounts::Access,
    fact::{Fact, Seen, TreePath},
    tree::host::Host,
};

/// The folders above each credential, with their permissions. `here` is whether the trees are folders of this machine, above
/// which further folders stand.
pub fn above_credentials(hosts: &[Host], seen: &[Seen], here: bool) -> Vec<(TreePath, Access)> {
    let mut folders = BTreeSet::new();
    for s in seen.iter().filter(|s| matches!(s.fact, Fact::Credential(_))) {
        let mut folder = s.origin.path.parent();
        while !folder.as_bytes().is_empty() && folders.insert(folder.clone()) {
            folder = folder.parent();
        }
    }
    let access = |folder: &TreePath| {
        let inside = hosts.iter().find_map(|host| host.access_shown(folder));
        inside.or_else(|| here.then(|| on_this_machine(folder)).flatten())
    };
    folders.into_iter().filter_map(|folder| Some((folder.clone(), access(&folder)?))).collect()
}

fn on_this_machine(folder: &TreePath) -> Option<Access> {
    let stat = rustix::fs::stat([b"/", folder.as_bytes()].concat().as_slice()).ok()?;
    Some(Access { uid: stat.st_uid, gid: stat.st_gid, mode: stat.st_mode & 0o7777 })
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{MetadataExt as _, PermissionsExt as _},
        path::Path,
    };

    use super::*;
    use crate::{
        accounts::Accounts,
        fact::{Credential, Origin},
        tree::mounts::Skips,
    };

    #[test]
    #[allow(clippy::disallowed_methods)] // a tree of its own
    fn a_closed_folder_keeps_out_who_may_not_enter_it() {
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("home/bob");
        fs::create_dir_all(home.join("src/app")).unwrap();
        let host = || Host::open("root", root.path(), TreePath::root(), Skips::default()).unwrap();
        let path = TreePath::new(b"home/bob/src/app/.env").unwrap();
        let credential = Credential { kind: "db".into(), identifier: None, note: None, named_by: None, tag: None };
        let origin = Origin::file(&"root".into(), path.clone());
        let fact = Fact::Credential(credential);
        let seen = [Seen { surface: "s", origin, at: None, uid: None, gid: None, mode: None, unit: None, fact }];
        let owner = fs::metadata(&home).unwrap();
        let passwd =
            format!("bob:x:{}:{}::/home/bob:/bin/sh\nal:x:4242:4242::/home/al:/bin/sh\n", owner.uid(), owner.gid());
        let barred = |mode: u32, group: &str, uid: u32| {
            fs::set_permissions(&home, fs::Permissions::from_mode(mode)).unwrap();
            let folders = above_credentials(&[host()], &seen, false);
            assert_eq!(folders.len(), 4);
            let accounts = Accounts::new(passwd.as_bytes(), []).with_groups(group.as_bytes()).with_folders(folders);
            accounts.barred(uid, &path).map(|(folder, access)| (folder.text().into_owned(), access.mode))
        };
        let own = format!("staff:x:{}:\n", owner.gid());
        let with_al = format!("staff:x:{}:al\n", owner.gid());
        assert_eq!(barred(0o700, &own, 4242), Some(("/home/bob".to_owned(), 0o700)));
        assert_eq!(barred(0o750, &own, 4242), Some(("/home/bob".to_owned(), 0o750)));
        assert_eq!(barred(0o750, &with_al, 4242), None);
        assert_eq!(barred(0o755, &own, 4242), None);
        assert_eq!(barred(0o700, &own, 0), None);
        assert_eq!(barred(0o700, &own, owner.uid()), None);
    }

    #[test]
    fn folders_above_what_was_named_count_too() {
        assert!(on_this_machine(&TreePath::new(b"usr/bin").unwrap()).is_some_and(|a| a.mode & 0o111 == 0o111));
        assert!(on_this_machine(&TreePath::new(b"no/such/folder").unwrap()).is_none());
        assert!(Path::new("/usr/bin").is_dir());
    }
}
