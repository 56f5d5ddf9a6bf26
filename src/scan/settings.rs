//! Texts of the target that may move a credential's place: shell start-up files of every home, and those of the system.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Target, TargetError, accounts_of, identity, open, own_mounts, parts};
use crate::{
    coverage::{Gap, GapKind, WALK},
    credential::moved::Moved,
    fact::{Origin, TreePath},
    tree::{ask::Start, host::Host},
};

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
/// Bytes of all of them. Twenty thousand homes with a start-up file of a megabyte each would be twenty gigabytes.
const ALL: usize = 32 << 20;

/// Names of machines that are kept of all homes.
const HOSTS: usize = 10_000;

/// Names of a folder that are looked through.
const NAMES: usize = 10_000;

/// What was read.
#[derive(Debug, Default)]
pub struct Settings {
    /// Places of credentials that the caller knows of: those of an earlier report.
    pub places: Vec<Moved>,
    /// The texts.
    pub texts: Vec<Setting>,
    /// Names that ssh knows machines by, each with the one that it stands for.
    pub hosts: Vec<(String, String)>,
    /// What was not read to its end.
    pub gaps: Vec<Gap>,
}

/// A tree by the paths that reports show.
pub(super) struct Shown<'h> {
    pub(super) host: &'h Host,
    pub(super) prefix: &'h TreePath,
}

impl identity::Files for Shown<'_> {
    fn read(&self, path: &TreePath) -> Option<Vec<u8>> {
        Some(self.host.read(&TreePath::new(path.below(self.prefix)?)?, LIMIT)?.bytes)
    }

    fn list(&self, folder: &TreePath) -> Vec<Vec<u8>> {
        let below = if folder == self.prefix {
            Some(TreePath::root())
        } else {
            folder.below(self.prefix).and_then(TreePath::new)
        };
        below.map(|f| self.host.list(&f, NAMES)).unwrap_or_default()
    }
}

/// Reads them.
///
/// # Errors
/// Where the target itself cannot be opened.
pub fn settings(target: &Target, stop: &AtomicBool) -> Result<Settings, TargetError> {
    let (mut found, mounts, mut left) = (Settings::default(), own_mounts(), ALL);
    for part in parts(target)? {
        let host = open(target.tree(), &part, &mounts)?;
        let accounts = accounts_of(&host, target, &part).0;
        let mut read = |home: Option<&TreePath>, path: TreePath| {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let below = path.below(&part.prefix).and_then(TreePath::new);
            let Some(Start { bytes, mut cut }) = below.and_then(|p| host.read(&p, LIMIT)) else {
                return;
            };
            match left.checked_sub(bytes.len()) {
                Some(rest) => {
                    left = rest;
                    found.texts.push(Setting { home: home.cloned(), text: bytes });
                }
                None => cut = true,
            }
            if cut {
                found.gaps.push(too_large(&host, path, "settings that may move credentials: not read to the end"));
            }
        };
        for name in OF_THE_SYSTEM.iter().filter_map(|n| TreePath::new(n.as_bytes())) {
            read(None, name);
        }
        let usual = TreePath::new(b"root");
        // Of an account without a home one look is enough.
        let below = |home: &TreePath| home.below(&part.prefix).and_then(TreePath::new);
        let there = |home: &&TreePath| **home == part.prefix || below(home).and_then(|h| host.real(&h)).is_some();
        for home in accounts.homes().chain(&usual).filter(there) {
            OF_A_HOME.iter().for_each(|name| read(Some(home), home.join(name.as_bytes())));
        }
        let goes_on = |_: &&TreePath| !stop.load(Ordering::Relaxed);
        for home in accounts.homes().chain(&usual).filter(there).take_while(goes_on) {
            let named = identity::of_home(&Shown { host: &host, prefix: &part.prefix }, home);
            found.texts.push(Setting { home: Some(home.clone()), text: named.keys });
            found.hosts.extend(named.hosts.into_iter().take(HOSTS - found.hosts.len().min(HOSTS)));
        }
    }
    Ok(found)
}

/// A gap of a file of the target of which only the start was read.
pub(super) fn too_large(host: &Host, path: TreePath, detail: &str) -> Gap {
    let origin = Origin::file(host.label(), path);
    Gap { origin, surface: WALK, kind: GapKind::TooLarge, detail: detail.to_owned() }
}
