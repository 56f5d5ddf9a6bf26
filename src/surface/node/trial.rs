//! Runs one surface on one made-up file, for tests.

use jiff::Timestamp;

use crate::{
    fact::{Ecosystem, Fact, Origin, Package, Seen, TreePath},
    interest::Interest,
    surface::{Flaw, Opened, Sink, Surface},
    tree::{Body, Entry},
};

/// What came of it.
pub struct Tried {
    pub seen: Vec<Seen>,
    /// Each fact in a few words.
    pub said: Vec<String>,
    pub flaw: Option<Flaw>,
}

/// The file as a member of a streamed layer, where an indicator knows these packages.
pub fn tried(surface: &dyn Surface, path: &str, bytes: &[u8], known: &[&str]) -> Tried {
    let mut interest = Interest::default();
    known.iter().for_each(|name| interest.packages.insert(Ecosystem::Npm, name));
    let len = u64::try_from(bytes.len()).unwrap();
    let path = TreePath::new(path.as_bytes()).unwrap();
    let mtime = Timestamp::from_second(1_774_350_000).ok();
    let entry = Entry { path: path.clone(), len, mtime, btime: None, uid: None, gid: None, mode: None };
    let mut reader = bytes;
    let mut body = Body::stream(&mut reader, len);
    let mut seen = Vec::new();
    let (mut keep, mut gap) = (|s| seen.push(s), |_| ());
    let mut sink = Sink::new(surface.meta().id, Origin::file(&"test".into(), path), &entry, &mut keep, &mut gap);
    let flaw = surface.inspect(&mut Opened::new(&entry, &interest, &mut body), &mut sink).err();
    let said = seen.iter().map(|s: &Seen| said(&s.fact)).collect();
    Tried { seen, said, flaw }
}

fn said(fact: &Fact) -> String {
    let package = |kind: &str, p: &Package| format!("{kind} {} {} {:?}", p.name, p.version, p.placement);
    match fact {
        Fact::Package(p) => package("package", p),
        Fact::Named(p) => package("named", p),
        Fact::Recorded { package: p, folder } => format!("recorded {} {} {}", p.name, p.version, folder.text()),
        Fact::Disagreement { what, .. } => format!("disagreement {what}"),
        Fact::InstallScript { name, version, outcome, .. } => format!("script {name} {version} {outcome:?}"),
        Fact::ScriptsBlocked { by, root, allowed } => format!("blocked by {by} in {} but {allowed:?}", root.text()),
        other => format!("{other:?}"),
    }
}
