//! Runs one surface on one made-up file, for tests.

use jiff::Timestamp;

pub use super::archive::made::tar_gz;

use crate::{
    fact::{Ecosystem, Fact, Origin, Package, Seen, TreePath},
    interest::Interest,
    surface::{Flaw, Opened, Sink, Surface},
    tree::{Body, Entry},
};

/// What came of it.
pub struct Tried {
    pub seen: Vec<Seen>,
    pub flaw: Option<Flaw>,
}

impl Tried {
    /// `litellm 1.82.8 Cached` for each package.
    pub fn packages(&self) -> Vec<String> {
        self.words(|fact| if let Fact::Package(p) = fact { Some(p) } else { None })
    }

    /// The same for each that only a name says.
    pub fn named(&self) -> Vec<String> {
        self.words(|fact| if let Fact::Named(p) = fact { Some(p) } else { None })
    }

    /// What disagreements say.
    pub fn disagreements(&self) -> Vec<String> {
        let said = self.seen.iter().filter_map(|s| match &s.fact {
            Fact::Disagreement { what, .. } => Some(what.clone()),
            _ => None,
        });
        said.collect()
    }

    /// `branch main 2` for each trace, with its line; everything else as it is.
    pub fn traces(&self) -> Vec<String> {
        let words = |s: &Seen| match &s.fact {
            Fact::Trace(t) => format!("{} {} {}", t.kind.as_str(), t.value, s.origin.line.unwrap_or(0)),
            other => format!("{other:?}"),
        };
        self.seen.iter().map(words).collect()
    }

    fn words(&self, of: fn(&Fact) -> Option<&Package>) -> Vec<String> {
        let packages = self.seen.iter().filter_map(|s| of(&s.fact));
        packages.map(|p| format!("{} {} {:?}", p.name, p.version, p.placement)).collect()
    }
}

/// `package x 1.0.0 Cached@3` for each fact, in order, and what is wrong with the file, where indicators know these packages.
pub fn said(
    surface: &dyn Surface,
    path: &str,
    bytes: &[u8],
    (ecosystem, known): (Ecosystem, &[&str]),
) -> (Vec<String>, Option<String>) {
    let mut interest = Interest::default();
    known.iter().for_each(|name| interest.packages.insert(ecosystem, name));
    let tried = tried(surface, path, bytes, &interest);
    let said = tried.seen.iter().map(|seen| {
        let line = seen.origin.line.map_or(String::new(), |line| format!("@{line}"));
        match &seen.fact {
            Fact::Package(p) => format!("package {} {} {:?}{line}", p.name, p.version, p.placement),
            Fact::Named(p) => format!("named {} {} {:?}{line}", p.name, p.version, p.placement),
            Fact::InstallScript { name, version, outcome, .. } => format!("script {name} {version} {outcome:?}"),
            Fact::Disagreement { what, .. } => format!("disagreement {what}"),
            other => format!("{other:?}"),
        }
    });
    (said.collect(), tried.flaw.map(|flaw| flaw.to_string()))
}

/// The file as a member of a streamed layer.
pub fn tried(surface: &dyn Surface, path: &str, bytes: &[u8], interest: &Interest) -> Tried {
    let len = u64::try_from(bytes.len()).unwrap();
    let path = TreePath::new(path.as_bytes()).unwrap();
    let mtime = Timestamp::from_second(1_774_350_000).ok();
    let entry = Entry { path: path.clone(), len, mtime, btime: None, uid: None, gid: None, mode: None };
    let mut reader = bytes;
    let mut body = Body::stream(&mut reader, len);
    let (mut seen, mut gaps) = (Vec::new(), Vec::new());
    let (mut keep, mut gap) = (|s| seen.push(s), |g| gaps.push(g));
    let mut sink = Sink::new(surface.meta().id, Origin::file(&"test".into(), path), &entry, &mut keep, &mut gap);
    let flaw = surface.inspect(&mut Opened::new(&entry, interest, &mut body), &mut sink).err();
    Tried { seen, flaw }
}
