//! What the settings of engines say about where their stores are. What cannot be parsed says nothing: the defaults are looked at in
//! any case.

use serde::Deserialize;

use crate::image::few::Few;

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
pub(super) fn storage(text: &str, home: &str, owner: Option<u32>) -> Storage {
    let Ok(StorageFile { storage }) = toml::from_str(text) else {
        return Storage::default();
    };
    let filled = |text: &String| !text.is_empty();
    let here = |text: String| expand(&text, home, owner);
    let shared = storage.options.additionalimagestores.0.into_iter().chain([storage.imagestore]);
    Storage {
        graph_roots: Some(storage.graphroot).filter(filled).and_then(here).into_iter().collect(),
        users: Some(storage.rootless_storage_path).filter(filled).into_iter().collect(),
        additional: shared.filter(filled).filter_map(here).collect(),
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct DaemonFile {
    data_root: String,
    /// Its name before 17.05.
    graph: String,
}

/// `daemon.json`.
pub(super) fn docker_root(text: &str) -> Option<String> {
    let DaemonFile { data_root, graph } = serde_json::from_str(text).ok()?;
    [data_root, graph].into_iter().find(|root| !root.is_empty())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ContainerdFile {
    root: String,
}

/// `config.toml` of containerd.
pub(super) fn containerd_root(text: &str) -> Option<String> {
    let ContainerdFile { root } = toml::from_str(text).ok()?;
    Some(root).filter(|root| root.starts_with('/'))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CrioFile {
    crio: ContainerdFile,
}

/// `crio.conf`.
pub(super) fn crio_root(text: &str) -> Option<String> {
    let CrioFile { crio } = toml::from_str(text).ok()?;
    Some(crio.root).filter(|root| root.starts_with('/'))
}

/// A path with the variables that engines accept in it. `None` where it is not absolute then.
pub(super) fn expand(path: &str, home: &str, owner: Option<u32>) -> Option<String> {
    let mut path = path.to_owned();
    let home = format!("/{}", home.trim_start_matches('/'));
    let user = home.rsplit('/').next().unwrap_or_default().to_owned();
    let uid = owner.map(|uid| uid.to_string());
    for (name, value) in [("HOME", Some(home)), ("USER", Some(user)), ("UID", uid)] {
        for form in [format!("${{{name}}}"), format!("${name}")] {
            if path.contains(&form) {
                path = path.replace(&form, value.as_deref()?);
            }
        }
    }
    (path.starts_with('/') && path.len() < 4096).then_some(path)
}
