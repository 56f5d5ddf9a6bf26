//! Units in which something fits. Harmless packages explain only what fits in their unit: in a walk the shelf chooses them, of several
//! layers that make up one tree this does, once all are read. Nobody has a thousand environments in one image; where somebody made them,
//! those that explain nothing are given up.

use std::collections::BTreeSet;

use super::shelf;
use crate::{
    fact::{Ecosystem, Fact, Placement, Requirement, Seen, TreePath},
    interest::Interest,
};

/// Units of one tree that are kept whole, whether something fits in them or not.
const UNITS: usize = 1000;

/// Where in one tree something fits.
#[derive(Debug)]
pub struct Explained {
    /// Folders and roots of units, and the folders of lists. `None` where the tree has few units: then everything may be needed.
    places: Option<BTreeSet<TreePath>>,
}

impl Explained {
    /// The places of these facts, each with whether it is evidence.
    pub fn new<'s>(facts: impl Iterator<Item = (&'s Seen, bool)>, interest: &Interest) -> Self {
        Self::beyond(UNITS, facts, interest)
    }

    fn beyond<'s>(most: usize, facts: impl Iterator<Item = (&'s Seen, bool)>, interest: &Interest) -> Self {
        let (mut places, mut units) = (BTreeSet::new(), BTreeSet::new());
        for (seen, is_evidence) in facts {
            if let Some(unit) = &seen.unit
                && units.len() <= most
            {
                units.insert(&unit.folder);
            }
            if !is_evidence && !speaks_of_known(&seen.fact, interest) {
                continue;
            }
            match (&seen.unit, &seen.fact) {
                (_, Fact::Environment { prefix, .. }) => places.extend([prefix.clone()]),
                (Some(unit), _) => places.extend([unit.folder.clone(), unit.root.clone()]),
                (None, _) => places.extend([seen.origin.path.parent()]),
            }
        }
        Self { places: (units.len() > most).then_some(places) }
    }

    /// Whether a fact, as it was read of its layer, may explain one of them. Whatever can explain things elsewhere may.
    pub fn may_need(&self, seen: &Seen, interest: &Interest) -> bool {
        let Some(places) = self.places.as_ref().filter(|_| explains_its_unit_only(seen, interest)) else {
            return true;
        };
        match &seen.unit {
            Some(unit) => places.contains(&unit.folder) || places.contains(&unit.root),
            // What a project asks for: those of such a unit, and those below it.
            None => is_below(&seen.origin.path, places),
        }
    }
}

/// Whether a fact has the name of a package that an indicator knows.
fn speaks_of_known(fact: &Fact, interest: &Interest) -> bool {
    match fact {
        Fact::Package(p) => {
            interest.knows_package(p.ecosystem, &p.name)
                || p.requires.iter().any(|r| interest.knows_package(p.ecosystem, &r.name))
        }
        // Which ecosystem it is of stands elsewhere.
        Fact::Requires(list) => any_known(list, interest),
        Fact::Environment { asked, .. } => any_known(asked, interest),
        _ => false,
    }
}

fn any_known(list: &[Requirement], interest: &Interest) -> bool {
    list.iter().any(|r| Ecosystem::ALL.iter().any(|ecosystem| interest.knows_package(*ecosystem, &r.name)))
}

fn explains_its_unit_only(seen: &Seen, interest: &Interest) -> bool {
    let described = match &seen.fact {
        Fact::Package(p) => p.placement == Placement::Loadable && p.artifacts.is_empty(),
        Fact::Requires(_) | Fact::Requested | Fact::Installer { .. } => true,
        _ => false,
    };
    let harmless = || !speaks_of_known(&seen.fact, interest);
    shelf::admits(seen, interest) || described && seen.unit.is_some() && harmless()
}

/// Whether a file lies below one of these folders.
pub(super) fn is_below(file: &TreePath, folders: &BTreeSet<TreePath>) -> bool {
    let mut folder = file.parent();
    loop {
        if folders.contains(&folder) {
            return true;
        }
        if folder.as_bytes().is_empty() {
            return false;
        }
        folder = folder.parent();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fact::{Ecosystem, Fact, Origin, Package, Placement, Requirement};

    fn seen(path: &str, fact: Fact) -> Seen {
        let path = TreePath::new(path.as_bytes()).unwrap();
        let origin = Origin::file(&"i".into(), path);
        let is_package = matches!(fact, Fact::Package(_));
        let unit = crate::ecosystem::unit_of(&origin.path).filter(|_| is_package).map(Arc::new);
        Seen { surface: "s", origin, at: None, uid: None, gid: None, mode: None, unit, fact }
    }

    fn package(folder: &str, name: &str, placement: Placement) -> Seen {
        let package = Package {
            ecosystem: Ecosystem::Npm,
            name: name.into(),
            version: "1.0.0".into(),
            placement,
            requires: [Requirement::new("axios", "axios@^1")].into(),
            artifacts: Vec::new(),
        };
        seen(&format!("{folder}/node_modules/{name}/package.json"), Fact::Package(package))
    }

    fn project(folder: &str) -> Seen {
        let asked = vec![Requirement::new("left", "left@^1")];
        seen(&format!("{folder}/package.json"), Fact::Project { ecosystem: Ecosystem::Npm, asked })
    }

    fn of(most: usize, evidence: &[Seen], others: &[Seen]) -> Explained {
        let facts = evidence.iter().map(|s| (s, true)).chain(others.iter().map(|s| (s, false)));
        Explained::beyond(most, facts, &Interest::default())
    }

    #[test]
    fn a_harmless_package_is_needed_where_something_fits() {
        let explained = of(0, &[package("srv/a", "axios", Placement::Loadable)], &[]);
        let needed = |seen: Seen| explained.may_need(&seen, &Interest::default());
        assert!(needed(package("srv/a", "plugin", Placement::Loadable)));
        assert!(!needed(package("srv/b", "plugin", Placement::Loadable)));
        assert!(!needed(package("srv/aa", "plugin", Placement::Loadable)));
        assert!(needed(project("srv/a")) && needed(project("srv/a/packages/one")));
        assert!(!needed(project("srv/b")) && !needed(project("srv")));
        // A copy that nothing loads may be of any unit.
        assert!(needed(package("srv/b", "plugin", Placement::Cached)));
    }

    #[test]
    fn a_list_is_explained_by_what_stands_beside_it() {
        let mut list = package("srv/a", "axios", Placement::Listed);
        list.unit = None;
        list.origin.path = TreePath::new(b"srv/l/package-lock.json").unwrap();
        let explained = of(0, &[list], &[package("srv/b", "plugin", Placement::Loadable)]);
        assert!(explained.may_need(&project("srv/l"), &Interest::default()));
        assert!(!explained.may_need(&project("srv/k"), &Interest::default()));
    }

    #[test]
    fn of_few_units_everything_is_kept() {
        let all = ["srv/a", "srv/b", "srv/c"].map(|folder| package(folder, "plugin", Placement::Loadable));
        let needed = |most| all.iter().filter(|s| of(most, &[], &all).may_need(s, &Interest::default())).count();
        assert_eq!([needed(3), needed(2)], [3, 0]);
    }
}
