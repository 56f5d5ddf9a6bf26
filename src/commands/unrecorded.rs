//! What the indicators of today ask of a machine that an inventory does not say, because nobody asked then.
//!
//! Packages, hooks, hosts, commands and the like are recorded whoever asks. Only what is looked for by name, by text or by hash
//! depends on the indicators of the examination: of these an incident has a gap, one per inventory, where what was recorded leaves
//! it possible that they are there. With every name recorded, a name that no file has answers the question, and one that is there is
//! a finding where the name is enough.

use std::collections::{BTreeMap, BTreeSet};

use super::examine::Setup;
use crate::{
    coverage::{Exclusion, Gap, GapKind, INVENTORY},
    ecosystem::unit_of,
    fact::{At, Ecosystem, Fact, Origin, Seen, TreePath},
    inventory::{Recorded, UnreadFile, v1::Head},
    ioc::model::{FileIndicator, FileRole, Incident},
    surface::host::file,
    walk::Inspector,
};

/// What is said of it.
#[derive(Default)]
pub struct Unrecorded {
    /// One per incident.
    pub gaps: Vec<Gap>,
    /// What was not recorded and cannot be there.
    pub exclusions: Vec<Exclusion>,
}

/// Asks what was recorded, and puts into the inspector what names alone show.
///
/// # Errors
/// Where the indicators cannot be compared.
pub fn ask(
    setup: &Setup,
    head: &Head,
    recorded: &Recorded,
    inspector: &Inspector<'_>,
    tree: &Origin,
) -> anyhow::Result<Unrecorded> {
    let places = match setup.chosen_of(head).wants(file::META.id) {
        true => by_name(setup, recorded, inspector, tree),
        false => BTreeMap::new(),
    };
    let mut said = Unrecorded::default();
    let mut others = 0;
    for incident in setup.missing(&head.indicators.asked)? {
        let (id, here) = (incident.id.as_str(), places.get(incident.id.as_str()));
        let detail = match here {
            Some(_) => format!("{id} asks for what this file holds, which was not recorded: examine the machine again"),
            None if is_possible(incident, head, recorded) => {
                format!("{id} asks for what was not looked for then: examine the machine again")
            }
            None => {
                others += 1;
                continue;
            }
        };
        let origin = here.map_or_else(|| tree.clone(), |path| Origin { path: path.clone(), ..tree.clone() });
        said.gaps.push(Gap { origin, surface: INVENTORY, kind: GapKind::Unsupported, detail });
    }
    if recorded.more_unread {
        let detail = "more files are called as indicators ask than are weighed: examine the machine again".to_owned();
        said.gaps.push(Gap { origin: tree.clone(), surface: INVENTORY, kind: GapKind::TooLarge, detail });
    }
    if setup.chosen.deep && !head.deep {
        let detail = "a hash without a file name was given, and not every file was hashed: examine the machine again with `--deep`";
        let (origin, detail) = (tree.clone(), detail.to_owned());
        said.gaps.push(Gap { origin, surface: INVENTORY, kind: GapKind::Unsupported, detail });
    }
    if others > 0 {
        let incidents = if others == 1 { "1 incident asks".to_owned() } else { format!("{others} incidents ask") };
        let reason = format!("{incidents} for what, by all that was recorded, is not there");
        said.exclusions.push(Exclusion { origin: tree.clone(), reason });
    }
    Ok(said)
}

/// Takes what names alone show as findings; the first place of each incident that wants to know more than a name.
fn by_name(setup: &Setup, recorded: &Recorded, inspector: &Inspector<'_>, tree: &Origin) -> BTreeMap<String, TreePath> {
    let mut places: BTreeMap<String, TreePath> = BTreeMap::new();
    let mut files: Vec<&UnreadFile> = recorded.unread.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for unread in files {
        let unit = unit_of(&unread.path);
        let below = unit.as_ref().filter(|u| u.usual).and_then(|u| unread.path.below(&u.folder).map(<[u8]>::to_vec));
        let size = unread.size.unwrap_or_default();
        let seen = Seen {
            surface: file::META.id,
            origin: Origin { path: unread.path.clone(), ..tree.clone() },
            at: unread.changed.map(|time| At::new(time, "mtime of the file")),
            uid: None,
            gid: None,
            mode: None,
            unit: unit.map(std::sync::Arc::new),
            fact: Fact::File { sha256: None, digest: None, size, texts: Vec::new(), program: false },
        };
        if inspector.put(seen) {
            continue;
        }
        let wants_more = |f: &FileIndicator| {
            let by_content = f.sha256.is_some() || !f.holds.is_empty() || f.role == FileRole::Module;
            by_content && f.size.is_none_or(|s| unread.size.is_none_or(|own| own == s))
        };
        let placed = setup.index.files_at(&unread.path, below.as_deref());
        let named = setup.index.files_named(unread.path.name()).into_iter().filter(|(_, f)| f.sha256.is_some());
        for ((incident, _), _) in placed.into_iter().chain(named).filter(|(_, f)| wants_more(f)) {
            if let Some(incident) = setup.index.incident(incident) {
                places.entry(incident.id.clone()).or_insert_with(|| unread.path.clone());
            }
        }
    }
    for path in &recorded.opened {
        let unit = unit_of(path);
        let below = unit.as_ref().filter(|u| u.usual).and_then(|u| path.below(&u.folder).map(<[u8]>::to_vec));
        let placed = setup.index.files_at(path, below.as_deref());
        for ((incident, _), _) in placed.into_iter().filter(|(_, f)| !f.holds.is_empty()) {
            if let Some(incident) = setup.index.incident(incident) {
                places.entry(incident.id.clone()).or_insert_with(|| path.clone());
            }
        }
    }
    places
}

/// Whether what an incident looks for may be on a machine of which that was recorded.
fn is_possible(incident: &Incident, head: &Head, recorded: &Recorded) -> bool {
    // What starts by itself may hold the text that a process has on its command line.
    let processes = !incident.processes.is_empty() && (head.target.kind == "host" || recorded.starts);
    let texts = || incident.files.iter().any(|f| !f.holds.is_empty()) && recorded.starts;
    let files = || {
        let live = incident.files.iter().filter(|f| f.standing.withdrawn.is_none());
        live.flat_map(|f| &f.paths).any(|p| may_stand(p, &recorded.ecosystems))
    };
    // Repositories and branches are recorded whoever asks; the rest is looked for by the indicators' own words.
    let values = !incident.network.is_empty() || !incident.strings.is_empty() || !incident.git.is_empty();
    // Of a folder whose name was replaced nobody knows whether it is the one that is asked for.
    processes || values && recorded.texts || if head.names && !head.redacted { texts() } else { files() }
}

/// Whether a file of that pattern may stand on a machine with these units.
fn may_stand(pattern: &str, ecosystems: &BTreeSet<Ecosystem>) -> bool {
    !pattern.starts_with("site:") || ecosystems.contains(&Ecosystem::Pypi)
}
