//! What layers were unpacked to, and what containers wrote: the folders of the overlay plugins.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    super::{
        below::Below,
        flaws::{Flaws, note},
        unpacked::CHAIN,
    },
    database::{Kept, Metadata, read},
};
use crate::{
    bolt::{Path, Visit},
    fact::TreePath,
    surface::Flaw,
};

const FOLDER: &str = "io.containerd.snapshotter.v1.";
/// Plugins that keep a folder a layer, as overlay mounts them.
const SUPPORTED: &[Supported] = &[Supported("overlayfs"), Supported("fuse-overlayfs"), Supported("stargz")];

/// A plugin whose folders are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Supported(&'static str);

impl Supported {
    fn folder(self) -> String {
        let inner = if self.0 == "stargz" { "/snapshotter" } else { "" };
        format!("{FOLDER}{}{inner}", self.0)
    }

    /// The plugin that this folder is of, and its number.
    fn of(layer: &TreePath) -> Option<(Self, u64)> {
        SUPPORTED.iter().copied().find_map(|plugin| {
            let rest = layer.as_bytes().strip_prefix(format!("{}/snapshots/", plugin.folder()).as_bytes())?;
            Some((plugin, std::str::from_utf8(rest.strip_suffix(b"/fs")?).ok()?.parse().ok()?))
        })
    }
}

/// What a snapshot is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Unknown,
    /// Nobody writes to it.
    View,
    /// A container writes to it, or a layer is being unpacked.
    Active,
    /// A layer.
    Committed,
}

/// One snapshot.
#[derive(Debug)]
pub(super) struct Snapshot {
    plugin: Supported,
    /// `<namespace>/<number>/<key>`
    pub(super) name: String,
    /// Which folder is its own.
    id: Option<u64>,
    pub(super) kind: Kind,
    /// The name of the one below it.
    parent: Option<String>,
    /// In bytes, where containerd counted them.
    size: u64,
}

impl Snapshot {
    /// What tells it from all others.
    pub(super) fn identity(&self) -> (&'static str, &str) {
        (self.plugin.0, &self.name)
    }

    pub(super) fn namespace(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    /// A chain id, or what the container calls it.
    pub(super) fn key(&self) -> &str {
        self.name.splitn(3, '/').nth(2).unwrap_or_default()
    }
}

/// All snapshots, by plugin and name.
#[derive(Default)]
pub(super) struct Snapshots {
    all: BTreeMap<(&'static str, String), Snapshot>,
    /// The names of layers, by chain id.
    committed: BTreeMap<String, (&'static str, String)>,
    /// Those that others stand on.
    parents: BTreeSet<(&'static str, String)>,
    /// Names by the numbers of their folders.
    numbers: HashMap<(&'static str, u64), String>,
}

impl Snapshots {
    /// Reads the databases of the plugins that are supported; others that hold something are flaws.
    pub(super) fn read(store: &Below, metadata: &Metadata, flaws: &mut Flaws) -> Self {
        let mut snapshots = Self::default();
        for plugin in SUPPORTED {
            let path = format!("{}/metadata.db", plugin.folder());
            let found: Reading = read(store, path.as_bytes(), flaws);
            found.kept.report(path.as_bytes(), flaws);
            for (name, record) in found.all {
                let Record { id, kind, parent, size } = record;
                let place = (plugin.0, name.clone());
                snapshots.parents.extend(parent.iter().map(|parent| (plugin.0, parent.clone())));
                snapshots.numbers.extend(id.map(|id| ((plugin.0, id), name.clone())));
                let snapshot = Snapshot { plugin: *plugin, name, id, kind, parent, size };
                if kind == Kind::Committed {
                    snapshots.committed.entry(snapshot.key().to_owned()).or_insert_with(|| place.clone());
                }
                snapshots.all.insert(place, snapshot);
            }
        }
        let used: BTreeSet<&str> = metadata.snapshots.keys().map(|(_, plugin, _)| plugin.as_str()).collect();
        for other in used.into_iter().filter(|used| SUPPORTED.iter().all(|s| s.0 != *used)) {
            let flaw = Flaw::Unsupported("a plugin of containerd that keeps no folder a layer");
            note(flaws, format!("{FOLDER}{other}").as_bytes(), flaw);
        }
        snapshots
    }

    /// The layer with this chain id.
    pub(super) fn committed(&self, chain: &str) -> Option<&Snapshot> {
        self.all.get(self.committed.get(chain)?)
    }

    /// The one that `meta.db` calls so.
    pub(super) fn named(&self, plugin: &str, name: &str) -> Option<&Snapshot> {
        let plugin = SUPPORTED.iter().find(|s| s.0 == plugin)?;
        self.all.get(&(plugin.0, name.to_owned()))
    }

    /// This one and those below it, from the topmost, and whether there are more than any engine stacks. Those that nobody writes to
    /// hold nothing of their own.
    pub(super) fn chain<'s>(&'s self, top: &'s Snapshot) -> (Vec<&'s Snapshot>, bool) {
        let (mut chain, mut met) = (Vec::new(), HashSet::new());
        let mut next = Some(top);
        while let Some(snapshot) = next.filter(|s| !met.contains(s.name.as_str())) {
            if met.len() >= CHAIN {
                return (chain, true);
            }
            met.insert(snapshot.name.as_str());
            if snapshot.kind != Kind::View {
                chain.push(snapshot);
            }
            next = snapshot.parent.as_ref().and_then(|name| self.all.get(&(snapshot.plugin.0, name.clone())));
        }
        (chain, false)
    }

    /// The namespace in which this folder was made; `None` where nobody knows it.
    pub(super) fn namespace_of(&self, layer: &TreePath) -> Option<&str> {
        let (plugin, number) = Supported::of(layer)?;
        self.numbers.get(&(plugin.0, number))?.split('/').next()
    }

    /// The folders below that of a snapshot, from the next one down; `None` where the layer is no folder.
    pub(super) fn below(&self, layer: &TreePath) -> Option<Vec<TreePath>> {
        let (plugin, number) = Supported::of(layer)?;
        let name = self.numbers.get(&(plugin.0, number));
        let snapshot = name.and_then(|name| self.all.get(&(plugin.0, name.clone())));
        let (chain, _) = snapshot.map(|snapshot| self.chain(snapshot)).unwrap_or_default();
        Some(chain.iter().skip(1).filter_map(|s| Some(self.member(s)?.0)).collect())
    }

    /// Those that no other one stands on.
    pub(super) fn tops(&self) -> impl Iterator<Item = &Snapshot> {
        self.all.iter().filter(|(place, _)| !self.parents.contains(*place)).map(|(_, snapshot)| snapshot)
    }

    /// Its folder, and its size in bytes.
    pub(super) fn member(&self, snapshot: &Snapshot) -> Option<(TreePath, u64)> {
        let folder = format!("{}/snapshots/{}/fs", snapshot.plugin.folder(), snapshot.id?);
        Some((TreePath::new(folder.as_bytes())?, snapshot.size))
    }
}

/// How often the name of a snapshot is kept.
const COPIES: usize = 4;

#[derive(Default)]
struct Record {
    id: Option<u64>,
    kind: Kind,
    parent: Option<String>,
    size: u64,
}

#[derive(Default)]
struct Reading {
    all: BTreeMap<String, Record>,
    kept: Kept,
}

impl Visit for Reading {
    fn enter(&mut self, path: &Path) -> bool {
        match path {
            [version] => **version == *b"v1",
            [_, kind] | [_, kind, _] => **kind == *b"snapshots",
            _ => false,
        }
    }

    fn value(&mut self, path: &Path, key: &[u8], value: &[u8]) {
        let [_, _, name] = path else {
            return;
        };
        if !matches!(key, b"id" | b"size" | b"parent" | b"kind") {
            return;
        }
        let name = String::from_utf8_lossy(name).into_owned();
        let own = if self.all.contains_key(&name) { 0 } else { name.len().saturating_mul(COPIES) };
        if !self.kept.admits(own.saturating_add(value.len())) {
            return;
        }
        let record = self.all.entry(name).or_default();
        match key {
            b"id" => record.id = varint(value),
            b"size" => record.size = varint(value).unwrap_or(0) >> 1,
            b"parent" => record.parent = Some(String::from_utf8_lossy(value).into_owned()),
            b"kind" => {
                record.kind = match value {
                    [1] => Kind::View,
                    [2] => Kind::Active,
                    [3] => Kind::Committed,
                    _ => Kind::Unknown,
                }
            }
            _ => {}
        }
    }
}

/// Seven bits a byte, the lowest first.
fn varint(bytes: &[u8]) -> Option<u64> {
    let mut number: u64 = 0;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
