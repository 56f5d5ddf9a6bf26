//! Why a package is there: the shortest chain of requirements from something the user asked for down to it.
//!
//! A requirement counts where its marker holds in that environment, and one behind an extra where that extra was asked for: by
//! another package that is there (`app` needs `foo[proxy]`), or by the user. Nobody writes down which extras a user asked `pip`
//! for, so one that nothing recorded asks for still explains what nothing else does.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{
    extras::{Extras, Need},
    units::Distribution,
};
use crate::{ecosystem::marker::Machine, fact::Requirement};

/// Findings of one list that are explained; of more nobody reads why.
pub const EXPLAINED: usize = 200;

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

/// What brings a package in: the one that requires it, how, and how surely.
type Parent<'d> = (&'d str, &'d Requirement, Need);

/// The chain that ends at `target`. Where nothing that was asked for leads there, it starts at a package that none requires;
/// where there is only a circle, at the package itself.
pub fn chain(target: &str, distributions: &[&Distribution], asked: &[Requirement], machine: Machine) -> Vec<Link> {
    let by_name: HashMap<&str, &Distribution> = distributions.iter().map(|d| (&*d.package.name, *d)).collect();
    let Some(end) = by_name.get(target) else {
        return Vec::new();
    };
    let mut asked: Vec<&Requirement> = asked.iter().collect();
    let extras = Extras::new(distributions, &asked, machine);
    asked.retain(|r| extras.may_hold(r));
    let parents = parents(distributions, &by_name, &extras);
    // uv, pipenv and `pip install -r` of a full list have REQUESTED for everything: there it says something only of what nothing
    // else requires.
    let is_child = |d: &Distribution| parents.contains_key(&*d.package.name);
    // Behind an extra, setuptools requires pip.
    let sure = |p: &Vec<Parent<'_>>| p.iter().any(|(_, _, need)| *need != Need::Unasked);
    let is_needed = |d: &Distribution| parents.get(&*d.package.name).is_some_and(sure);
    let marks_all = distributions.iter().filter(|d| is_needed(d)).all(|d| d.requested);
    let by_mark = |d: &Distribution| {
        let is_meaningful = !is_child(d) || !(marks_all || d.marked_with_all);
        d.requested && is_meaningful
    };
    let is_asked = |d: &Distribution| by_mark(d) || asked.iter().any(|r| *r.name == *d.package.name);
    // First by what surely brings a package in; only where that says nothing, by extras that somebody may have asked for.
    let way = [false, true].iter().find_map(|unasked| way(end, &by_name, &parents, &is_asked, *unasked));
    let (mut here, towards) = way.unwrap_or_else(|| (end, HashMap::new()));
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

/// Where the chain starts, and from each package the next one towards the target. `None` where nothing leads there.
#[allow(clippy::type_complexity)]
fn way<'d>(
    end: &'d Distribution,
    by_name: &HashMap<&'d str, &'d Distribution>,
    parents: &HashMap<&'d str, Vec<Parent<'d>>>,
    is_asked: &dyn Fn(&Distribution) -> bool,
    unasked: bool,
) -> Option<(&'d Distribution, HashMap<&'d str, (&'d str, &'d Requirement)>)> {
    let mut met: HashSet<&str> = HashSet::from([&*end.package.name]);
    let mut queue = VecDeque::from([end]);
    let mut towards: HashMap<&str, (&str, &Requirement)> = HashMap::new();
    // The nearest that was asked for, else the nearest that nothing requires.
    let mut root = None;
    while let Some(d) = queue.pop_front() {
        if is_asked(d) {
            return Some((d, towards));
        }
        let listed = parents.get(&*d.package.name).into_iter().flatten();
        let mut above = listed.filter(|(_, _, need)| unasked || *need != Need::Unasked).peekable();
        if above.peek().is_none() && !std::ptr::eq(d, end) {
            root = root.or(Some(d));
        }
        for (parent, requirement, _) in above {
            if met.insert(parent) {
                towards.insert(parent, (&d.package.name, requirement));
                queue.extend(by_name.get(parent));
            }
        }
    }
    root.map(|root| (root, towards))
}

/// What requires each package that is there, the surest first.
fn parents<'d>(
    distributions: &[&'d Distribution],
    by_name: &HashMap<&'d str, &'d Distribution>,
    extras: &Extras<'d>,
) -> HashMap<&'d str, Vec<Parent<'d>>> {
    let mut parents: HashMap<&str, Vec<Parent<'d>>> = HashMap::new();
    for d in distributions {
        let d: &'d Distribution = d;
        for r in d.package.requires.iter().filter(|r| *r.name != *d.package.name && by_name.contains_key(&*r.name)) {
            if let Some(need) = extras.need(d, r) {
                parents.entry(&r.name).or_default().push((&d.package.name, r, need));
            }
        }
    }
    for list in parents.values_mut() {
        list.sort_by_key(|(name, _, need)| (*need, *name));
    }
    parents
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
    use crate::{
        ecosystem::{marker::System, pypi::requirement},
        fact::{Ecosystem, Package, Placement, TreePath},
    };

    /// `requires` as in METADATA.
    fn dist(name: &str, requires: &[&str], requested: bool) -> Distribution {
        Distribution {
            package: Package {
                ecosystem: Ecosystem::Pypi,
                name: name.into(),
                version: "1".into(),
                placement: Placement::Loadable,
                requires: requires.iter().filter_map(|r| requirement(r)).collect(),
                artifacts: Vec::new(),
            },
            folder: TreePath::root(),
            installer: None,
            installed: None,
            requested,
            marked_with_all: false,
        }
    }

    fn chain_text(all: &[Distribution], asked: &[&str]) -> String {
        chain_text_on(all, asked, Machine { python: Some((3, 11)), system: Some(System::Linux) })
    }

    fn chain_text_on(all: &[Distribution], asked: &[&str], machine: Machine) -> String {
        let asked: Vec<_> = asked.iter().filter_map(|n| requirement(n)).collect();
        words(&chain("litellm", &all.iter().collect::<Vec<_>>(), &asked, machine))
    }

    #[test]
    fn the_shortest_way_from_what_was_asked_for() {
        let all = [
            dist("my-plugin", &["dspy", "a"], true),
            dist("a", &["b"], false),
            dist("b", &["litellm"], false),
            dist("dspy", &["litellm"], false),
            dist("litellm", &["openai"], false),
            dist("openai", &[], false),
        ];
        assert_eq!(chain_text(&all, &[]), "litellm ← dspy ← my-plugin (asked for)");
        assert_eq!(chain_text(&all, &["a"]), "litellm ← b ← a (asked for)");
        assert_eq!(chain_text(&all, &["dspy"]), "litellm ← dspy (asked for)");
    }

    #[test]
    fn uv_marks_everything_as_requested() {
        let mut all = [dist("p", &["litellm"], true), dist("litellm", &[], true)];
        all.iter_mut().for_each(|d| d.marked_with_all = true);
        assert_eq!(chain_text(&all, &[]), "litellm ← p (asked for)");
        assert_eq!(chain_text(&all, &["litellm"]), "litellm (asked for)");
    }

    #[test]
    fn a_mark_on_everything_says_nothing() {
        // As pipenv leaves it; the second as `pip install my-plugin litellm` does.
        let mut all = [
            dist("my-plugin", &["dspy"], true),
            dist("dspy", &["litellm"], true),
            dist("litellm", &[], true),
            dist("setuptools", &["pip ; extra == 'x'"], false),
            dist("pip", &[], false),
        ];
        assert_eq!(chain_text(&all, &[]), "litellm ← dspy ← my-plugin (asked for)");
        assert_eq!(chain_text(&all, &["litellm"]), "litellm (asked for)");
        all[1].requested = false;
        assert_eq!(chain_text(&all, &[]), "litellm (asked for)");
    }

    #[test]
    fn what_was_asked_for_need_not_lead_there() {
        let all = [dist("x", &[], true), dist("p", &["litellm"], false), dist("litellm", &[], false)];
        assert_eq!(chain_text(&all, &[]), "litellm ← p");
    }

    #[test]
    fn circles_extras_and_silence() {
        let circle = [dist("x", &["litellm"], false), dist("litellm", &["x"], false)];
        assert_eq!(chain_text(&circle, &[]), "litellm");
        let extra =
            [dist("p", &["litellm ; extra == 'x'"], true), dist("q", &["litellm"], true), dist("litellm", &[], false)];
        assert_eq!(chain_text(&extra, &[]), "litellm ← q (asked for)");
        let unrecorded = [dist("p", &["litellm"], false), dist("litellm", &[], false)];
        assert_eq!(chain_text(&unrecorded, &[]), "litellm ← p");
        assert_eq!(chain_text(&[dist("litellm", &[], true)], &[]), "litellm (asked for)");
    }

    #[test]
    fn an_extra_counts_where_another_package_asks_for_it() {
        let mut all = [
            dist("app", &["Foo.Bar[proxy]>=1 ; python_version >= '3.8'"], true),
            dist("foo-bar", &["LiteLLM (>=1.0) ; extra == 'proxy'"], false),
            // Nobody asked for this extra, though it is the shorter way.
            dist("other", &["litellm ; extra == 'llm'"], true),
            dist("litellm", &[], false),
        ];
        assert_eq!(chain_text(&all, &[]), "litellm ← foo-bar ← app (asked for)");
        // The user did, and says so.
        assert_eq!(chain_text(&all, &["other[llm]"]), "litellm ← other (asked for)");
        all[0] = dist("app", &["foo-bar"], true);
        assert_eq!(chain_text(&all, &[]), "litellm ← other (asked for)");
    }

    #[test]
    fn extras_of_extras_are_followed() {
        let all = [
            dist("app", &["foo[all]"], true),
            dist("foo", &["foo[a,b] ; extra == 'all'", "bar[x] ; extra == 'b'"], false),
            dist("bar", &["litellm ; extra == 'x' and python_version < '4'"], false),
            dist("nearer", &["litellm ; extra == 'x'"], true),
            dist("litellm", &[], false),
        ];
        assert_eq!(chain_text(&all, &[]), "litellm ← bar ← foo ← app (asked for)");
    }

    #[test]
    fn a_marker_that_does_not_hold_here_is_no_reason() {
        let all = [
            dist("aaa", &["litellm ; sys_platform == 'win32'"], true),
            dist("old", &["litellm ; python_version < '3.8'"], true),
            dist("real", &["litellm ; platform_machine == 'x86_64'"], true),
            dist("litellm", &[], false),
        ];
        assert_eq!(chain_text(&all, &[]), "litellm ← real (asked for)");
        let windows = Machine { python: None, system: Some(System::Windows) };
        assert_eq!(chain_text_on(&all, &[], windows), "litellm ← aaa (asked for)");
        // Where nothing is known of the machine each may be the reason; the first by name is reported.
        assert_eq!(chain_text_on(&all, &[], Machine::default()), "litellm ← aaa (asked for)");
        assert_eq!(chain_text(&all[..2].iter().chain(&all[3..]).cloned().collect::<Vec<_>>(), &[]), "litellm");
        // Nor is what the user asked for elsewhere.
        assert_eq!(chain_text(&all, &["litellm ; sys_platform == 'win32'"]), "litellm ← real (asked for)");
    }

    #[test]
    fn ten_thousand_extras_are_followed_once_each() {
        let many: Vec<String> = (0..5000).map(|i| format!("foo[e{}] ; extra == 'e{i}'", i + 1)).collect();
        let mut requires: Vec<&str> = many.iter().map(String::as_str).collect();
        requires.push("litellm ; extra == 'e5000'");
        let all = [dist("app", &["foo[e0]"], true), dist("foo", &requires, false), dist("litellm", &[], false)];
        assert_eq!(chain_text(&all, &[]), "litellm ← foo ← app (asked for)");
    }
}
