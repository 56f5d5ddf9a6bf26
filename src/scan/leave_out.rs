//! Files of this machine that are none of the evidence: what this run itself writes.

use std::{os::unix::ffi::OsStrExt as _, path::PathBuf, sync::Arc};

use crate::{
    coverage::{Exclusion, Gap},
    fact::{Origin, TreePath},
    tree::{Body, Entry, Kind, Listed, Visit},
};

/// A visitor that does not look at some files.
pub struct LeaveOut<'v, V> {
    visit: &'v V,
    tree: Arc<str>,
    files: Vec<TreePath>,
}

impl<'v, V: Visit> LeaveOut<'v, V> {
    /// These files, by their real paths.
    pub fn new(visit: &'v V, tree: &Arc<str>, files: &[PathBuf]) -> Self {
        let files = files.iter().filter_map(|f| TreePath::new(f.as_os_str().as_bytes()));
        Self { visit, tree: tree.clone(), files: files.collect() }
    }
}

impl<V: Visit> Visit for LeaveOut<'_, V> {
    /// That of the other visitor, and the names to leave out.
    type Folder = (V::Folder, Vec<TreePath>);

    fn folder(&self, path: &TreePath) -> Self::Folder {
        (self.visit.folder(path), self.files.iter().filter(|f| f.parent() == *path).cloned().collect())
    }

    fn wants(&self, (folder, files): &Self::Folder, name: &[u8], kind: Kind) -> bool {
        if let Some(file) = files.iter().find(|f| f.name() == name) {
            let reason = "written by this program: a file of `-o`".to_owned();
            self.visit.exclude(Exclusion { origin: Origin::file(&self.tree, file.clone()), reason });
            return false;
        }
        self.visit.wants(folder, name, kind)
    }

    fn sift(&self, folder: &Self::Folder, wanted: &mut Vec<(Vec<u8>, Kind)>) {
        self.visit.sift(&folder.0, wanted);
    }

    fn lists(&self) -> bool {
        self.visit.lists()
    }

    fn listed(&self, folder: &TreePath, mut files: Vec<Listed>) {
        let own = |name: &[u8]| self.files.iter().any(|f| f.name() == name && f.parent() == *folder);
        files.retain(|f| !own(&f.name));
        self.visit.listed(folder, files);
    }

    fn file(&self, entry: &Entry, body: &mut Body<'_>) {
        self.visit.file(entry, body);
    }

    fn gap(&self, gap: Gap) {
        self.visit.gap(gap);
    }

    fn exclude(&self, exclusion: Exclusion) {
        self.visit.exclude(exclusion);
    }

    fn seen(&self, names: u64) {
        self.visit.seen(names);
    }

    fn atime_changed(&self) {
        self.visit.atime_changed();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, atomic::AtomicBool};

    use super::*;
    use crate::tree::{host::Host, mounts::Skips};

    /// Remembers what it was shown.
    #[derive(Default)]
    struct Seen {
        files: Mutex<Vec<String>>,
        left: Mutex<Vec<String>>,
    }

    impl Visit for Seen {
        type Folder = ();
        fn folder(&self, _: &TreePath) {}
        fn wants(&self, (): &(), _: &[u8], _: Kind) -> bool {
            true
        }
        fn file(&self, entry: &Entry, _: &mut Body<'_>) {
            self.files.lock().unwrap().push(entry.path.text().into_owned());
        }
        fn gap(&self, _: Gap) {}
        fn exclude(&self, exclusion: Exclusion) {
            self.left.lock().unwrap().push(exclusion.origin.path.text().into_owned());
        }
        fn seen(&self, _: u64) {}
        fn atime_changed(&self) {}
    }

    #[test]
    #[allow(clippy::disallowed_methods)] // a tree of its own
    fn the_report_is_left_out_and_its_namesake_is_not() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["srv", "home"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
            std::fs::write(root.path().join(folder).join("case.json"), "x").unwrap();
        }
        let host = Host::open("host", root.path(), TreePath::root(), Skips::default()).unwrap();
        let seen = Seen::default();
        let visit = LeaveOut::new(&seen, &"host".into(), &[PathBuf::from("/srv/case.json")]);
        host.walk(&visit, &[TreePath::root()], 1, &AtomicBool::new(false));
        assert_eq!(*seen.files.lock().unwrap(), ["/home/case.json"]);
        assert_eq!(*seen.left.lock().unwrap(), ["/srv/case.json"]);
    }
}
