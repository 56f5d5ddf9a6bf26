//! Install scripts: what installers wrote down of them, what blocks them, and what was rewritten since.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    assess::{Case, Evidence, Finding, FindingKind, assess},
    credential::Catalog,
    ecosystem,
    fact::{At, Ecosystem, Fact, Origin, Package, Placement, Requirement, ScriptOutcome, Seen, TreePath},
    ioc::{Database, Index},
    verdict::Exposure,
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
    judged_with(facts, Vec::new())
}

fn judged_with(facts: Vec<(&str, Fact)>, more: Vec<Seen>) -> Vec<Finding> {
    let index = Index::new(Database::embedded().unwrap(), &[]);
    let tree: Arc<str> = "host".into();
    let seen = facts.into_iter().map(|(path, fact)| {
        let unit = ecosystem::unit_of(&at(path)).map(Arc::new);
        let origin = Origin::file(&tree, at(path));
        let time = At::unix(1_774_950_000, "mtime");
        Seen { surface: "t", origin, at: time, uid: Some(1000), gid: None, mode: None, unit, fact }
    });
    let evidence = seen.chain(more).map(Evidence::from).collect();
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

#[test]
fn what_a_tool_does_where_nothing_is_set_counts() {
    let lock = |name: &'static str, by: &'static str, allowed: &[&str]| {
        let allowed = allowed.iter().map(|a| (*a).into()).collect();
        (name, Fact::ScriptsBlocked { by, root: at("srv/a"), allowed })
    };
    let bun = || lock("srv/a/bun.lock", "bun", &[]);
    assert_eq!(grades(vec![installed(), bun()]), ["Installed/Likely"]);
    assert_eq!(grades(vec![installed(), lock("srv/a/bun.lock", "bun", &["plain-crypto-js"])]), ["Executed/Likely"]);
    // Settings go before what a tool does by itself; a switch goes before a list.
    let trusts = || lock("srv/a/package.json", "bun", &["plain-crypto-js"]);
    assert_eq!(grades(vec![installed(), bun(), trusts()]), ["Executed/Likely"]);
    let switch = || lock("srv/a/bunfig.toml", "bun", &[]);
    assert_eq!(grades(vec![installed(), bun(), trusts(), switch()]), ["Installed/Likely"]);
    // Another version than the one that is allowed.
    let other = lock("srv/a/package.json", "bun", &["plain-crypto-js@4.0.0"]);
    assert_eq!(grades(vec![installed(), bun(), other]), ["Installed/Likely"]);
    let berry = || ("srv/a/node_modules/.yarn-state.yml", record(BAD));
    let yarn = || lock("srv/a/yarn.lock", "yarn", &[]);
    assert_eq!(grades(vec![installed(), berry(), yarn()]), ["Installed/Likely"]);
    let on = lock("srv/a/.yarnrc.yml", "yarn", &["*"]);
    assert_eq!(grades(vec![installed(), berry(), yarn(), on]), ["Executed/Likely"]);
    let plugged = ("srv/a/.pnp.cjs", Fact::Package(package("4.2.1")));
    assert_eq!(grades(vec![plugged]), ["Installed/Likely"]);
}

#[test]
fn aube_runs_only_what_somebody_allowed() {
    const MARK: &str = "srv/a/node_modules/.mise/plain-crypto-js@4.2.1/node_modules/.aube-side-effects-cache-0a";
    let folder = |store: &str| format!("{store}/plain-crypto-js@4.2.1/node_modules/plain-crypto-js");
    let graded = |store: &str, more: Option<(&'static str, Fact)>| {
        let path = format!("{}/package.json", folder(store));
        let here = (path.as_str(), Fact::Package(package("4.2.1")));
        grades([Some(here), more].into_iter().flatten().collect())
    };
    let list = |path: &'static str, by: &'static str, allowed: &str| {
        Some((path, Fact::ScriptsBlocked { by, root: at("srv/a"), allowed: [allowed.into()].into() }))
    };
    let (mises, own) = ("srv/a/node_modules/.mise", "srv/a/node_modules/.aube");
    assert_eq!(graded(mises, None), ["Installed/Likely"]);
    assert_eq!(graded(own, None), ["Installed/Likely"]);
    assert_eq!(graded(own, list("srv/a/aube-workspace.yaml", "aube", "plain-crypto-js")), ["Executed/Likely"]);
    assert_eq!(graded(own, list("srv/a/package.json", "pnpm", "plain-crypto-js")), ["Executed/Likely"]);
    assert_eq!(graded(own, list("srv/a/aube-workspace.yaml", "aube", "esbuild")), ["Installed/Likely"]);
    // Another tool's list.
    assert_eq!(graded(own, list("srv/a/package.json", "bun", "plain-crypto-js")), ["Installed/Likely"]);
    let mark = |of: &str| Some((MARK, script(Some(&folder(of)), ScriptOutcome::Started)));
    assert_eq!(graded(mises, mark(mises)), ["Executed/Likely"]);
    assert_eq!(graded(mises, mark("srv/b/node_modules/.mise")), ["Installed/Likely"]);
    // A folder of mise's own, in which npm installed it.
    let npms = "home/al/.mise/installs/node/22.0.0/lib/node_modules/plain-crypto-js/package.json";
    assert_eq!(grades(vec![(npms, Fact::Package(package("4.2.1")))]), ["Executed/Likely"]);
}

/// `axios` stands there twice: the good copy on top is not the one that needs the bad package.
#[test]
fn a_chain_leads_through_the_copy_that_node_loads() {
    let node = |path: &'static str, name: &str, version: &str, requires: &[(&str, &str)]| {
        let requires = requires.iter().map(|(name, text)| Requirement::new(*name, *text)).collect();
        (path, Fact::Package(Package { name: name.into(), requires, ..package(version) }))
    };
    let all = || {
        vec![
            node("srv/a/node_modules/axios/package.json", "axios", "1.14.0", &[]),
            node("srv/a/node_modules/b/package.json", "b", "1.0.0", &[("axios", "axios@^1.14.0")]),
            node(
                "srv/a/node_modules/b/node_modules/axios/package.json",
                "axios",
                "1.14.1",
                &[("plain-crypto-js", "plain-crypto-js@^4.2.1")],
            ),
            node("srv/a/node_modules/c/package.json", "c", "1.0.0", &[("axios", "axios@^1.0.0")]),
            installed(),
        ]
    };
    let chains = |facts| -> Vec<String> {
        let steps = |f: &Finding| {
            let step = |l: &crate::assess::Link| {
                format!("{}@{}{}", l.name, l.version.as_deref().unwrap_or("?"), if l.requested { "*" } else { "" })
            };
            f.chain.iter().map(step).collect::<Vec<_>>().join(" > ")
        };
        let mut found: Vec<String> = judged(facts).iter().map(steps).collect();
        found.sort();
        found
    };
    assert_eq!(chains(all()), ["b@1.0.0 > axios@1.14.1", "b@1.0.0 > axios@1.14.1 > plain-crypto-js@4.2.1"]);
    let mut asked = all();
    let wanted = vec![Requirement::new("b", "b@^1"), Requirement::new("axios", "axios@1.14.0")];
    asked.push(("srv/a/package.json", Fact::Project { ecosystem: Ecosystem::Npm, asked: wanted.clone() }));
    assert_eq!(chains(asked), ["b@1.0.0* > axios@1.14.1", "b@1.0.0* > axios@1.14.1 > plain-crypto-js@4.2.1"]);
    // What another project asks for, or one of Python, says nothing here.
    for (path, ecosystem) in [("srv/b/package.json", Ecosystem::Npm), ("srv/a/requirements.in", Ecosystem::Pypi)] {
        let mut other = all();
        other.push((path, Fact::Project { ecosystem, asked: wanted.clone() }));
        assert_eq!(chains(other), chains(all()), "{path}");
    }
}

#[test]
fn what_a_virtual_store_was_made_for_counts() {
    const STORED: &str = "srv/a/node_modules/.pnpm/plain-crypto-js@4.2.1/node_modules/plain-crypto-js/package.json";
    let names = ["plain-crypto-js".into(), "plain-crypto-js".into()];
    let facts = |own: &str| {
        let what = format!("its folder says 4.2.1, package.json says {own}");
        vec![
            (STORED, Fact::Package(package(own))),
            (STORED, Fact::Named(package("4.2.1"))),
            (STORED, Fact::Disagreement { names: names.clone(), what }),
        ]
    };
    let rewritten = judged(facts("9.9.9"));
    assert!(rewritten.len() == 1 && rewritten[0].reason.contains("says 9.9.9 now"), "{rewritten:#?}");
    assert_eq!(grades(facts("9.9.9")), ["Executed/Likely"]);
}

#[test]
fn a_log_is_a_witness_of_what_is_gone() {
    const LOG: &str = "home/al/.npm/_logs/x-debug-0.log";
    let log = || (LOG, record(BAD));
    // Its script has run; what stands there now is another matter, and nothing of it is taken out.
    let gone = judged(vec![log()]);
    assert_eq!((gone.len(), gone[0].exposure, gone[0].holdings.clone()), (1, Exposure::Executed, Some(Vec::new())));
    let upgraded = judged(vec![log(), (installed().0, Fact::Package(package("4.2.2")))]);
    assert!(upgraded[0].reason.contains("where 4.2.2 stands now"), "{}", upgraded[0].reason);
    assert_eq!(upgraded[0].holdings, Some(Vec::new()));
    // It was not run, and there is nothing left that could.
    let skipped = vec![log(), (LOG, script(Some(BAD), ScriptOutcome::Skipped))];
    assert_eq!(grades(skipped), ["Removed/Likely"]);
    // The package speaks for itself; so does the record of the unit.
    assert_eq!(grades(vec![log(), installed()]), ["Executed/Likely"]);
    // npm's linked strategy: the log names the link, the package stands elsewhere in the unit.
    let link = record("srv/a/node_modules/.store/axios@1.14.1-0a/node_modules/plain-crypto-js");
    assert_eq!(grades(vec![(LOG, link), installed()]), ["Executed/Likely"]);
    let own = ("srv/a/node_modules/.package-lock.json", record(BAD));
    let both = judged(vec![log(), own, (installed().0, Fact::Package(package("9.9.9")))]);
    assert_eq!((both.len(), both[0].origin.path.name()), (1, b".package-lock.json".as_slice()));
}

/// A line of a history, so many seconds after the package was put there.
fn typed(text: &str, after: i64) -> Vec<Seen> {
    let line = |c| Seen {
        surface: "history/zsh",
        origin: Origin::file(&"host".into(), at("home/al/.zsh_history")),
        at: At::unix(1_774_950_000 + after, "time in the history"),
        uid: Some(1000),
        gid: None,
        mode: None,
        unit: None,
        fact: Fact::Command(c),
    };
    crate::shell::typed_commands(text).into_iter().map(line).collect()
}

#[test]
fn a_command_that_blocks_scripts_is_evidence_where_it_may_have_put_the_package_there() {
    let hidden = || ("srv/a/node_modules/.package-lock.json", record(BAD));
    let grade = |lines: &[(&str, i64)]| {
        let more = lines.iter().flat_map(|(text, after)| typed(text, *after)).collect();
        let found = judged_with(vec![installed(), hidden()], more);
        let found: Vec<_> = found.iter().filter(|f| f.kind == FindingKind::Package).collect();
        format!("{:?}/{:?}", found[0].exposure, found[0].confidence)
    };
    let blocked = "Installed/Likely";
    for text in [
        "npm ci --ignore-scripts",
        "npm i --ignore-scripts",
        "cd /srv/a && npm install --ignore-scripts",
        "npm_config_ignore_scripts=true npm ci",
        "npm install --ignore-scripts my-plugin",
    ] {
        assert_eq!(grade(&[(text, -30)]), blocked, "{text}");
    }
    let ran = "Executed/Likely";
    for (lines, why) in [
        (vec![("npm ci", -30)], "it says nothing of scripts"),
        (vec![("npm ci --ignore-scripts", -3600)], "long before"),
        (vec![("npm ci --ignore-scripts", 60)], "afterwards"),
        (vec![("pnpm i --ignore-scripts", -30)], "another tool"),
        (vec![("cd /srv/b && npm ci --ignore-scripts", -30)], "another project"),
        (vec![("ssh build1 npm ci --ignore-scripts", -30)], "another machine"),
        (vec![("npm ci --ignore-scripts", -30), ("npm rebuild", 600)], "they were run later"),
        (vec![("npm ci --ignore-scripts", -30), ("npm ci", -20)], "either may have put it there"),
        (vec![("npm ci --ignore-scripts=false", -30)], "it asks for them"),
        (vec![("npm run build --ignore-scripts", -30)], "it installs nothing"),
    ] {
        assert_eq!(grade(&lines), ran, "{why}");
    }
}

#[test]
fn a_copy_that_was_rewritten_through_its_link_is_known_by_the_store() {
    let entry = "home/al/.bun/install/cache/plain-crypto-js@4.2.1@@@1/package.json";
    let stored = |version: &str| Package { placement: Placement::Cached, ..package(version) };
    let facts = |now: &str, installed_as: &str| {
        vec![
            (entry, Fact::Named(stored("4.2.1"))),
            (entry, Fact::Package(stored(now))),
            (installed().0, Fact::Package(package(installed_as))),
        ]
    };
    assert_eq!(grades(facts("9.9.9", "9.9.9")), ["Executed/Likely", "Cached/Possible"]);
    // Another version than the store's was installed; nothing was rewritten.
    assert_eq!(grades(facts("9.9.9", "9.9.8")), ["Cached/Possible"]);
    assert_eq!(
        grades(vec![(entry, Fact::Package(stored("4.2.1"))), (installed().0, Fact::Package(package("9.9.9")))]),
        ["Cached/Confirmed"]
    );
}
