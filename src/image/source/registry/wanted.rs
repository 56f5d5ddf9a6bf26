//! Which images the names of a user stand for.

use std::collections::HashSet;

use super::{Wanted, in_parallel, words};
use crate::{
    fact::TreePath,
    online::registry::{Listed, Registry, Target},
    surface::Flaw,
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
    let tags = |(repository, which): &(String, Option<String>)| match which {
        None => registry.tags(repository),
        Some(_) => Listed::default(),
    };
    let listed = in_parallel(&repositories, threads, &tags);
    let mut all = Vec::new();
    for ((repository, which), listed) in repositories.into_iter().zip(listed) {
        let listed = listed.unwrap_or_default();
        let names = match which {
            Some(which) => vec![which],
            None => names_of(listed, &format!("{repository}/tags/list"), &mut flaws),
        };
        all.extend(names.into_iter().map(|which| Wanted { repository: repository.clone(), which }));
    }
    let mut known = HashSet::new();
    all.retain(|one| known.insert(one.clone()));
    (all, flaws)
}

fn names_of(listed: Listed, path: &str, flaws: &mut Flaws) -> Vec<String> {
    if let (Some(trouble), Some(path)) = (listed.trouble, TreePath::new(path.as_bytes())) {
        flaws.push((path, words(trouble.line())));
    }
    listed.names
}
