//! Runs a surface of lock files on one made-up file, for tests.

use crate::{
    fact::{Ecosystem, Fact, Origin, Placement, TreePath},
    interest::Interest,
    surface::{Opened, Sink, Surface},
    tree::{Body, Entry},
};

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// `name version@line`.
    pub packages: Vec<String>,
    /// Of each, what it asks for: `text`, and the marker behind a space.
    pub requires: Vec<Vec<String>>,
    /// The details of gaps.
    pub gaps: Vec<String>,
}

pub fn listed(surface: &dyn Surface, path: &str, bytes: &[u8]) -> Read {
    on(surface, path, bytes, &mut |surface, file, sink| {
        let flaw = surface.inspect(file, sink).err();
        flaw.map(|flaw| flaw.to_string())
    })
}

/// `name version@line` of what the raw text names.
pub fn salvaged(surface: &dyn Surface, bytes: &[u8], known: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut interest = Interest::default();
    known.iter().for_each(|name| interest.packages.insert(Ecosystem::Npm, name));
    on(surface, "x", bytes, &mut |surface, file, _| {
        let mut file = Opened { interest: &interest, entry: file.entry, body: &mut *file.body };
        found = surface.salvage(&mut file).into_iter().map(|(p, l)| format!("{} {}@{l}", p.name, p.version)).collect();
        None
    });
    found
}

type Act<'a> = dyn FnMut(&dyn Surface, &mut Opened<'_, '_>, &mut Sink<'_>) -> Option<String> + 'a;

fn on(surface: &dyn Surface, path: &str, bytes: &[u8], act: &mut Act<'_>) -> Read {
    let path = TreePath::new(path.as_bytes()).unwrap();
    let len = u64::try_from(bytes.len()).unwrap();
    let entry = Entry { path: path.clone(), len, mtime: None, btime: None, uid: None, gid: None, mode: None };
    let interest = Interest::default();
    let mut source = bytes;
    let mut body = Body::stream(&mut source, len);
    let (mut seen, mut gaps) = (Vec::new(), Vec::new());
    let (mut keep, mut gap) = (|s| seen.push(s), |g| gaps.push(g));
    let mut sink = Sink::new("test", Origin::file(&"host".into(), path), &entry, &mut keep, &mut gap);
    let flaw = act(surface, &mut Opened::new(&entry, &interest, &mut body), &mut sink);
    let mut read = Read { gaps: gaps.into_iter().map(|g| g.detail).collect(), ..Read::default() };
    read.gaps.extend(flaw);
    for s in seen {
        let p = match s.fact {
            Fact::Package(p) => p,
            Fact::ScriptsBlocked { .. } | Fact::Project { .. } => continue,
            other => panic!("no package: {other:?}"),
        };
        assert_eq!((p.ecosystem, p.placement), (Ecosystem::Npm, Placement::Listed));
        let line = s.origin.line.map_or("?".to_owned(), |l| l.to_string());
        read.packages.push(format!("{} {}@{line}", p.name, p.version));
        let marked = |m: &Option<Box<str>>| m.as_ref().map_or(String::new(), |m| format!(" {m}"));
        read.requires.push(p.requires.iter().map(|r| format!("{}{}", r.text, marked(&r.marker))).collect());
    }
    read
}

/// One small project, locked by npm 11 in its three forms, pnpm 7, 8 and 9, yarn 1 and yarn 4.
#[test]
fn lock_files_of_the_tools_name_the_same_packages() {
    use super::{npm_lock::NpmLock, pnpm_lock::PnpmLock, yarn_lock::YarnLock};

    macro_rules! sample {
        ($name:literal) => {
            include_bytes!(concat!("../../../tests/fixtures/node-locks/", $name, ".sample")).as_slice()
        };
    }
    let expected = [
        "@types/node 20.1.0",
        "ansi-styles 4.3.0",
        "chalk 4.1.2",
        "color-convert 2.0.1",
        "color-name 1.1.4",
        "fsevents 2.3.3",
        "has-flag 4.0.0",
        "is-number 6.0.0",
        "is-odd 3.0.1",
        "js-tokens 4.0.0",
        "loose-envify 1.4.0",
        "react 18.2.0",
        "supports-color 7.2.0",
        "use-sync-external-store 1.2.0",
    ];
    let files: [(&dyn Surface, &[u8]); 8] = [
        (&NpmLock, sample!("npm-v1")),
        (&NpmLock, sample!("npm-v2")),
        (&NpmLock, sample!("npm-v3")),
        (&PnpmLock, sample!("pnpm-7")),
        (&PnpmLock, sample!("pnpm-8")),
        (&PnpmLock, sample!("pnpm-9")),
        (&YarnLock, sample!("yarn-1")),
        (&YarnLock, sample!("yarn-4")),
    ];
    for (nth, (surface, bytes)) in files.into_iter().enumerate() {
        let read = listed(surface, "p/lock", bytes);
        let mut names: Vec<&str> =
            read.packages.iter().filter_map(|p| p.rsplit_once('@')).map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        // yarn 4 adds what builds fsevents.
        names.retain(|name| nth < 7 || expected.contains(name));
        assert_eq!((names.as_slice(), read.gaps), (expected.as_slice(), vec![]), "file {nth}");
        let chalk = read.packages.iter().position(|p| p.starts_with("chalk ")).unwrap();
        let asks = |name: &str| read.requires[chalk].iter().any(|r| r.starts_with(&format!("{name}@")));
        assert!(asks("ansi-styles") && asks("supports-color"), "file {nth}: {:?}", read.requires[chalk]);
    }
}
