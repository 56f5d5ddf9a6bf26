//! Install scripts: what installers wrote down of them, what blocks them, and what was rewritten since.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    assess::{Case, Evidence, Finding, assess},
    credential::Catalog,
    ecosystem,
    fact::{At, Ecosystem, Fact, Origin, Package, Placement, ScriptOutcome, Seen, TreePath},
    ioc::{Database, Index},
};

const BAD: &str = "srv/a/node_modules/plain-crypto-js";

fn at(path: &str) -> TreePath {
    TreePath::new(path.as_bytes()).unwrap()
}

fn package(version: &str) -> Package {
    Package {
        ecosystem: Ecosystem::Npm,
        name: "plain-crypto-js".into(),
        version: version.into(),
        placement: Placement::Loadable,
        requires: [].into(),
        artifacts: Vec::new(),
    }
}

fn judged(facts: Vec<(&str, Fact)>) -> Vec<Finding> {
    let index = Index::new(Database::embedded().unwrap(), &[]);
    let tree: Arc<str> = "host".into();
    let seen = facts.into_iter().map(|(path, fact)| {
        let unit = ecosystem::unit_of(&at(path)).map(Arc::new);
        let origin = Origin::file(&tree, at(path));
        let time = At::unix(1_774_950_000, "mtime");
        Seen { surface: "t", origin, at: time, uid: Some(1000), gid: None, mode: None, unit, fact }
    });
    let evidence = seen.map(Evidence::from).collect();
    let catalog = Catalog { kinds: Vec::new() };
    assess(Case { index: &index, catalog: &catalog, evidence, accounts: BTreeMap::new() }).findings
}

/// `exposure/confidence` of each finding.
fn grades(facts: Vec<(&str, Fact)>) -> Vec<String> {
    judged(facts).iter().map(|f| format!("{:?}/{:?}", f.exposure, f.confidence)).collect()
}

fn installed() -> (&'static str, Fact) {
    ("srv/a/node_modules/plain-crypto-js/package.json", Fact::Package(package("4.2.1")))
}

fn script(folder: Option<&str>, outcome: ScriptOutcome) -> Fact {
    let folder = folder.map(at);
    Fact::InstallScript { name: "plain-crypto-js".into(), version: "4.2.1".into(), folder, outcome }
}

fn record(folder: &str) -> Fact {
    Fact::Recorded { package: package("4.2.1"), folder: at(folder) }
}

fn block(by: &'static str) -> Fact {
    Fact::ScriptsBlocked { by, root: at("srv/a"), allowed: [].into() }
}

#[test]
fn a_log_says_whether_the_script_ran() {
    const LOG: &str = "home/al/.npm/_logs/x-debug-0.log";
    assert_eq!(grades(vec![installed()]), ["Executed/Likely"]);
    let ended = |folder| {
        let started = (LOG, script(Some(folder), ScriptOutcome::Started));
        grades(vec![installed(), started, (LOG, script(None, ScriptOutcome::Succeeded))])
    };
    assert_eq!(ended(BAD), ["Executed/Confirmed"]);
    // The run of another project confirms nothing here.
    assert_eq!(ended("srv/b/node_modules/plain-crypto-js"), ["Executed/Likely"]);
    let skipped = |path| grades(vec![installed(), (path, script(None, ScriptOutcome::Skipped))]);
    assert_eq!(skipped("srv/a/node_modules/.modules.yaml"), ["Installed/Likely"]);
    assert_eq!(skipped("srv/b/node_modules/.modules.yaml"), ["Executed/Likely"]);
}

#[test]
fn a_setting_counts_for_the_tool_that_reads_it() {
    let npm = || ("srv/a/node_modules/.package-lock.json", record(BAD));
    for (path, by, record, grade) in [
        ("srv/a/.npmrc", "npm", Some(npm()), "Installed/Likely"),
        // Another tool's list, in a project that npm installed; npm's own allow list, which blocks nothing.
        ("srv/a/package.json", "bun", Some(npm()), "Executed/Likely"),
        ("srv/a/.yarnrc.yml", "yarn", Some(npm()), "Executed/Likely"),
        ("srv/a/package.json", "npm", Some(npm()), "Executed/Likely"),
        ("srv/a/package.json", "bun", None, "Installed/Likely"),
        // Nobody knows what installed it.
        ("srv/a/.npmrc", "npm", None, "Executed/Likely"),
    ] {
        let facts = [Some(installed()), Some((path, block(by))), record].into_iter().flatten().collect();
        assert_eq!(grades(facts), [grade], "{path} {by}");
    }
    let elsewhere = Fact::ScriptsBlocked { by: "npm", root: at("srv/b"), allowed: [].into() };
    assert_eq!(grades(vec![installed(), npm(), ("srv/b/.npmrc", elsewhere)]), ["Executed/Likely"]);
}

#[test]
fn a_package_that_rewrote_itself_is_known_by_the_record() {
    let hidden = || ("srv/a/node_modules/.package-lock.json", record(BAD));
    let now = |version: &str| (installed().0, Fact::Package(package(version)));
    // It says so itself: one finding.
    assert_eq!(grades(vec![installed(), hidden()]), ["Executed/Likely"]);
    let rewritten = judged(vec![now("9.9.9"), hidden()]);
    assert_eq!(rewritten.len(), 1);
    assert!(rewritten[0].reason.contains("says 9.9.9 now") && rewritten[0].holdings == Some(vec![at(BAD)]));
    let gone = judged(vec![hidden()]);
    assert!(gone.len() == 1 && gone[0].reason.contains("not found now"), "{gone:#?}");
}

#[test]
fn a_record_of_the_whole_project_takes_nothing_of_it_away() {
    let yarn = || ("srv/a/node_modules/.yarn-integrity", record("srv/a"));
    let own = || ("srv/a/package.json", Fact::Package(package("1.0.0")));
    assert_eq!(grades(vec![installed(), yarn(), own()]), ["Executed/Likely"]);
    let alone = judged(vec![yarn(), own()]);
    assert_eq!(alone.len(), 1);
    // The project's own file is no witness of the package, and nothing of the project goes to the evidence.
    assert!(alone[0].reason.contains("not found now") && alone[0].holdings == Some(Vec::new()), "{alone:#?}");
}
