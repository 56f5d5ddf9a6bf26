//! Processes that run now and were started with a hook in place.
//!
//! ```text
//! /home/al/v/bin/python app.py       the program of the environment itself
//! python app.py                      the first folder of PATH that is an environment's: an activated one
//! /usr/bin/python3 app.py            the system's: its own site folders, and that of the account's home
//! ```
//!
//! A process that was started before the hook came has not run it.

use std::collections::HashMap;

use jiff::Timestamp;

use super::same_interpreter::is_read_by;
use crate::{
    assess::{Case, Finding, units::Units},
    fact::{Fact, Seen, TreePath},
    text::escape,
};

/// A process of a tree.
type Key<'c> = (&'c str, u32);

/// What is said of the processes of a case.
#[derive(Default)]
pub struct Running<'c> {
    /// Interpreters, by the kernel's link: only of processes of this tree it is read, since those of a container have paths of their own.
    interpreters: Vec<(Key<'c>, &'c TreePath, &'c Seen)>,
    started: HashMap<Key<'c>, Timestamp>,
    /// What the command line calls the program.
    named: HashMap<Key<'c>, (Option<&'c TreePath>, &'c str)>,
    searched: HashMap<Key<'c>, &'c [TreePath]>,
    loaded: Vec<(Key<'c>, &'c TreePath)>,
}

impl<'c> Running<'c> {
    /// Of this case.
    pub fn new(case: &'c Case<'_>, units: &Units) -> Self {
        let mut known = Self::default();
        for seen in units.processes().iter().filter_map(|at| Some(&case.evidence.get(*at)?.seen)) {
            let tree = &*seen.origin.tree;
            match &seen.fact {
                Fact::Executable { pid, program, .. } => {
                    if let Some(at) = &seen.at {
                        known.started.insert((tree, *pid), at.time);
                    }
                    if is_python(program) {
                        known.interpreters.push(((tree, *pid), program, seen));
                    }
                }
                Fact::Process { pid, program, name, .. } => {
                    known.named.insert((tree, *pid), (program.as_ref(), &**name));
                }
                Fact::SearchPath { pid, prefixes } => {
                    known.searched.insert((tree, *pid), prefixes);
                }
                Fact::Loaded { pid, site } => known.loaded.push(((tree, *pid), site)),
                _ => {}
            }
        }
        known
    }

    /// A process that ran the hook of this finding at its start, in words.
    pub fn sign(&self, case: &Case<'_>, units: &Units, finding: &Finding, site: &TreePath) -> Option<String> {
        let prefix = &finding.environment.as_ref()?.prefix;
        let there = finding.at.as_ref().map(|at| at.time);
        let of_tree = |key: &Key<'_>| key.0 == &*finding.origin.tree;
        let in_time =
            |key: &Key<'_>| !matches!((self.started.get(key), there), (Some(start), Some(there)) if *start <= there);
        let home = case.accounts.get(&finding.origin.tree).and_then(|a| a.home_owner(site));
        let started = self.interpreters.iter().filter(|(key, ..)| of_tree(key) && in_time(key));
        let by_program = started.clone().find_map(|(key, _, _)| {
            let program = self.named.get(key)?.0.filter(|p| p.is_within(prefix) && is_python(p) && !is_of_system(p))?;
            Some(format!("process {} is running `{}`", key.1, escape(program.text().as_bytes())))
        });
        let by_name = || {
            started.clone().find_map(|(key, executable, seen)| {
                let (program, name) = self.named.get(key)?;
                let of_environment = match program {
                    // Of the system's own programs the path says it; other ones are an environment's.
                    Some(program) if !is_of_system(program) => return None,
                    Some(_) => None,
                    None if !name.starts_with("python") => return None,
                    None => self.environment(units, finding, key),
                };
                let reads = match of_environment {
                    Some(environment) => environment == prefix,
                    None => is_read_by(site, executable, home.is_some() && home == seen.uid),
                };
                let program = escape(executable.text().as_bytes());
                reads.then(|| format!("process {} is running `{program}`, which reads this folder at its start", key.1))
            })
        };
        let loaded = || {
            let own = self.loaded.iter().filter(|(key, loaded)| of_tree(key) && *loaded == site && in_time(key));
            own.map(|(key, _)| format!("process {} has loaded compiled modules of it", key.1)).next()
        };
        by_program.or_else(by_name).or_else(loaded)
    }

    /// The environment whose program a bare name was, by the folders that are looked into first.
    fn environment(&self, units: &Units, finding: &Finding, key: &Key<'_>) -> Option<&'c TreePath> {
        let prefixes = self.searched.get(key)?.iter();
        let known = |prefix: &&TreePath| units.below.contains_key(&(finding.origin.tree.clone(), (*prefix).clone()));
        // What `pip install --user` puts there starts the system's.
        prefixes.filter(|prefix| prefix.name() != b".local").find(known)
    }
}

fn is_python(program: &TreePath) -> bool {
    program.name().starts_with(b"python")
}

fn is_of_system(program: &TreePath) -> bool {
    is_python(program) && matches!(program.parent().as_bytes(), b"usr/bin" | b"usr/local/bin" | b"bin")
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::{
        accounts::Accounts,
        assess::{Evidence, assess},
        credential::Catalog,
        fact::{At, HookContent, HookKind, Origin},
        ioc::{Database, Index},
        verdict::Exposure,
    };

    const CAME: i64 = 1_774_350_000;
    const VENV: &str = "home/al/v/lib/python3.11/site-packages";
    const DEBIAN: &str = "usr/local/lib/python3.11/dist-packages";
    const USER: &str = "home/al/.local/lib/python3.11/site-packages";

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).unwrap()
    }

    /// What becomes of a hook in this site folder, with process 7: its command line's program, the kernel's, `PATH`, whose it is, and
    /// when it started, in seconds after the hook came.
    fn judged(site: &str, argv: &str, exe: &str, searched: &[&str], uid: u32, start: Option<i64>) -> Exposure {
        let hook = Fact::Hook {
            kind: HookKind::Pth,
            content: HookContent::Runs,
            sha256: Some("0".repeat(64)),
            size: 9,
            odd: Vec::new(),
        };
        let program = argv.strip_prefix('/').map(path);
        let name = argv.rsplit('/').next().unwrap().into();
        let started = start.and_then(|s| At::unix(CAME + s, "start"));
        let came = At::unix(CAME, "mtime");
        let facts = [
            (format!("{site}/litellm_init.pth"), came, hook),
            ("proc/7/cmdline".to_owned(), None, Fact::Process { pid: 7, program, name, texts: Vec::new() }),
            ("proc/7/exe".to_owned(), started, Fact::Executable { pid: 7, program: path(exe), deleted: false }),
            (
                "proc/7/environ".to_owned(),
                None,
                Fact::SearchPath { pid: 7, prefixes: searched.iter().map(|p| path(p)).collect() },
            ),
        ];
        // An environment is known by what stands in it.
        let pip = crate::fact::Package {
            ecosystem: crate::fact::Ecosystem::Pypi,
            name: "pip".into(),
            version: "24".into(),
            placement: crate::fact::Placement::Loadable,
            artifacts: Vec::new(),
            requires: [].into(),
        };
        let stands = [VENV, "home/al/w/lib/python3.11/site-packages", USER].map(|site| {
            (format!("{site}/pip-24.dist-info/METADATA"), At::unix(CAME - 9999, "mtime"), Fact::Package(pip.clone()))
        });
        let tree: Arc<str> = "host".into();
        let evidence = facts.into_iter().chain(stands).map(|(place, at, fact)| {
            let place = path(&place);
            let unit = Some(Arc::new(crate::ecosystem::pypi::unit_around(&place, false)));
            let origin = Origin::file(&tree, place);
            Seen { surface: "t", origin, at, uid: Some(uid), gid: None, mode: None, unit, fact }.into()
        });
        let evidence: Vec<Evidence> = evidence.collect();
        let passwd = b"root:x:0:0::/root:/bin/sh\nal:x:1000:1000::/home/al:/bin/sh\n";
        let accounts = BTreeMap::from([(tree.clone(), Accounts::new(passwd, []))]);
        let (index, catalog) = (Index::new(Database::embedded().unwrap(), &[]), Catalog { kinds: Vec::new() });
        assess(Case { index: &index, catalog: &catalog, evidence, accounts }).exposure().unwrap()
    }

    #[test]
    fn an_interpreter_that_reads_the_hook_and_started_after_it() {
        for (site, argv, searched, uid) in [
            (VENV, "/home/al/v/bin/python", &[][..], 1000),
            (VENV, "python", &["home/al/v"], 1000),
            (VENV, "python3", &["home/al/.local", "home/al/.cargo", "home/al/v", "home/al/w"], 0),
            (DEBIAN, "/usr/bin/python3", &[], 1000),
            (DEBIAN, "/usr/bin/python3", &["home/al/v"], 1000),
            (DEBIAN, "python3", &[], 0),
            (DEBIAN, "python3", &["home/al/.local"], 0),
            ("usr/lib/python3/dist-packages", "python3", &[], 1000),
            (USER, "/usr/bin/python3", &[], 1000),
        ] {
            let of = |start| judged(site, argv, "usr/bin/python3.11", searched, uid, start);
            assert_eq!(of(Some(2)), Exposure::Executed, "{site} {argv}");
            assert_eq!(of(None), Exposure::Executed, "when it started is not known: {site} {argv}");
            assert_eq!(of(Some(-2)), Exposure::Installed, "it started before: {site} {argv}");
        }
    }

    #[test]
    fn other_interpreters_do_not_read_it() {
        for (site, argv, exe, searched, uid) in [
            (VENV, "python", "usr/bin/python3.11", &["home/al/w", "home/al/v"][..], 1000),
            (VENV, "python", "usr/bin/python3.11", &[], 1000),
            (VENV, "python", "usr/bin/sleep", &["home/al/v"], 1000),
            (VENV, "bash", "usr/bin/python3.11", &["home/al/v"], 1000),
            (DEBIAN, "/home/al/v/bin/python", "usr/bin/python3.11", &[], 1000),
            (DEBIAN, "python", "usr/bin/python3.11", &["home/al/v"], 1000),
            (DEBIAN, "/usr/bin/python3", "usr/bin/python3.12", &[], 1000),
            (DEBIAN, "/usr/local/bin/python3", "usr/local/bin/python3.11", &[], 1000),
            (USER, "/usr/bin/python3", "usr/bin/python3.11", &[], 0),
            (USER, "/usr/bin/python3", "usr/bin/python3.12", &[], 1000),
        ] {
            assert_eq!(judged(site, argv, exe, searched, uid, Some(2)), Exposure::Installed, "{site} {argv} {exe}");
        }
    }
}
