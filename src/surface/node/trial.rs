//! Runs one surface on one made-up file, for tests.

use crate::{
    fact::{Ecosystem, Fact, Package, Seen},
    interest::Interest,
    surface::{Flaw, Surface, python},
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
    let python::trial::Tried { seen, flaw } = python::trial::tried(surface, path, bytes, &interest);
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
