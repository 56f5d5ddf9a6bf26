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
        let Fact::Package(p) = s.fact else { panic!("no package") };
        assert_eq!((p.ecosystem, p.placement), (Ecosystem::Npm, Placement::Listed));
        let line = s.origin.line.map_or("?".to_owned(), |l| l.to_string());
        read.packages.push(format!("{} {}@{line}", p.name, p.version));
        let marked = |m: &Option<Box<str>>| m.as_ref().map_or(String::new(), |m| format!(" {m}"));
        read.requires.push(p.requires.iter().map(|r| format!("{}{}", r.text, marked(&r.marker))).collect());
    }
    read
}
