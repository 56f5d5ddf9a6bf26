//! Signs that something which stood in an environment also ran there.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::{
    compiled::{at_once, compiled},
    running::Running,
    same_interpreter::SameInterpreter,
};
use crate::assess::{
    Case, Finding, FindingKind,
    rule::Rule,
    unit_view::{UnitCache, UnitView},
    units::Distribution,
};
use crate::{
    fact::{At, Fact, Seen, TreePath},
    ioc::model::{FileRole, Incident, Moment},
    verdict::{Confidence, Exposure},
};

/// Installs further apart than this came from two runs of pip: the second one started the interpreter. Unpacking and compiling one
/// large package takes minutes on a slow disk.
const TWO_RUNS: SignedDuration = SignedDuration::from_mins(5);
/// One run takes no longer than this between two packages, however large.
const SLOW: SignedDuration = SignedDuration::from_hours(1);

/// Adds findings for bytecode that only an import makes, and lifts hooks whose environment was started later.
pub fn look_for_signs(case: &Case<'_>, units: &UnitCache<'_>, findings: &mut Vec<Finding>) {
    let (mut imported, mut looked) = (Vec::new(), HashSet::new());
    let records = Records::new(case);
    let in_folder = |f: &&Finding| f.environment.is_some() && f.origin.inner.is_none();
    for finding in findings.iter().filter(|f| f.kind == FindingKind::Package).filter(in_folder) {
        // One distribution of a site folder speaks for all that claim to be the same.
        let site = finding.usual_folder().cloned();
        if looked.insert((finding.incident, finding.origin.tree.clone(), site)) {
            imported.extend(imports(case, units, &records, finding));
        }
    }
    imported.dedup_by(|a, b| a.origin == b.origin && a.incident == b.incident);
    let (same, running) = (SameInterpreter::new(units), Running::new(case, units));
    for finding in findings.iter_mut().filter(|f| starts_by_itself(f)) {
        if let Some(sign) = start_after(case, units, (&same, &running, &records), finding) {
            finding.ran(Rule::HookRan, Confidence::Likely, sign);
        }
    }
    findings.append(&mut imported);
}

/// A hook where it runs, or a version whose hook does. What is in an archive starts with the archive only.
fn starts_by_itself(f: &Finding) -> bool {
    f.by_itself && f.exposure == Exposure::Installed && f.environment.is_some() && f.origin.inner.is_none()
}

/// Bytecode of the incident's trojaned modules in this finding's site folder that the installer did not make.
fn imports(case: &Case<'_>, units: &UnitCache<'_>, records: &Records<'_>, package: &Finding) -> Vec<Finding> {
    let Some(incident) = case.index.incident(package.incident) else {
        return Vec::new();
    };
    let Some(unit) = package.unit.as_ref().filter(|u| u.usual) else {
        return Vec::new();
    };
    let tree = &package.origin.tree;
    let site = units.in_folder(tree, &unit.folder);
    let view = units.view(tree, unit);
    let own = view.of_folder(&package.origin.path.parent());
    let mut found = Vec::new();
    for seen in units.bytecode(tree, &unit.folder).iter().filter_map(|at| Some(&case.evidence.get(*at)?.seen)) {
        let Fact::Bytecode { module, .. } = &seen.fact else {
            continue;
        };
        if !is_trojaned(incident, seen, module) {
            continue;
        }
        let listed = site.is_some_and(|s| s.owned.contains_key(&seen.origin.path));
        if at_once(case, units, tree, &unit.folder, seen, own.and_then(|d| d.installed.as_ref())) {
            continue;
        }
        let recorded = own.is_none_or(|d| records.has(tree, &d.folder));
        if let Some(why) = not_by_installer(own, listed, recorded) {
            found.push(import_finding(package, seen, module, why));
        }
    }
    found
}

fn import_finding(package: &Finding, seen: &Seen, module: &str, why: &str) -> Finding {
    Finding {
        indicator: format!("bytecode/{module}"),
        kind: FindingKind::File,
        rule: Rule::ModuleImported,
        exposure: Exposure::Executed,
        confidence: Confidence::Likely,
        surface: seen.surface,
        package: package.package.clone(),
        origin: seen.origin.clone(),
        artifact: None,
        at: seen.at.clone(),
        reason: format!("the trojaned module `{module}` was imported: its bytecode is here, and {why}"),
        chain: Vec::new(),
        role: None,
        sign: None,
        moment: Some(Moment::OnUse),
        ..package.clone()
    }
}

/// Why the installer cannot have compiled it; `None` where it can. Where no list of files is there any more, "not listed" says nothing.
fn not_by_installer(own: Option<&Distribution>, listed: bool, recorded: bool) -> Option<&'static str> {
    match own.and_then(|d| d.installer.as_deref()) {
        Some("conda") => None,
        Some("uv") => Some("uv compiles nothing unless it is asked to"),
        Some(name) if name.starts_with("Poetry") || name == "poetry" => Some("poetry compiles nothing"),
        _ if listed || !recorded => None,
        _ => Some("the installer's RECORD does not list it"),
    }
}

/// `litellm/proxy/__pycache__/proxy_server.cpython-311.pyc` of `site:litellm/proxy/proxy_server.py`.
fn is_trojaned(incident: &Incident, pyc: &Seen, module: &str) -> bool {
    let files = incident.files.iter().filter(|f| matches!(f.role, FileRole::Module | FileRole::Companion));
    let mut sources = files.flat_map(|f| &f.paths).filter_map(|p| p.strip_prefix("site:")?.strip_suffix(".py"));
    let Some(folder) = pyc.unit.as_ref().filter(|u| u.usual).and_then(|unit| {
        let below = String::from_utf8_lossy(pyc.origin.path.below(&unit.folder)?).into_owned();
        Some(below.split_once("__pycache__/")?.0.to_owned())
    }) else {
        return false;
    };
    sources.any(|s| s == format!("{folder}{module}"))
}

/// A sign that an interpreter of the environment was started after the hook was there, in words.
fn start_after(
    case: &Case<'_>,
    units: &UnitCache<'_>,
    (same, running, records): (&SameInterpreter<'_>, &Running<'_>, &Records<'_>),
    finding: &Finding,
) -> Option<String> {
    let tree = &finding.origin.tree;
    let unit = finding.unit.as_ref().filter(|u| u.usual)?;
    let site = &unit.folder;
    let view = units.view(tree, unit);
    let there = finding.at.as_ref().map(|at| at.time);
    there
        .and_then(|there| pip_again(&view, site, &same.installed_after(units, tree, site, there), there))
        .or_else(|| running.sign(case, units, finding, site))
        .or_else(|| compiled(case, units, finding, site, there?).filter(|_| stands(case, records, finding, &view)))
}

/// Whether a package of the incident still has its list of files: "not listed" says nothing where that is gone too.
fn stands(case: &Case<'_>, records: &Records<'_>, finding: &Finding, view: &UnitView<'_>) -> bool {
    let named = |d: &Distribution| {
        let known = case.index.package(d.package.ecosystem, &d.package.name);
        known.iter().any(|((incident, _), _)| *incident == finding.incident)
    };
    view.distributions.iter().any(|d| named(d) && records.has(&finding.origin.tree, &d.folder))
}

/// The distributions whose list of files was read, of those that an indicator knows.
struct Records<'c>(HashSet<(&'c str, TreePath)>);

impl<'c> Records<'c> {
    fn new(case: &'c Case<'_>) -> Self {
        let lists = case.evidence.iter().map(|e| &e.seen);
        let lists = lists.filter(|seen| matches!(seen.fact, Fact::Listed { .. } | Fact::Owned { .. }));
        Self(lists.map(|seen| (&*seen.origin.tree, seen.origin.path.parent())).collect())
    }

    fn has(&self, tree: &str, folder: &TreePath) -> bool {
        self.0.contains(&(tree, folder.clone()))
    }
}

/// A later run of pip in the environment, or in another folder of the interpreter that reads the hook.
fn pip_again(view: &UnitView<'_>, site: &TreePath, sisters: &[(&At, &str)], there: Timestamp) -> Option<String> {
    let own = view.installed_after(there, "pip").filter(|(.., folder)| same_version(&folder.parent(), site));
    let own = own.map(|(at, name, folder)| (at, name, "there", view.of_folder(folder).is_some_and(|d| d.requested)));
    let beside = sisters.iter().map(|(at, name)| (*at, *name, "with this folder on its path", true));
    let mut runs: Vec<_> = own.chain(beside).collect();
    runs.sort_unstable();
    // What somebody asked for comes last in a run, behind what it needs: a run without it is not over.
    let by_pip = |d: &&&Distribution| d.installer.as_deref() == Some("pip");
    let marks = view.distributions.iter().filter(by_pip).any(|d| d.requested);
    let until = |d: &Distribution| d.installed.as_ref().map(|at| at.time.duration_since(there));
    let before_it =
        |d: &&&Distribution| until(d).is_some_and(|t| t.is_zero() || (t.is_negative() && t.abs() <= TWO_RUNS));
    let mut asked = !marks || view.distributions.iter().filter(by_pip).filter(before_it).any(|d| d.requested);
    let mut before = there;
    for (at, name, place, requested) in runs {
        let gap = at.time.duration_since(before);
        if gap > if asked { TWO_RUNS } else { SLOW } {
            return Some(format!("pip, which is Python, ran {place} again at {} (it installed `{name}`)", at.time));
        }
        before = at.time;
        asked |= requested;
    }
    None
}

/// Whether two site folders of one prefix are of the same interpreter: `lib` and `lib64` are, `python3.11` and `python3.12` are not.
fn same_version(one: &TreePath, other: &TreePath) -> bool {
    one.name() == other.name() && one.parent().name() == other.parent().name()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::{
        assess::{Evidence, assess},
        credential::Catalog,
        fact::{Ecosystem, HookContent, HookKind, Origin, Package, Placement},
        ioc::{Database, Index},
    };

    const SITE: &str = "srv/v/lib/python3.11/site-packages";

    /// The findings, as `exposure/confidence path: reason`.
    fn judged(facts: Vec<(&str, Fact)>) -> Vec<String> {
        let index = Index::new(Database::embedded().unwrap(), &[]);
        let catalog = Catalog { kinds: Vec::new() };
        let tree: Arc<str> = "host".into();
        let path = |p: &str| TreePath::new(p.as_bytes()).unwrap();
        let at = || At::unix(1_774_350_000, "mtime");
        let seen = facts.into_iter().map(|(place, fact)| Seen {
            surface: "t",
            origin: Origin::file(&tree, path(place)),
            // When a process started is not known here.
            at: at().filter(|_| !place.starts_with("proc/")),
            uid: Some(1000),
            gid: None,
            mode: None,
            unit: Some(Arc::new(crate::ecosystem::pypi::unit_around(&path(place), false))),
            fact,
        });
        let evidence = seen.map(Evidence::from).collect();
        let found = assess(Case { index: &index, catalog: &catalog, evidence, accounts: BTreeMap::new() }).findings;
        let line = |f: &Finding| format!("{:?}/{:?} {}: {}", f.exposure, f.confidence, f.origin.path.text(), f.reason);
        found.iter().map(line).collect()
    }

    fn hook() -> (&'static str, Fact) {
        let fact = Fact::Hook {
            kind: HookKind::Pth,
            content: HookContent::Runs,
            sha256: Some("0".repeat(64)),
            size: 9,
            odd: Vec::new(),
        };
        ("srv/v/lib/python3.11/site-packages/litellm_init.pth", fact)
    }

    #[test]
    fn a_process_that_loaded_modules_of_the_site_folder_ran_its_hook() {
        let site = TreePath::new(SITE.as_bytes()).unwrap();
        let found = judged(vec![hook(), ("proc/7/maps", Fact::Loaded { pid: 7, site })]);
        assert!(found[0].starts_with("Executed/Likely") && found[0].contains("process 7 has loaded"), "{found:?}");
        let other = TreePath::new(b"srv/w/lib/python3.11/site-packages").unwrap();
        let found = judged(vec![hook(), ("proc/7/maps", Fact::Loaded { pid: 7, site: other })]);
        assert!(found[0].starts_with("Installed/Likely"), "{found:?}");
    }

    #[test]
    fn a_command_line_counts_where_the_kernel_says_that_it_is_an_interpreter_of_this_tree() {
        let program = |p: &str| TreePath::new(p.as_bytes()).unwrap();
        let named = || Fact::Process {
            pid: 7,
            program: Some(program("srv/v/bin/python")),
            name: "python".into(),
            texts: Vec::new(),
        };
        let run = |pid, p: &str| Fact::Executable { pid, program: program(p), deleted: false };
        let found = judged(vec![hook(), ("proc/7/cmdline", named()), ("proc/7/exe", run(7, "usr/bin/python3.11"))]);
        assert!(found[0].starts_with("Executed/Likely"), "{found:?}");
        // A container's process, and a program that calls itself so.
        for other in [None, Some(run(7, "usr/bin/sleep")), Some(run(8, "usr/bin/python3.11"))] {
            let others = other.into_iter().map(|fact| ("proc/8/exe", fact));
            let found = judged([hook(), ("proc/7/cmdline", named())].into_iter().chain(others).collect());
            assert!(found[0].starts_with("Installed/Likely"), "{found:?}");
        }
    }

    /// What becomes of a hook in this site folder, where pip put a package into another one so many seconds later.
    fn beside(hook_site: &str, site: &str, seconds: i64, more: &[&str]) -> Exposure {
        let package = |name: &str| {
            Fact::Package(Package {
                ecosystem: Ecosystem::Pypi,
                name: name.into(),
                version: "1".into(),
                placement: Placement::Loadable,
                artifacts: Vec::new(),
                requires: [].into(),
            })
        };
        let by_pip = || Fact::Installer { name: "pip".into() };
        let mut facts = vec![(format!("{hook_site}/litellm_init.pth"), 0, hook().1)];
        for site in std::iter::once(&site).chain(more) {
            facts.push((format!("{site}/requests-1.dist-info/METADATA"), seconds, package("requests")));
            facts.push((format!("{site}/requests-1.dist-info/INSTALLER"), seconds, by_pip()));
        }
        let index = Index::new(Database::embedded().unwrap(), &[]);
        let tree: Arc<str> = "host".into();
        let evidence = facts.into_iter().map(|(path, seconds, fact)| {
            let path = TreePath::new(path.as_bytes()).unwrap();
            let unit = Some(Arc::new(crate::ecosystem::pypi::unit_around(&path, false)));
            let at = At::unix(1_774_350_000 + seconds, "mtime");
            let origin = Origin::file(&tree, path);
            Seen { surface: "t", origin, at, uid: None, gid: None, mode: None, unit, fact }.into()
        });
        let evidence: Vec<Evidence> = evidence.collect();
        let catalog = Catalog { kinds: Vec::new() };
        assess(Case { index: &index, catalog: &catalog, evidence, accounts: BTreeMap::new() }).exposure().unwrap()
    }

    #[test]
    fn a_later_pip_of_the_interpreter_that_reads_the_hook() {
        let (debian, user) = ("usr/local/lib/python3.11/dist-packages", "home/al/.local/lib/python3.11/site-packages");
        let root = "root/.local/lib/python3.11/site-packages";
        let day = 86_400;
        for (hook, other) in [
            (debian, user),
            (debian, root),
            (root, debian),
            (debian, "usr/lib/python3/dist-packages"),
            ("usr/lib/python3.12/site-packages", "usr/local/lib/python3.12/site-packages"),
        ] {
            assert_eq!(beside(hook, other, day, &[]), Exposure::Executed, "{hook} {other}");
            assert_eq!(beside(hook, other, -day, &[]), Exposure::Installed, "{hook} {other}");
            assert_eq!(beside(hook, other, 290, &[]), Exposure::Installed, "one run: {hook} {other}");
            assert_eq!(beside(hook, other, 310, &[]), Exposure::Executed, "{hook} {other}");
        }
        for (hook, other) in [
            (debian, "home/al/.local/lib/python3.12/site-packages"),
            (debian, "home/al/v/lib/python3.11/site-packages"),
            (debian, "usr/local/lib/python3.11/site-packages"),
            ("home/al/v/lib/python3.11/site-packages", "home/al/v/lib/python3.12/site-packages"),
            (user, debian),
            (user, root),
            ("home/al/v/lib/python3.11/site-packages", user),
            ("home/al/v/lib/python3.11/site-packages", debian),
        ] {
            assert_eq!(beside(hook, other, day, &[]), Exposure::Installed, "{hook} {other}");
        }
        // Another interpreter of this version may have filled the home's folder.
        let pyenv = "home/al/.pyenv/versions/3.11.4/lib/python3.11/site-packages";
        assert_eq!(beside(debian, user, day, &[pyenv]), Exposure::Installed);
    }

    #[test]
    fn a_dropped_program_that_still_runs() {
        let run = |p: &str| Fact::Executable { pid: 9, program: TreePath::new(p.as_bytes()).unwrap(), deleted: true };
        let found = judged(vec![("proc/9/exe", run("tmp/pglog"))]);
        assert!(
            found[0]
                .starts_with("Executed/Confirmed /proc/9/exe: process 9 is running `/tmp/pglog`, whose file is gone"),
            "{found:?}"
        );
        assert!(judged(vec![("proc/9/exe", run("opt/pglog")), ("proc/9/exe", run("tmp/pglog2"))]).is_empty());
    }
}
