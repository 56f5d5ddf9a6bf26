//! Which images the names of a user stand for.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use super::{Wanted, words};
use crate::{
    fact::TreePath,
    online::registry::{Listed, Registry, Target},
    surface::Flaw,
    tree::threads::on_threads,
};

type Flaws = Vec<(TreePath, Flaw)>;

/// The images of these names, each once and in their order: the tags of a whole registry are asked for, those of a repository
/// where `all_tags` is set (otherwise it stands for its `latest`). What could not be listed is said.
pub(super) fn wanted(registry: &Registry, targets: &[Target], all_tags: bool, threads: usize) -> (Vec<Wanted>, Flaws) {
    let (mut repositories, mut flaws) = (Vec::new(), Vec::new());
    for target in targets {
        match target {
            Target::Whole { below, .. } => {
                let listed = names_of(registry.catalog(), "_catalog", &mut flaws);
                let fits = listed.into_iter().filter(|name| name.starts_with(below.as_str()));
                repositories.extend(fits.map(|name| (name, None)));
            }
            Target::Image(image) => {
                let is_bare = image.tag.is_none() && image.digest.is_none();
                let which = (!is_bare || !all_tags).then(|| image.which().to_owned());
                repositories.push((image.repository.clone(), which));
            }
        }
    }
    let listed = tags(registry, &repositories, threads);
    let mut all = Vec::new();
    for ((repository, which), listed) in repositories.into_iter().zip(listed) {
        let names = match which {
            Some(which) => vec![which],
            None => names_of(listed, &format!("{repository}/tags/list"), &mut flaws),
        };
        all.extend(names.into_iter().map(|which| Wanted { repository: repository.clone(), which }));
    }
    let mut known = std::collections::HashSet::new();
    all.retain(|one| known.insert(one.clone()));
    (all, flaws)
}

fn names_of(listed: Listed, path: &str, flaws: &mut Flaws) -> Vec<String> {
    if let (Some(trouble), Some(path)) = (listed.trouble, TreePath::new(path.as_bytes())) {
        flaws.push((path, words(trouble.line())));
    }
    listed.names
}

/// The tags of each that has none yet.
fn tags(registry: &Registry, repositories: &[(String, Option<String>)], threads: usize) -> Vec<Listed> {
    let slots: Vec<_> = repositories.iter().map(|one| (one, Mutex::new(Listed::default()))).collect();
    let next = AtomicUsize::new(0);
    on_threads(threads.clamp(1, slots.len().max(1)), &|| {
        while let Some(((repository, which), slot)) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
            if which.is_none() {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = registry.tags(repository);
            }
        }
    });
    slots.into_iter().map(|(_, slot)| slot.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}
