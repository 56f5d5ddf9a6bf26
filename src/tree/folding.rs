//! Trees whose file system takes names in any case: NTFS, FAT, the usual APFS.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    os::fd::AsFd as _,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    Kind,
    host::Host,
    open,
    queue::Below,
    spelling::{self, Spelling},
};
use crate::fact::TreePath;

/// Names of a folder as they stand there, by how they compare.
type Listed = HashMap<Vec<u8>, Vec<u8>>;

/// Where names have no case, and how they are spelled there.
#[derive(Default)]
pub(super) struct Folding {
    /// Folders of the tree, each with all that is below it.
    at: Vec<TreePath>,
    spelling: Arc<Spelling>,
    /// The folder that was looked through last.
    listed: Mutex<Option<(TreePath, Listed)>>,
}

/// The names of one folder as they are usually spelled.
pub(super) struct Names<'s> {
    /// With the name of the folder.
    spelling: Option<(&'s Spelling, Vec<u8>)>,
    /// Those that stand there otherwise: the usual spelling, then what is written there.
    files: Vec<(Vec<u8>, Vec<u8>, Kind)>,
    folders: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Folding {
    fn of(&self, path: &TreePath) -> Option<&Spelling> {
        self.at.iter().any(|at| path.is_within(at)).then_some(&*self.spelling)
    }

    pub(super) fn names(&self, folder: &TreePath) -> Names<'_> {
        Names { spelling: self.of(folder).map(|s| (s, folder.name().to_vec())), files: Vec::new(), folders: Vec::new() }
    }

    pub(super) fn path(&self, path: TreePath) -> TreePath {
        self.of(&path).map_or_else(|| path.clone(), |spelling| spelling.path(&path))
    }
}

impl Names<'_> {
    /// Whether the name is kept for the end, since it is usually spelled otherwise.
    pub(super) fn keep(&mut self, name: &[u8], kind: Kind) -> bool {
        let Some(usual) = self.spelling.as_ref().and_then(|(s, folder)| s.of(folder, name)) else { return false };
        match kind {
            Kind::Dir => self.folders.push((usual, name.to_vec())),
            _ => self.files.push((usual, name.to_vec(), kind)),
        }
        true
    }

    /// The folders that were kept. One beside which another has the usual name, as a file system that tells case apart may have it, stays
    /// what it is.
    pub(super) fn folders<'n>(&'n self, path: &TreePath, others: &'n [Below]) -> Vec<Below> {
        let mut taken: HashSet<&[u8]> =
            if self.folders.is_empty() { HashSet::new() } else { others.iter().map(|o| &*o.name).collect() };
        let one = |(usual, name): &'n (Vec<u8>, Vec<u8>)| match taken.insert(usual) {
            true => Below::spelled(path, usual, name),
            false => Below::new(path, name),
        };
        self.folders.iter().map(one).collect()
    }

    /// The files and links that were kept, by the name to ask for, with what is written there; `others` are those that have their usual name.
    pub(super) fn files(&self, others: &[(Vec<u8>, Kind)]) -> HashMap<Vec<u8>, (Vec<u8>, Kind)> {
        let mut all = HashMap::new();
        let taken: HashSet<&[u8]> =
            if self.files.is_empty() { HashSet::new() } else { others.iter().map(|(name, _)| &**name).collect() };
        for (usual, name, kind) in &self.files {
            let key = if taken.contains(&**usual) || all.contains_key(usual) { name } else { usual };
            all.insert(key.clone(), (name.clone(), *kind));
        }
        all
    }
}

impl Host {
    /// The same, where `at`, by paths below the root, are folders whose names have no case.
    #[must_use]
    pub fn folding(mut self, at: Vec<TreePath>, spelling: Arc<Spelling>) -> Self {
        if at.iter().any(|at| at.as_bytes().is_empty()) {
            self.prefix = spelling.path(&self.prefix);
        }
        self.folding = Folding { at, spelling, listed: Mutex::default() };
        self
    }

    /// These folders of this machine, as far as they are in the tree; the root where one holds the tree.
    pub fn here(&self, folders: Vec<TreePath>) -> Vec<TreePath> {
        let here = |folder: TreePath| match self.own.is_within(&folder) {
            true => Some(TreePath::root()),
            false => TreePath::new(folder.below(&self.own)?),
        };
        folders.into_iter().filter_map(here).collect()
    }

    /// Where a path stands that may be spelled otherwise.
    pub(super) fn locate<'p>(&self, path: &'p TreePath) -> Cow<'p, TreePath> {
        let mut at = TreePath::root();
        if self.folding.of(path).is_none() || self.is_there(path) {
            return Cow::Borrowed(path);
        }
        for name in path.components() {
            let here = at.join(name);
            at = if self.is_there(&here) { here } else { self.otherwise(&at, name).unwrap_or(here) };
        }
        Cow::Owned(at)
    }

    fn is_there(&self, path: &TreePath) -> bool {
        open::is_there(self.root.as_fd(), path.written(), self.links)
    }

    /// A name of a folder in another case.
    fn otherwise(&self, folder: &TreePath, name: &[u8]) -> Option<TreePath> {
        let mut listed = self.folding.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if listed.as_ref().is_none_or(|(of, _)| of != folder) {
            let (fd, _) = open::folder(self.root.as_fd(), folder).ok()?;
            let mut names = HashMap::new();
            let mut add = |name: &[u8], _| {
                names.insert(spelling::folded(name), name.to_vec());
                true
            };
            open::each_name(&fd, &mut Vec::with_capacity(1 << 15), &mut add).ok()?;
            *listed = Some((folder.clone(), names));
        }
        let (_, names) = listed.as_ref()?;
        names.get(&spelling::folded(name)).map(|written| folder.join_spelled(name, written))
    }
}
