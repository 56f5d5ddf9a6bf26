//! Why a package is there: the shortest chain of requirements from something the user asked for down to it.

use std::collections::{HashMap, HashSet, VecDeque};

use super::site::Distribution;
use crate::fact::Requirement;

/// One step, from what was asked for to the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Normalised.
    pub name: String,
    /// As installed.
    pub version: Option<String>,
    /// The requirement, of the step before, that brought it in.
    pub requirement: Option<String>,
    /// The user asked for it.
    pub requested: bool,
}

/// The chain that ends at `target`. Where nothing that was asked for leads there, it starts at a package that none requires;
/// where there is only a circle, at the package itself.
pub fn chain(target: &str, around: &[&Distribution], asked: &[Requirement]) -> Vec<Link> {
    let by_name: HashMap<&str, &Distribution> = around.iter().map(|d| (&*d.package.name, *d)).collect();
    let Some(end) = by_name.get(target) else {
        return Vec::new();
    };
    let mut parents: HashMap<&str, Vec<(&str, &Requirement)>> = HashMap::new();
    for d in around {
        for r in d.package.requires.iter() {
            if by_name.contains_key(&*r.name) && *r.name != *d.package.name {
                parents.entry(&r.name).or_default().push((&d.package.name, r));
            }
        }
    }
    for list in parents.values_mut() {
        // A requirement behind an extra counts only where no other says why.
        list.sort_by_key(|(name, r)| (r.extra, *name));
    }
    // uv, pipenv and `pip install -r` of a full list have REQUESTED for everything: there it says something only of what nothing
    // else requires.
    let is_child = |d: &Distribution| parents.contains_key(&*d.package.name);
    // Behind an extra, setuptools requires pip.
    let is_needed = |d: &Distribution| parents.get(&*d.package.name).is_some_and(|p| p.iter().any(|(_, r)| !r.extra));
    let marks_all = around.iter().filter(|d| is_needed(d)).all(|d| d.requested);
    let by_mark = |d: &Distribution| {
        let tells = !is_child(d) || !(marks_all || d.installer.as_deref() == Some("uv"));
        d.requested && tells
    };
    let is_asked = |d: &Distribution| by_mark(d) || asked.iter().any(|r| *r.name == *d.package.name);
    let mut met: HashSet<&str> = HashSet::from([target]);
    let mut queue = VecDeque::from([*end]);
    let mut towards: HashMap<&str, (&str, &Requirement)> = HashMap::new();
    // The nearest that was asked for, else the nearest that nothing requires.
    let (mut start, mut root) = (None, None);
    while let Some(d) = queue.pop_front() {
        if is_asked(d) {
            start = Some(d);
            break;
        }
        root = root.or((!is_child(d)).then_some(d));
        for (parent, requirement) in parents.get(&*d.package.name).into_iter().flatten() {
            if met.insert(parent) {
                towards.insert(parent, (&d.package.name, requirement));
                queue.extend(by_name.get(parent));
            }
        }
    }
    let mut here = start.or(root).unwrap_or(end);
    let mut links = vec![link(here, None, is_asked(here))];
    while let Some((next, requirement)) = towards.get(&*here.package.name) {
        let Some(child) = by_name.get(next) else {
            break;
        };
        here = child;
        links.push(link(here, Some(requirement), is_asked(here)));
        if *next == target {
            break;
        }
    }
    links
}

fn link(d: &Distribution, requirement: Option<&Requirement>, requested: bool) -> Link {
    Link {
        name: d.package.name.to_string(),
        version: Some(d.package.version.to_string()),
        requirement: requirement.map(|r| r.text.to_string()),
        requested,
    }
}

/// "litellm ← dspy ← my-plugin (asked for)".
pub fn words(chain: &[Link]) -> String {
    let steps = chain.iter().rev().map(|l| {
        let asked = if l.requested { " (asked for)" } else { "" };
        format!("{}{asked}", l.name)
    });
    steps.collect::<Vec<_>>().join(" ← ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Ecosystem, Package, Placement, TreePath};

    fn dist(name: &str, requires: &[(&str, bool)], requested: bool) -> Distribution {
        let requires = requires.iter().map(|(n, extra)| Requirement {
            name: (*n).into(),
            text: format!("{n}>=1").into(),
            extra: *extra,
        });
        Distribution {
            package: Package {
                ecosystem: Ecosystem::Pypi,
                name: name.into(),
                version: "1".into(),
                placement: Placement::Loadable,
                requires: requires.collect(),
                artifacts: Vec::new(),
            },
            folder: TreePath::root(),
            installer: None,
            installed: None,
            requested,
        }
    }

    fn told(all: &[Distribution], asked: &[&str]) -> String {
        let asked: Vec<_> =
            asked.iter().map(|n| Requirement { name: (*n).into(), text: (*n).into(), extra: false }).collect();
        words(&chain("litellm", &all.iter().collect::<Vec<_>>(), &asked))
    }

    #[test]
    fn the_shortest_way_from_what_was_asked_for() {
        let all = [
            dist("my-plugin", &[("dspy", false), ("a", false)], true),
            dist("a", &[("b", false)], false),
            dist("b", &[("litellm", false)], false),
            dist("dspy", &[("litellm", false)], false),
            dist("litellm", &[("openai", false)], false),
            dist("openai", &[], false),
        ];
        assert_eq!(told(&all, &[]), "litellm ← dspy ← my-plugin (asked for)");
        assert_eq!(told(&all, &["a"]), "litellm ← b ← a (asked for)");
        assert_eq!(told(&all, &["dspy"]), "litellm ← dspy (asked for)");
    }

    #[test]
    fn uv_marks_everything_as_requested() {
        let mut all = [dist("p", &[("litellm", false)], true), dist("litellm", &[], true)];
        all.iter_mut().for_each(|d| d.installer = Some("uv".into()));
        assert_eq!(told(&all, &[]), "litellm ← p (asked for)");
        assert_eq!(told(&all, &["litellm"]), "litellm (asked for)");
    }

    #[test]
    fn a_mark_on_everything_says_nothing() {
        // As pipenv leaves it; the second as `pip install my-plugin litellm` does.
        let mut all = [
            dist("my-plugin", &[("dspy", false)], true),
            dist("dspy", &[("litellm", false)], true),
            dist("litellm", &[], true),
            dist("setuptools", &[("pip", true)], false),
            dist("pip", &[], false),
        ];
        assert_eq!(told(&all, &[]), "litellm ← dspy ← my-plugin (asked for)");
        assert_eq!(told(&all, &["litellm"]), "litellm (asked for)");
        all[1].requested = false;
        assert_eq!(told(&all, &[]), "litellm (asked for)");
    }

    #[test]
    fn what_was_asked_for_need_not_lead_there() {
        let all = [dist("x", &[], true), dist("p", &[("litellm", false)], false), dist("litellm", &[], false)];
        assert_eq!(told(&all, &[]), "litellm ← p");
    }

    #[test]
    fn circles_extras_and_silence() {
        let circle = [dist("x", &[("litellm", false)], false), dist("litellm", &[("x", false)], false)];
        assert_eq!(told(&circle, &[]), "litellm");
        let extra = [
            dist("p", &[("litellm", true)], true),
            dist("q", &[("litellm", false)], true),
            dist("litellm", &[], false),
        ];
        assert_eq!(told(&extra, &[]), "litellm ← q (asked for)");
        let unrecorded = [dist("p", &[("litellm", false)], false), dist("litellm", &[], false)];
        assert_eq!(told(&unrecorded, &[]), "litellm ← p");
        assert_eq!(told(&[dist("litellm", &[], true)], &[]), "litellm (asked for)");
    }
}
