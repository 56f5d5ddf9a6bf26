//! What the settings of engines say about where their stores are. The defaults are looked at in any case.

use std::{fs::File, io::Read as _, os::fd::OwnedFd};

use rustix::{
    fs::{self as sys, FileType, OFlags},
    io::Errno,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{super::disk, within};
use crate::{fact::TreePath, image::few::Few, surface::Flaw};

const WHAT: &str = "settings of an engine";
/// Bytes of one file of settings.
const SETTINGS: u64 = 1 << 20;
/// Bytes of a path.
const PATH: usize = 4096;

/// The text of a file of settings; `None` where there is none. A file without a length is not opened: those of `/proc`, to which a
/// link may lead, can wait without end, or hand on once what others are waiting for.
pub(super) fn small(root: &OwnedFd, path: &TreePath) -> Result<Option<String>, Flaw> {
    let held = match within(root, path, OFlags::PATH) {
        Ok(held) => held,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(e) => return Err(Flaw::Io(e.into())),
    };
    let stat = sys::fstat(&held).map_err(std::io::Error::from)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_size == 0 {
        return Ok(Some(String::new()));
    }
    let len = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
    if len > SETTINGS {
        return Err(Flaw::TooLarge(SETTINGS));
    }
    let file: File = disk::reopened(&held).map_err(std::io::Error::from)?;
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map(Some).map_err(|_| Flaw::malformed(WHAT, "not UTF-8"))
}

/// Whose settings they are.
#[derive(Default)]
pub(super) struct Account<'a> {
    /// From the root; `None` where it is not UTF-8.
    pub(super) home: Option<&'a str>,
    pub(super) uid: Option<u32>,
}

fn toml<T: DeserializeOwned>(text: &str) -> Result<T, Flaw> {
    toml::from_str(text).map_err(|_| Flaw::malformed(WHAT, "not the TOML that it should be"))
}

/// What a `storage.conf` says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) graph_roots: Vec<String>,
    /// Where the stores of users are, with `$HOME`.
    pub(super) users: Vec<String>,
    /// Stores of images that are shared.
    pub(super) additional: Vec<String>,
}

impl Storage {
    pub(super) fn extend(&mut self, other: Self) {
        self.graph_roots.extend(other.graph_roots);
        self.users.extend(other.users);
        self.additional.extend(other.additional);
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StorageFile {
    storage: StorageTable,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StorageTable {
    graphroot: String,
    imagestore: String,
    rootless_storage_path: String,
    options: StorageOptions,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StorageOptions {
    additionalimagestores: Few<String>,
}

/// `storage.conf`.
pub(super) fn storage(text: &str, account: &Account<'_>) -> Result<Storage, Flaw> {
    let StorageFile { storage } = toml(text)?;
    let filled = |text: &String| !text.is_empty();
    let here = |text: String| expand(&text, account);
    let shared = storage.options.additionalimagestores.0.into_iter().chain([storage.imagestore]);
    Ok(Storage {
        graph_roots: Some(storage.graphroot).filter(filled).and_then(here).into_iter().collect(),
        users: Some(storage.rootless_storage_path).filter(filled).into_iter().collect(),
        additional: shared.filter(filled).filter_map(here).collect(),
    })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct DaemonFile {
    data_root: String,
    /// Its name before 17.05.
    graph: String,
}

/// `daemon.json`.
pub(super) fn docker_root(text: &str) -> Result<Option<String>, Flaw> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let read = serde_json::from_str(text).map_err(|_| Flaw::malformed(WHAT, "not the JSON that it should be"));
    let DaemonFile { data_root, graph } = read?;
    Ok([data_root, graph].into_iter().find(|root| !root.is_empty()))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ContainerdFile {
    root: String,
}

/// `config.toml` of containerd.
pub(super) fn containerd_root(text: &str) -> Result<Option<String>, Flaw> {
    let ContainerdFile { root } = toml(text)?;
    Ok(Some(root).filter(|root| root.starts_with('/')))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CrioFile {
    crio: ContainerdFile,
}

/// `crio.conf`.
pub(super) fn crio_root(text: &str) -> Result<Option<String>, Flaw> {
    let CrioFile { crio } = toml(text)?;
    Ok(Some(crio.root).filter(|root| root.starts_with('/')))
}

/// A path with the variables that engines accept in it. `None` where it is not absolute then, or too long.
pub(super) fn expand(path: &str, account: &Account<'_>) -> Option<String> {
    let home = account.home.map(|home| format!("/{}", home.trim_start_matches('/')));
    let user = home.as_ref().and_then(|home| home.rsplit('/').next()).map(str::to_owned);
    let uid = account.uid.map(|uid| uid.to_string());
    let mut path = path.to_owned();
    for (name, value) in [("HOME", home), ("USER", user), ("UID", uid)] {
        for form in [format!("${{{name}}}"), format!("${name}")] {
            if path.len() >= PATH {
                return None;
            }
            if path.contains(&form) {
                path = path.replace(&form, value.as_deref()?);
            }
        }
    }
    (path.starts_with('/') && path.len() < PATH).then_some(path)
}
