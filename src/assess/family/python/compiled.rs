//! Which bytecode an import left, and which whatever compiled a package whole: an installer that was asked to, `compileall`.

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use crate::{
    assess::{Case, Finding, units::Units, whereabouts::folder as folder_named},
    fact::{At, CommandAction, Fact, Seen, TreePath},
    ioc::model::Incident,
};

/// Compiling all of a package takes no longer.
const ONE_RUN: SignedDuration = SignedDuration::from_secs(60);
/// Compiling the one package that stands in an environment takes no longer, and begins right behind the install.
const ALONE: SignedDuration = SignedDuration::from_secs(10);
/// Modules of one folder that no import needs all of.
const MANY: usize = 5;
/// What one installer unpacks at once has times within this; else they were renewed, by a copy.
const RENEWED: SignedDuration = SignedDuration::from_hours(1);

/// Whether every source in the folder of this module was compiled within a minute, and they are too many for an import, or nothing
/// else stands in the environment and all of its package was compiled right behind the install: by an installer that was asked to.
pub(super) fn at_once(
    case: &Case<'_>,
    units: &Units,
    tree: &Arc<str>,
    site: &TreePath,
    pyc: &Seen,
    put: Option<&At>,
) -> bool {
    let folder = pyc.origin.path.parent().parent();
    let Some(here) = units.in_folder(tree, site) else {
        return false;
    };
    let Some((sources, Some((first, last)))) = whole(case, units, tree, site, &folder) else {
        return false;
    };
    if sources >= MANY {
        return last.duration_since(first) <= ONE_RUN;
    }
    // What else was put there would have been compiled too, which nobody recorded. `uv run` imports as soon as it has installed.
    let alone = here.distributions.len() == 1 && sources > 1;
    let as_it_came = |at: Timestamp| put.is_some_and(|put| at.duration_since(put.time).abs() <= ALONE);
    let mut above = folder.parent();
    let mut all = alone && as_it_came(first) && as_it_came(last);
    // An import leaves some modules of the package alone.
    while all && above.is_within(site) && above != *site {
        let span = whole(case, units, tree, site, &above).map(|(_, span)| span);
        all = span.is_some_and(|span| span.is_none_or(|(first, last)| as_it_came(first) && as_it_came(last)));
        above = above.parent();
    }
    all && !started(case, tree, site, put, last)
}

/// When the first and the last of something happened.
type Span = (Timestamp, Timestamp);

/// How many sources a folder holds, and when the first and the last of them was compiled; `None` where one was not.
fn whole(
    case: &Case<'_>,
    units: &Units,
    tree: &Arc<str>,
    site: &TreePath,
    folder: &TreePath,
) -> Option<(usize, Option<Span>)> {
    let owned = &units.in_folder(tree, site)?.owned;
    let compiled = units.bytecode(tree, site).iter().filter_map(|at| Some(&case.evidence.get(*at)?.seen));
    let by_name: HashMap<&[u8], Option<Timestamp>> = compiled
        .filter(|seen| seen.origin.path.parent().parent() == *folder)
        .filter_map(|seen| match &seen.fact {
            Fact::Bytecode { module, .. } => Some((module.as_bytes(), seen.at.as_ref().map(|at| at.time))),
            _ => None,
        })
        .collect();
    let (mut sources, mut span) = (0_usize, None);
    // `proxy.py` and `proxy-old` sort before what is in `proxy`.
    let behind = owned.range(folder.clone()..).map(|(path, _)| path).skip_while(|path| !path.is_within(folder));
    for source in behind.take_while(|path| path.is_within(folder)) {
        let Some(module) = source.name().strip_suffix(b".py").filter(|_| source.parent() == *folder) else {
            continue;
        };
        let at = (*by_name.get(module)?)?;
        sources += 1;
        span = Some(span.map_or((at, at), |(first, last): Span| (first.min(at), last.max(at))));
    }
    Some((sources, span))
}

/// Whether somebody started the environment between the install and the last of its bytecode.
fn started(case: &Case<'_>, tree: &Arc<str>, site: &TreePath, put: Option<&At>, last: Timestamp) -> bool {
    let began = put.map_or(Timestamp::MIN, |put| put.time);
    case.evidence.iter().map(|e| &e.seen).filter(|s| s.origin.tree == *tree).any(|seen| {
        let Fact::Command(c) = &seen.fact else {
            return false;
        };
        let at = seen.at.as_ref().map(|at| at.time);
        let then = at.is_some_and(|at| began <= at && at <= last) && c.action == CommandAction::Start;
        let named = c.whereabouts.environment.as_deref().filter(|_| then && c.whereabouts.is_here());
        let prefix = named.and_then(|named| folder_named(named, case.accounts.get(tree), &seen.origin.path));
        prefix.is_some_and(|prefix| site.is_within(&prefix))
    })
}

/// Whether bytecode is below a folder that the package of a trojaned module brings.
fn is_of_package(incident: &Incident, pyc: &Seen) -> bool {
    let top = |path: &str| path.split_once('/').map(|(top, _)| top.to_owned());
    let below = pyc.unit.as_ref().filter(|u| u.usual).and_then(|unit| pyc.origin.path.below(&unit.folder));
    let Some(own) = below.and_then(|below| top(std::str::from_utf8(below).ok()?)) else {
        return false;
    };
    let paths = incident.files.iter().flat_map(|f| &f.paths).filter_map(|p| p.strip_prefix("site:"));
    paths.filter_map(top).any(|t| t == own)
}

/// Bytecode in the same site folder that is younger than the hook and that no installer lists.
pub(super) fn compiled(
    case: &Case<'_>,
    units: &Units,
    finding: &Finding,
    site: &TreePath,
    there: Timestamp,
) -> Option<String> {
    let tree = &finding.origin.tree;
    let owned = units.in_folder(tree, site);
    let incident = case.index.incident(finding.incident)?;
    let mut at_once_in: HashMap<TreePath, bool> = HashMap::new();
    units.bytecode(&finding.origin.tree, site).iter().find_map(|position| {
        let seen = &case.evidence.get(*position)?.seen;
        let Fact::Bytecode { module, source_mtime, .. } = &seen.fact else {
            return None;
        };
        let at = seen.at.as_ref().filter(|at| at.time > there)?;
        let listed = owned.is_some_and(|s| s.owned.contains_key(&seen.origin.path));
        // What came with the hook was written with it: another time in the header says that a copy renewed the hook's.
        let renewed = source_mtime.is_some_and(|source| source.duration_since(there).abs() > RENEWED);
        if listed || (renewed && is_of_package(incident, seen)) {
            return None;
        }
        let folder = seen.origin.path.parent().parent();
        let at_once =
            *at_once_in.entry(folder).or_insert_with(|| at_once(case, units, tree, site, seen, finding.at.as_ref()));
        (!at_once).then(|| format!("Python compiled `{module}` there at {}", at.time))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        assess::{Evidence, assess},
        credential::Catalog,
        fact::{Ecosystem, HookContent, HookKind, Origin, Package, Placement},
        ioc::{Database, Index},
        verdict::Exposure,
    };

    const PUT: i64 = 1_774_350_000;
    const DIST: &str = "litellm-1.82.8.dist-info";

    /// What the evidence of a site folder comes to: of litellm's version and its hook. Each is `path below it, seconds after PUT, fact`.
    fn exposure(facts: Vec<(String, i64, Fact)>) -> Exposure {
        let index = Index::new(Database::embedded().unwrap(), &[]);
        let catalog = Catalog { kinds: Vec::new() };
        let tree: Arc<str> = "host".into();
        let evidence = facts.into_iter().map(|(path, seconds, fact)| {
            let path = site().join(path.as_bytes());
            let unit = Some(Arc::new(crate::ecosystem::pypi::unit_around(&path, false)));
            let at = At::unix(PUT + seconds, "mtime");
            let origin = Origin::file(&tree, path);
            Seen { surface: "t", origin, at, uid: Some(1000), gid: None, mode: None, unit, fact }.into()
        });
        let evidence: Vec<Evidence> = evidence.collect();
        let case = Case { index: &index, catalog: &catalog, evidence, accounts: BTreeMap::new() };
        assess(case).exposure().unwrap()
    }

    fn site() -> TreePath {
        TreePath::new(b"srv/v/lib/python3.11/site-packages").unwrap()
    }

    /// The version, put there by this installer, with these sources of `litellm/proxy` in its RECORD.
    fn installed(by: &str, sources: &[&str]) -> Vec<(String, i64, Fact)> {
        let package = Package {
            ecosystem: Ecosystem::Pypi,
            name: "litellm".into(),
            version: "1.82.8".into(),
            placement: Placement::Loadable,
            artifacts: Vec::new(),
            requires: [].into(),
        };
        let mut facts = vec![
            (format!("{DIST}/METADATA"), 0, Fact::Package(package)),
            (format!("{DIST}/INSTALLER"), 0, Fact::Installer { name: by.into() }),
        ];
        for source in sources {
            let file = site().join(format!("litellm/proxy/{source}.py").as_bytes());
            facts.push((format!("{DIST}/RECORD"), 0, Fact::Owned { file, sha256: None }));
        }
        facts
    }

    fn bytecode(module: &str, seconds: i64, source: i64) -> (String, i64, Fact) {
        let source_mtime = Some(Timestamp::from_second(PUT + source).unwrap());
        let path = format!("litellm/proxy/__pycache__/{module}.cpython-311.pyc");
        (path, seconds, Fact::Bytecode { module: module.into(), source_mtime, source_size: None })
    }

    fn with(by: &str, sources: &[&str], compiled: &[(&str, i64)]) -> Exposure {
        let pyc = compiled.iter().map(|(module, seconds)| bytecode(module, *seconds, 0));
        exposure(installed(by, sources).into_iter().chain(pyc).collect())
    }

    #[test]
    fn what_was_compiled_whole_was_not_imported() {
        let few = ["__init__", "proxy_server"];
        assert_eq!(with("uv", &few, &[("__init__", 1), ("proxy_server", 2)]), Exposure::Installed);
        let many = ["__init__", "proxy_server", "a", "b", "c"];
        let all = |seconds| many.map(|module| (module, seconds));
        assert_eq!(with("uv", &many, &all(1)), Exposure::Installed);
        // `python -m compileall`, a day later.
        assert_eq!(with("uv", &many, &all(86_400)), Exposure::Installed);
    }

    #[test]
    fn what_an_import_compiled_was_run() {
        let few = ["__init__", "proxy_server"];
        // Somebody imported it half a minute later: compiling one package takes no such time.
        assert_eq!(with("uv", &few, &[("__init__", 30), ("proxy_server", 31)]), Exposure::Executed);
        // Its package has more, which no import needed.
        let facts = |top: &[&str]| {
            let mut facts = installed("uv", &few);
            for source in ["__init__", "main"] {
                let file = site().join(b"litellm").join(format!("{source}.py").as_bytes());
                facts.push((format!("{DIST}/RECORD"), 0, Fact::Owned { file, sha256: None }));
            }
            facts.extend(few.map(|module| bytecode(module, 1, 0)));
            facts.extend(top.iter().map(|module| {
                let (_, at, fact) = bytecode(module, 1, 0);
                (format!("litellm/__pycache__/{module}.cpython-311.pyc"), at, fact)
            }));
            exposure(facts)
        };
        assert_eq!(facts(&["__init__"]), Exposure::Executed);
        assert_eq!(facts(&["__init__", "main"]), Exposure::Installed);
        // One of them was not needed; each was, and a day later; one by one.
        assert_eq!(
            with("uv", &["__init__", "proxy_server", "a"], &[("__init__", 1), ("proxy_server", 1)]),
            Exposure::Executed
        );
        assert_eq!(with("uv", &few, &[("__init__", 86_400), ("proxy_server", 86_400)]), Exposure::Executed);
        assert_eq!(with("uv", &few, &[("__init__", 1), ("proxy_server", 86_400)]), Exposure::Executed);
        assert_eq!(with("pip", &few, &[("proxy_server", 1)]), Exposure::Executed);
        // pip compiles; its list, which would name the file, is gone.
        assert_eq!(with("pip", &[], &[("proxy_server", 1)]), Exposure::Installed);
    }

    /// `uv run --with litellm` installs and imports within a second; what was compiled whole has all of what came with it compiled.
    #[test]
    fn an_import_right_behind_the_install_was_run() {
        let other = |facts: Vec<(String, i64, Fact)>| {
            let is_package = |(_, _, fact): &&(String, i64, Fact)| matches!(fact, Fact::Package(_));
            let (_, at, Fact::Package(package)) = facts.iter().find(is_package).unwrap().clone() else {
                unreachable!()
            };
            (
                "httpx-0.27.0.dist-info/METADATA".to_owned(),
                at,
                Fact::Package(Package { name: "httpx".into(), ..package }),
            )
        };
        let facts = |modules: &[&str]| {
            let mut facts = installed("uv", modules);
            facts.push(other(facts.clone()));
            facts.extend(modules.iter().map(|module| bytecode(module, 1, 0)));
            facts
        };
        assert_eq!(exposure(facts(&["__init__", "proxy_server"])), Exposure::Executed);
        assert_eq!(exposure(facts(&["__init__", "proxy_server", "a", "b", "c"])), Exposure::Installed);
    }

    #[test]
    fn a_copy_that_renewed_the_times_started_nothing() {
        let hook = || {
            let fact = Fact::Hook {
                kind: HookKind::Pth,
                content: HookContent::Runs,
                sha256: Some("0".repeat(64)),
                size: 9,
                odd: Vec::new(),
            };
            ("litellm_init.pth".to_owned(), 0, fact)
        };
        let of = |source: i64| {
            let sources = ["__init__", "main", "utils"];
            let more = [hook(), bytecode("main", 90, source)];
            exposure(installed("uv", &sources).into_iter().chain(more).collect())
        };
        assert_eq!(of(0), Exposure::Executed);
        assert_eq!(of(-864_000), Exposure::Installed);
        // Bytecode of another package says nothing of the hook's own time.
        let other = ("other/__pycache__/oven.cpython-311.pyc".to_owned(), 90, bytecode("oven", 90, -864_000).2);
        let more = [hook(), other];
        assert_eq!(exposure(installed("uv", &["__init__"]).into_iter().chain(more).collect()), Exposure::Executed);
    }
}
