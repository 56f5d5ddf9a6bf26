//! What names say where nothing can be read: of a folder that describes a distribution, of a file that cannot be opened or parsed.

use std::{collections::HashSet, sync::Arc};

use super::{Inspector, Result, Worth, record::salvaged};
use crate::{
    fact::{At, Fact, Origin, Package, Seen, TreePath},
    guard::quietly,
    surface::{Opened, Surface},
    tree::{Body, Entry, Kind},
};

/// Folders whose names say a malicious version, kept until it is known whether what is in them says it too.
pub(crate) const NAMED: usize = 20_000;
/// Taken from a file that cannot be parsed.
pub(super) const SALVAGED: usize = 200;

/// Of what folders are called, what no description in them says.
pub(crate) fn undescribed<'s>(named: Vec<Seen>, seen: impl IntoIterator<Item = &'s Seen>) -> Vec<Seen> {
    let of = |seen: &Seen, p: &Package| (seen.origin.path.parent(), p.name.clone(), p.version.clone());
    let asked: HashSet<_> = named.iter().map(|s| s.origin.path.parent()).collect();
    let here = seen.into_iter().filter(|s| !asked.is_empty() && asked.contains(&s.origin.path.parent()));
    let described: HashSet<_> = here
        .filter_map(|s| match &s.fact {
            Fact::Package(p) | Fact::Named(p) => Some(of(s, p)),
            _ => None,
        })
        .collect();
    let is_new = |s: &Seen| !matches!(&s.fact, Fact::Named(p) if described.contains(&of(s, p)));
    named.into_iter().filter(is_new).collect()
}

impl Result {
    /// What the name of a folder says waits until the walk is over.
    pub(super) fn keep_named(&mut self, named: Vec<(Worth, Seen)>) {
        for (worth, seen) in named {
            let beyond = match seen.fact {
                Fact::Named(_) => {
                    let place = (0, seen.origin.path.clone(), seen.surface);
                    self.named.put_within(NAMED, place, (worth, seen))
                }
                _ => vec![(worth, seen)],
            };
            self.keep(beyond);
        }
    }
}

impl Inspector<'_> {
    /// What the name of a folder, or of a file that was not read, says to the surfaces.
    pub(crate) fn named(&self, path: &TreePath, kind: Kind) -> Vec<(Worth, Seen)> {
        let surfaces = self.router.asked(kind);
        let all = || surfaces.filter_map(|s| self.named_by(*s, path, kind, None)).collect();
        quietly(all).unwrap_or_default()
    }

    pub(super) fn named_by(
        &self,
        surface: &dyn Surface,
        path: &TreePath,
        kind: Kind,
        entry: Option<&Entry>,
    ) -> Option<(Worth, Seen)> {
        let (path, fact) = surface.named(path, kind, self.interest)?;
        let mut origin = Origin::file(&self.tree, path);
        origin.layer.clone_from(&self.layer);
        let (uid, gid) = (entry.and_then(|e| e.uid), entry.and_then(|e| e.gid));
        let mode = entry.and_then(|e| e.mode);
        let at = entry.and_then(|e| e.mtime).map(|time| At::new(time, "mtime of the file"));
        let unit = surface.unit(&origin.path, false).map(Arc::new);
        let seen = Seen { surface: surface.meta().id, origin, at, uid, gid, mode, unit, fact };
        let worth = (self.keep)(&seen);
        (worth != Worth::Nothing).then_some((worth, seen))
    }

    /// The packages that the text of a file names which could not be parsed, but for those that were read from it.
    pub(super) fn salvaged(
        &self,
        surface: &dyn Surface,
        entry: &Entry,
        body: &mut Body<'_>,
        seen: &[(Worth, Seen)],
    ) -> Vec<(Worth, Seen)> {
        let found = quietly(|| surface.salvage(&mut Opened::new(entry, self.interest, body))).unwrap_or_default();
        let origin = self.origin(&entry.path);
        let like = |(package, line)| salvaged(surface, entry, &origin, package, line);
        self.worthy(found.into_iter().map(like).collect(), seen)
    }

    /// Those of the packages that a raw text names which were not read from it, and that are worth something.
    pub(super) fn worthy(&self, found: Vec<Seen>, seen: &[(Worth, Seen)]) -> Vec<(Worth, Seen)> {
        let same = |fact: &Fact, p: &Package| matches!(fact, Fact::Package(q) | Fact::Named(q) if q.name == p.name && q.version == p.version);
        let read = |p: &Package| seen.iter().any(|(_, s)| same(&s.fact, p));
        let is_new = |s: &Seen| !matches!(&s.fact, Fact::Named(p) if read(p));
        let found = found.into_iter().filter(is_new);
        found.map(|s| ((self.keep)(&s), s)).filter(|(worth, _)| *worth != Worth::Nothing).take(SALVAGED).collect()
    }
}
