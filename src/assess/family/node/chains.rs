//! Why a package is in a `node_modules`: the shortest chain of requirements from what the project asks for down to it. One unit may hold
//! several versions of one name, each below who needs it, so that a requirement leads to the copy that Node would load for it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use crate::{
    assess::{Case, Evidence, Finding, FindingKind, Link, chain::EXPLAINED},
    ecosystem::{npm::GLOBAL, purl::Purl},
    fact::{Ecosystem, Fact, Package, Placement, Requirement, TreePath},
    verdict::Exposure,
};

/// The tree and the folder of a unit.
type Place = (Arc<str>, TreePath);

/// Copies that one requirement may lead to. Of more nobody can say which.
const COPIES: usize = 50;
/// Copies of one name that are compared with a requirement.
const TRIED: usize = 500;

/// One copy of a package.
struct Copy<'e> {
    package: &'e Package,
    folder: TreePath,
}

/// What one unit holds.
#[derive(Default)]
struct Held<'e> {
    copies: Vec<Copy<'e>>,
    /// What the projects of the unit ask for.
    asked: Vec<&'e Requirement>,
    by_name: HashMap<&'e str, Vec<usize>>,
    by_folder: HashMap<TreePath, usize>,
    is_global: bool,
    /// The copies that somebody asked for.
    asked_copies: BTreeSet<usize>,
    /// Of each copy, who requires it.
    above: Vec<Vec<Above<'e>>>,
}

/// Gives each finding in a unit of Node its chain.
pub fn link(case: &Case<'_>, findings: &mut [Finding]) {
    let mut units: BTreeMap<Place, Held<'_>> = BTreeMap::new();
    let of_node = |f: &&mut Finding| f.exposure >= Exposure::Installed && f.ecosystem == Some(Ecosystem::Npm);
    for f in findings.iter_mut().filter(of_node) {
        if let Some(unit) = &f.unit {
            let held = units.entry((f.origin.tree.clone(), unit.folder.clone())).or_default();
            held.is_global = unit.kind == GLOBAL;
        }
    }
    for f in findings.iter().filter(|f| is_of_list(f)) {
        units.entry((f.origin.tree.clone(), f.origin.path.clone())).or_default();
    }
    if units.is_empty() {
        return;
    }
    fill(&case.evidence, &mut units, findings);
    for ((_, folder), held) in &mut units {
        held.asked_copies = held.asked_copies(folder);
        held.above = held.above();
    }
    let mut explained: BTreeMap<Place, usize> = BTreeMap::new();
    for f in findings.iter_mut().filter(|f| is_of_list(f)) {
        let place = (f.origin.tree.clone(), f.origin.path.clone());
        if let Some(package) = f.package.as_deref().and_then(Purl::parse)
            && let Some(held) = units.get(&place)
            && let Some(copy) = held.copy(&package, None)
        {
            let count = explained.entry(place).or_default();
            *count += 1;
            if *count > EXPLAINED {
                continue;
            }
            let chain = held.chain(copy, package.version.as_deref());
            // That it stands alone is no news.
            f.chain = Some(chain).filter(|all| all.len() > 1 || all.iter().any(|l| l.requested)).unwrap_or_default();
        }
    }
    let mut chains: BTreeMap<(Place, TreePath), Vec<Link>> = BTreeMap::new();
    for f in findings.iter_mut().filter(of_node).filter(|f| f.kind == FindingKind::Package) {
        let (Some(unit), Some(package)) = (&f.unit, f.package.as_deref().and_then(Purl::parse)) else {
            continue;
        };
        let place = (f.origin.tree.clone(), unit.folder.clone());
        let folder = f.holdings.as_ref().and_then(|all| all.first()).cloned();
        if let Some(held) = units.get(&place)
            && let Some(copy) = held.copy(&package, folder.as_ref())
        {
            f.chain = held.chain(copy, package.version.as_deref());
            chains.extend(folder.map(|folder| ((place, folder), f.chain.clone())));
        }
    }
    // A file of a package came with it.
    for f in findings.iter_mut().filter(of_node).filter(|f| f.kind == FindingKind::File) {
        if let Some(unit) = &f.unit
            && let Some(installed) = crate::ecosystem::npm::layout::package_of(&f.origin.path)
            && let Some(chain) = chains.get(&((f.origin.tree.clone(), unit.folder.clone()), installed.folder))
        {
            f.chain.clone_from(chain);
        }
    }
}

/// Whether it is a package that a lock file names.
fn is_of_list(f: &Finding) -> bool {
    let manifest = f.origin.path.name() == b"package.json";
    let named = f.exposure == Exposure::Referenced && f.kind == FindingKind::Package && f.unit.is_none();
    named && !manifest && f.ecosystem == Some(Ecosystem::Npm)
}

/// Takes what the evidence says of units that hold a finding.
fn fill<'e>(evidence: &'e [Evidence], units: &mut BTreeMap<Place, Held<'e>>, findings: &[Finding]) {
    let mut roots: BTreeMap<Place, BTreeSet<TreePath>> = BTreeMap::new();
    for f in findings {
        let (root, place) = match &f.unit {
            Some(unit) => (unit.root.clone(), unit.folder.clone()),
            None if is_of_list(f) => (f.origin.path.parent(), f.origin.path.clone()),
            None => continue,
        };
        roots.entry((f.origin.tree.clone(), root)).or_default().insert(place);
    }
    for seen in evidence.iter().filter(|e| e.gone.is_none()).map(|e| &e.seen) {
        let tree = &seen.origin.tree;
        match (&seen.fact, &seen.unit) {
            (Fact::Package(package), Some(unit))
                if package.ecosystem == Ecosystem::Npm && package.placement == Placement::Loadable =>
            {
                if let Some(held) = units.get_mut(&(tree.clone(), unit.folder.clone())) {
                    let described = seen.origin.path.name() == b"package.json";
                    let folder = if described { seen.origin.path.parent() } else { seen.origin.path.clone() };
                    held.push(Copy { package, folder });
                }
            }
            (Fact::Package(package), None) if package.ecosystem == Ecosystem::Npm && package.is_listed() => {
                if let Some(held) = units.get_mut(&(tree.clone(), seen.origin.path.clone())) {
                    held.push(Copy { package, folder: seen.origin.path.clone() });
                }
            }
            (Fact::Project { ecosystem: Ecosystem::Npm, asked }, _) => {
                // Of the project itself, or of a member of its workspace.
                let mut folder = seen.origin.path.parent();
                loop {
                    let here = roots.get(&(tree.clone(), folder.clone()));
                    for place in here.into_iter().flatten() {
                        if let Some(held) = units.get_mut(&(tree.clone(), place.clone())) {
                            held.asked.extend(asked);
                        }
                    }
                    if here.is_some() || folder.as_bytes().is_empty() {
                        break;
                    }
                    folder = folder.parent();
                }
            }
            _ => {}
        }
    }
}

/// Who requires a copy, and how.
type Above<'e> = (usize, &'e Requirement);

impl<'e> Held<'e> {
    fn push(&mut self, copy: Copy<'e>) {
        let at = self.copies.len();
        self.by_name.entry(&copy.package.name).or_default().push(at);
        // The list of Plug'n'Play holds many.
        self.by_folder.entry(copy.folder.clone()).or_insert(at);
        self.copies.push(copy);
    }

    fn named(&self, name: &str) -> &[usize] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// The copy that a finding is about: that of its folder, else that of its version, else any of its name.
    fn copy(&self, package: &Purl, folder: Option<&TreePath>) -> Option<usize> {
        let named = self.named(&package.name);
        let of = |at: &&usize| self.copies.get(**at);
        let here = named.iter().find(|at| of(at).is_some_and(|c| Some(&c.folder) == folder));
        let same =
            || named.iter().find(|at| of(at).is_some_and(|c| Some(&*c.package.version) == package.version.as_deref()));
        here.or_else(same).or(named.first()).copied()
    }

    /// The copies that a requirement of what stands in a folder leads to.
    fn wanted(&self, from: Option<&TreePath>, requirement: &Requirement) -> Vec<usize> {
        let named = self.named(&requirement.name);
        if named.len() < 2 {
            return named.to_vec();
        }
        let mut folder = from.cloned();
        while let Some(here) = folder.filter(|f| !f.as_bytes().is_empty()) {
            let inside = if here.name() == b"node_modules" { here.clone() } else { here.join(b"node_modules") };
            let at = inside.resolve(requirement.name.as_bytes()).and_then(|f| self.by_folder.get(&f).copied());
            let is_named =
                |at: &usize| self.copies.get(*at).is_some_and(|c| c.package.name.as_ref() == &*requirement.name);
            if let Some(at) = at.filter(is_named) {
                return vec![at];
            }
            folder = Some(here.parent());
        }
        // In a virtual store links lead there, which nobody read.
        let range = requirement.text.rsplit_once('@').map_or("", |(_, range)| range).trim_start_matches("npm:");
        let fits = |at: &usize| {
            let version = self.copies.get(*at).map_or("", |c| &c.package.version);
            match (nodejs_semver::Range::parse(range), nodejs_semver::Version::parse(version)) {
                (Ok(range), Ok(version)) => range.satisfies(&version),
                _ => true,
            }
        };
        named.iter().copied().take(TRIED).filter(fits).take(COPIES).collect()
    }

    fn above(&self) -> Vec<Vec<Above<'e>>> {
        let mut above: Vec<Vec<Above<'e>>> = self.copies.iter().map(|_| Vec::new()).collect();
        for (from, copy) in self.copies.iter().enumerate() {
            let package: &'e Package = copy.package;
            for requirement in package.requires.iter().filter(|r| *r.name != *package.name) {
                for to in self.wanted(Some(&copy.folder), requirement) {
                    if let Some(list) = above.get_mut(to) {
                        list.push((from, requirement));
                    }
                }
            }
        }
        // What a package can do without, or only wants beside it, explains less.
        above.iter_mut().for_each(|list| {
            list.sort_by_key(|(from, r)| (r.marker.is_some(), self.copies.get(*from).map(|c| &c.package.name)));
        });
        above
    }

    fn asked_copies(&self, folder: &TreePath) -> BTreeSet<usize> {
        let of_projects = self.asked.iter().flat_map(|r| self.wanted(Some(folder), r));
        let on_top = |c: &Copy<'_>| {
            let above = c.folder.parent();
            above.name() == b"node_modules"
                || above.name().starts_with(b"@") && above.parent().name() == b"node_modules"
        };
        // A global installation puts nothing but what was asked for beside each other.
        let depth = |c: &Copy<'_>| c.folder.components().filter(|part| *part == b"node_modules").count();
        let global = self.copies.iter().enumerate().filter(|(_, c)| self.is_global && depth(c) == 1 && on_top(c));
        of_projects.chain(global.map(|(at, _)| at)).collect()
    }

    /// From what was asked for, else from what nothing requires, to a copy.
    fn chain(&self, target: usize, version: Option<&str>) -> Vec<Link> {
        let mut towards: HashMap<usize, Above<'e>> = HashMap::new();
        let mut queue = VecDeque::from([target]);
        let mut reached = BTreeSet::from([target]);
        let (mut start, mut root) = (None, None);
        while let Some(at) = queue.pop_front() {
            if self.asked_copies.contains(&at) {
                start = Some(at);
                break;
            }
            let parents = self.above.get(at).map_or(&[][..], Vec::as_slice);
            if parents.is_empty() && at != target {
                root = root.or(Some(at));
            }
            for (parent, requirement) in parents {
                if reached.insert(*parent) {
                    towards.insert(*parent, (at, requirement));
                    queue.push_back(*parent);
                }
            }
        }
        let mut here = start.or(root).unwrap_or(target);
        let mut links = vec![self.step(here, None)];
        while here != target
            && let Some((next, requirement)) = towards.get(&here)
        {
            here = *next;
            links.push(self.step(here, Some(requirement)));
        }
        if let (Some(last), Some(version)) = (links.last_mut(), version) {
            // What was installed, where its file says another version by now.
            last.version = Some(version.to_owned());
        }
        links
    }

    fn step(&self, at: usize, requirement: Option<&Requirement>) -> Link {
        let package = self.copies.get(at).map(|c| c.package);
        Link {
            name: package.map_or_else(String::new, |p| p.name.to_string()),
            version: package.map(|p| p.version.to_string()),
            requirement: requirement.map(|r| r.text.to_string()),
            requested: self.asked_copies.contains(&at),
        }
    }
}
