//! Whether an account that ran the payload could read a file, by what `stat` says of it and of the folders above it.

use super::Account;
use crate::{
    accounts::{Access, Accounts},
    fact::{Seen, TreePath},
    text::escape,
};

/// Why nobody who ran the payload could read a file.
pub fn unreadable(accounts: Option<&Accounts>, seen: &Seen, mut ran: impl Iterator<Item = Account>) -> String {
    let barred = ran.find_map(|account| barred(account, accounts?, seen));
    let owner = match (accounts, barred, seen.uid, seen.mode) {
        (Some(accounts), Some((folder, access)), ..) => {
            let folder = escape(&[b"/", folder.as_bytes()].concat());
            format!(": {folder} belongs to {}, mode {:04o}", accounts.name(access.uid), access.mode)
        }
        (Some(accounts), None, Some(uid), Some(mode)) => {
            format!(": it belongs to {}, mode {mode:04o}", accounts.name(uid))
        }
        _ => String::new(),
    };
    format!("not readable by the account whose environment held the malicious code{owner}")
}

/// Whether an account can read a file: its owner, root, a member of its group or anybody where the mode says so, and
/// whoever of whom too little is known; unless a folder above it keeps the account out.
pub fn can_read(account: Account, accounts: Option<&Accounts>, seen: &Seen) -> bool {
    if account == Account::Elsewhere {
        return false;
    }
    if accounts.is_some_and(|accounts| barred(account, accounts, seen).is_some()) {
        return false;
    }
    let (Account::Uid(account), Some(owner), Some(mode)) = (account, seen.uid, seen.mode) else {
        return true;
    };
    let member = || seen.gid.and_then(|gid| accounts?.in_group(account, gid)).unwrap_or(true);
    account == 0 || account == owner || mode & 0o004 != 0 || (mode & 0o040 != 0 && member())
}

/// The folder that keeps an account out.
fn barred(account: Account, accounts: &Accounts, seen: &Seen) -> Option<(TreePath, Access)> {
    let Account::Uid(uid) = account else {
        return None;
    };
    accounts.barred(uid, &seen.origin.path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Credential, Fact, Origin};

    #[test]
    fn a_group_reads_what_its_mode_says() {
        let passwd = b"root:x:0:0::/root:/bin/sh\nwww:x:33:33::/srv:/bin/sh\nal:x:1000:1000::/home/al:/bin/sh\n";
        let accounts = Accounts::new(passwd, []).with_groups(b"www:x:33:\nshadow:x:42:\nadm:x:4:al\n");
        let reads = |uid: u32, accounts: Option<&Accounts>, gid: Option<u32>, mode: u32| {
            let origin = Origin::file(&"host".into(), TreePath::new(b"srv/.env").unwrap());
            let fact = Fact::Credential(Credential {
                kind: "db".into(),
                identifier: None,
                note: None,
                named_by: None,
                tag: None,
            });
            let seen = Seen { surface: "s", origin, at: None, uid: Some(500), gid, mode: Some(mode), unit: None, fact };
            can_read(Account::Uid(uid), accounts, &seen)
        };
        let known = Some(&accounts);
        // `.env` of a deploying account, readable by the group of the web server.
        assert!(reads(33, known, Some(33), 0o640) && reads(1000, known, Some(4), 0o640));
        assert!(!reads(1000, known, Some(33), 0o640) && !reads(1000, known, Some(42), 0o640));
        // A closed folder above it keeps out who may read the file.
        let closed = TreePath::new(b"srv").unwrap();
        let shut = |mode| accounts.clone().with_folders([(closed.clone(), Access { uid: 500, gid: 500, mode })]);
        assert!(!reads(1000, Some(&shut(0o700)), Some(4), 0o644) && reads(1000, Some(&shut(0o711)), Some(4), 0o644));
        assert!(reads(500, Some(&shut(0o700)), Some(4), 0o644) && reads(0, Some(&shut(0)), Some(4), 0o644));
        assert!(!reads(33, known, Some(33), 0o600) && reads(500, known, Some(33), 0o600) && reads(0, known, None, 0));
        // Root's own group has no other members, whether or not the list of groups is there.
        let alone = Accounts::new(passwd, []);
        assert!(!reads(1000, Some(&alone), Some(0), 0o640) && reads(1000, Some(&alone), Some(42), 0o640));
        assert!(reads(1000, Some(&alone), Some(0), 0o644) && reads(0, Some(&alone), Some(0), 0o640));
        // Who is in which group is not known: an image, an account of a directory service.
        assert!(reads(33, None, Some(33), 0o640) && reads(7, known, Some(33), 0o640) && reads(33, known, None, 0o640));
    }
}
