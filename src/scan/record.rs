//! `--deep`: every file that an installed distribution's `RECORD` lists, compared with the hash it gives. A second walk over
//! the same tree, so that the first one need not remember what millions of files should be.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    coverage::{Exclusion, Gap, GapKind},
    ecosystem::pypi::unit_around,
    fact::{At, Fact, Origin, Seen, TreePath},
    surface::{
        Meta,
        python::dist_info::{each_row, record_hash},
    },
    tree::{Body, Entry, Kind, Visit, host::Host},
};

/// What differs is reported under this surface, which has a walk of its own.
pub static META: Meta = Meta {
    id: ID,
    title: "files that differ from their distribution's RECORD (--deep)",
    proves: "the file was changed after it was installed; not by whom",
};
const ID: &str = "python/record";
const LIMIT: usize = 64 << 20;

/// The visitor of the second walk.
pub struct Compare<'c> {
    host: &'c Host,
    tree: Arc<str>,
    compared: AtomicU64,
    found: Mutex<(Vec<Seen>, Vec<Gap>)>,
}

impl<'c> Compare<'c> {
    /// Compares files of `host`.
    pub fn new(host: &'c Host, tree: Arc<str>) -> Self {
        Self { host, tree, compared: AtomicU64::new(0), found: Mutex::default() }
    }

    /// Two facts for each file that differs, the gaps, and how many files were compared.
    pub fn finish(self) -> (Vec<Seen>, Vec<Gap>, u64) {
        let (seen, gaps) = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        (seen, gaps, self.compared.into_inner())
    }

    fn report_gap(&self, path: &TreePath, kind: GapKind, detail: String) {
        self.gap(Gap { origin: Origin::file(&self.tree, path.clone()), surface: ID, kind, detail });
    }

    fn record(&self, entry: &Entry, bytes: &[u8]) {
        let site = entry.path.parent().parent();
        let end = each_row(bytes, &mut |path, hash| {
            if let Some((path, listed)) = beside(&site, path).zip(hash.and_then(record_hash)) {
                self.compare(entry, &path, listed);
            }
        });
        if end.is_err() {
            self.report_gap(&entry.path, GapKind::Malformed, "RECORD is not comma-separated values".to_owned());
        }
    }

    fn compare(&self, record: &Entry, path: &TreePath, listed: String) {
        let (sha256, size) = match self.host.sha256_shown(path) {
            Ok(Some(found)) => found,
            // Taken out since it was installed.
            Ok(None) => return,
            Err(error) => return self.report_gap(path, GapKind::Unreadable, error.to_string()),
        };
        self.compared.fetch_add(1, Ordering::Relaxed);
        if sha256 == listed {
            return;
        }
        let at = |source| record.mtime.and_then(|t| At::of_file(t, source));
        let unit = Arc::new(unit_around(&record.path, false));
        let seen = |origin: TreePath, fact| Seen {
            surface: ID,
            origin: Origin::file(&self.tree, origin),
            at: at("mtime of RECORD"),
            uid: record.uid,
            gid: record.gid,
            mode: record.mode,
            unit: Some(unit.clone()),
            fact,
        };
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.0.push(seen(record.path.clone(), Fact::Owned { file: path.clone(), sha256: Some(listed) }));
        found.0.push(seen(
            path.clone(),
            Fact::File { sha256: Some(sha256), digest: None, size, texts: Vec::new(), program: false },
        ));
    }
}

/// A path of `RECORD`, which may go up (`../../../bin/x`), but never out of the tree.
fn beside(site: &TreePath, path: &[u8]) -> Option<TreePath> {
    let mut at = site.clone();
    for part in path.split(|b| *b == b'/') {
        at = match part {
            b".." if at.as_bytes().is_empty() => return None,
            b".." => at.parent(),
            b"" | b"." => at,
            name => at.join(name),
        };
    }
    Some(at)
}

impl Visit for Compare<'_> {
    type Folder = bool;

    fn folder(&self, path: &TreePath) -> bool {
        path.name().ends_with(b".dist-info")
    }

    fn wants(&self, folder: &bool, name: &[u8], _: Kind) -> bool {
        *folder && name == b"RECORD"
    }

    fn file(&self, entry: &Entry, body: &mut Body<'_>) {
        match body.all(LIMIT) {
            Ok(bytes) => self.record(entry, bytes),
            Err(error) => self.report_gap(&entry.path, GapKind::TooLarge, error.to_string()),
        }
    }

    fn gap(&self, gap: Gap) {
        // The first walk reported its own.
        if gap.surface == ID {
            self.found.lock().unwrap_or_else(PoisonError::into_inner).1.push(gap);
        }
    }

    fn exclude(&self, _: Exclusion) {}

    fn seen(&self, _: u64) {}

    fn atime_changed(&self) {}
}
