//! Files that other files name, whatever their own names: `-r deps/base.txt`. Read after the walk, by the surface that knows their
//! form, and what they name in turn. Only what lies in an examined tree is read, links resolved inside it; each file once.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use super::Scan;
use crate::{
    coverage::{Exclusion, Gap, GapKind},
    fact::{Origin, TreePath},
    tree::{Body, Entry, Kind, Visit, host::Host},
    walk::Inspector,
};

/// Files that are followed in one examination. A machine has hundreds at most.
const MOST: usize = 20_000;

impl Scan<'_> {
    /// Reads what was named. `walked` says of each tree whether it was walked, so that its files were read by their names.
    pub(super) fn follow(&self, inspector: &Inspector<'_>, tree: &Arc<str>, hosts: &[Host], walked: &[bool]) {
        let mut done: BTreeSet<(&'static str, TreePath)> = BTreeSet::new();
        loop {
            let mut named = inspector.take_includes();
            named.retain(|n| !done.contains(n));
            if named.is_empty() {
                return;
            }
            for (surface, path) in named {
                if self.stop.load(Ordering::Relaxed) {
                    return;
                }
                if done.len() == MOST {
                    let detail = format!("more than {MOST} files are named by others: not all were read");
                    let origin = Origin::file(tree, TreePath::root());
                    return inspector.gap(Gap { origin, surface, kind: GapKind::TooLarge, detail });
                }
                let read =
                    |(host, walked): (&Host, &bool)| *walked && host.shows(&path) && inspector.claims(surface, &path);
                if !hosts.iter().zip(walked).any(read) {
                    let one = Named { inspector, surface };
                    if !hosts.iter().any(|host| host.visit_named(&one, &path)) {
                        let reason = "another file names it, and it lies outside of what is examined".to_owned();
                        inspector.exclude(Exclusion { origin: Origin::file(tree, path.clone()), reason });
                    }
                }
                done.insert((surface, path));
            }
        }
    }
}

/// Reads one file with one surface.
struct Named<'n, 'i> {
    inspector: &'n Inspector<'i>,
    surface: &'static str,
}

impl Visit for Named<'_, '_> {
    type Folder = ();

    fn folder(&self, _: &TreePath) {}

    fn wants(&self, (): &(), _: &[u8], _: Kind) -> bool {
        true
    }

    fn file(&self, entry: &Entry, body: &mut Body<'_>) {
        self.inspector.read_with(self.surface, entry, body);
    }

    fn gap(&self, gap: Gap) {
        self.inspector.gap(gap);
    }

    fn exclude(&self, exclusion: Exclusion) {
        self.inspector.exclude(exclusion);
    }

    fn seen(&self, names: u64) {
        self.inspector.seen(names);
    }

    fn atime_changed(&self) {
        self.inspector.atime_changed();
    }
}
