//! Which images the names of a user stand for.

use std::collections::HashSet;

use super::{Wanted, in_parallel, words};
use crate::{
    fact::TreePath,
    online::registry::{Listed, Registry, Target, beside},
    surface::Flaw,
};

type Flaws = Vec<(TreePath, Flaw)>;

/// What names stand for.
#[derive(Default)]
pub(super) struct Found {
    /// Each once, in their order.
    pub(super) images: Vec<Wanted>,
    /// What could not be listed.
    pub(super) flaws: Flaws,
    /// Tags that say by their name what they are.
    pub(super) left_out: Vec<(TreePath, &'static str)>,
}

/// The images of these names: the tags of a whole registry are asked for, a repository stands for its `latest`. Of the tags that are
/// listed, those of cosign are left out; who types one gets it.
pub(super) fn wanted(registry: &Registry, targets: &[Target], threads: usize) -> Found {
    let (mut repositories, mut flaws, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    let mut catalog = None;
    for target in targets {
        match target {
            Target::Whole { below, .. } => {
                let listed = catalog.get_or_insert_with(|| names_of(registry.catalog(), "_catalog", &mut flaws));
                let fits = listed.iter().filter(|name| name.starts_with(below.as_str()));
                repositories.extend(fits.map(|name| (name.clone(), None)));
            }
            Target::Image(image) => {
                repositories.push((image.repository.clone(), Some(image.which().to_owned())));
            }
        }
    }
    let mut known = HashSet::new();
    repositories.retain(|one| known.insert(one.clone()));
    let tags = |(repository, which): &(String, Option<String>)| match which {
        None => registry.tags(repository),
        Some(_) => Listed::default(),
    };
    let listed = in_parallel(&repositories, threads, &tags);
    let mut images = Vec::new();
    for ((repository, which), listed) in repositories.into_iter().zip(listed) {
        let listed = listed.unwrap_or_default();
        let names = match which {
            Some(which) => vec![which],
            None => {
                let mut names = names_of(listed, &format!("{repository}/tags/list"), &mut flaws);
                names.retain(|tag| match beside(tag).filter(|_| tag.contains('.')) {
                    Some((_, what)) => {
                        let path = TreePath::new(format!("{repository}/manifests/{tag}").as_bytes());
                        left_out.extend(path.map(|path| (path, what)));
                        false
                    }
                    None => true,
                });
                names
            }
        };
        images.extend(names.into_iter().map(|which| Wanted { repository: repository.clone(), which }));
    }
    let mut known = HashSet::new();
    images.retain(|one| known.insert(one.clone()));
    Found { images, flaws, left_out }
}

fn names_of(listed: Listed, path: &str, flaws: &mut Flaws) -> Vec<String> {
    if let (Some(trouble), Some(path)) = (listed.trouble, TreePath::new(path.as_bytes())) {
        flaws.push((path, words(trouble.line())));
    }
    listed.names
}
