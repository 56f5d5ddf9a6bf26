//! Texts of the target that may move a credential's place: shell start-up files of every home, and those of the system.

use super::{Target, TargetError, accounts_of, identity, open, own_mounts, parts};
use crate::{fact::TreePath, tree::host::Host};

/// One such text.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The home it belongs to.
    pub home: Option<TreePath>,
    /// Its bytes; they may hold secrets, and only names of places are read from them.
    pub text: Vec<u8>,
}

const OF_A_HOME: &[&str] = &[
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".zprofile",
    ".envrc",
    ".pam_environment",
    ".config/fish/config.fish",
];
const OF_THE_SYSTEM: &[&str] = &["etc/environment", "etc/profile", "etc/bash.bashrc", "etc/zsh/zshenv"];
const LIMIT: u64 = 1 << 20;

/// A tree by the paths that reports show.
struct Shown<'h> {
    host: &'h Host,
    prefix: &'h TreePath,
}

impl identity::Files for Shown<'_> {
    fn read(&self, path: &TreePath) -> Option<Vec<u8>> {
        self.host.read(&TreePath::new(path.below(self.prefix)?)?, LIMIT)
    }

    fn list(&self, folder: &TreePath) -> Vec<Vec<u8>> {
        let below = if folder == self.prefix {
            Some(TreePath::root())
        } else {
            folder.below(self.prefix).and_then(TreePath::new)
        };
        below.map(|f| self.host.list(&f)).unwrap_or_default()
    }
}

/// Reads them.
///
/// # Errors
/// Where the target itself cannot be opened.
pub fn settings(target: &Target) -> Result<Vec<Setting>, TargetError> {
    let (mut found, mounts) = (Vec::new(), own_mounts());
    for part in parts(target)? {
        let host = open("host", &part, &mounts)?;
        let accounts = accounts_of(&host, target, &part);
        let mut read = |home: Option<&TreePath>, path: TreePath| {
            let below = path.below(&part.prefix).and_then(TreePath::new);
            if let Some(text) = below.and_then(|p| host.read(&p, LIMIT)) {
                found.push(Setting { home: home.cloned(), text });
            }
        };
        for name in OF_THE_SYSTEM.iter().filter_map(|n| TreePath::new(n.as_bytes())) {
            read(None, name);
        }
        let usual = TreePath::new(b"root");
        for home in accounts.homes().chain(&usual) {
            OF_A_HOME.iter().for_each(|name| read(Some(home), home.join(name.as_bytes())));
        }
        for home in accounts.homes().chain(&usual) {
            let text = identity::of_home(&Shown { host: &host, prefix: &part.prefix }, home);
            found.push(Setting { home: Some(home.clone()), text });
        }
    }
    Ok(found)
}
