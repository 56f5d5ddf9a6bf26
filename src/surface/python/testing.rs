//! What the tests of surfaces that read manifests and lock files share.

use std::sync::Arc;

use crate::{
    fact::{Artifact, Ecosystem, Fact, Origin, Placement, TreePath},
    interest::Interest,
    surface::{FileMatch, Opened, Sink, Surface},
    tree::{Body, Entry},
};

/// What a surface said of one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// `name version@line`.
    pub pins: Vec<String>,
    pub artifacts: Vec<Vec<Artifact>>,
    /// Names of what the project asks for.
    pub asked: Vec<String>,
    /// Files that it names, with the surface that reads them.
    pub includes: Vec<String>,
    /// The details of gaps.
    pub gaps: Vec<String>,
}

pub fn read(surface: &dyn Surface, path: &str, bytes: &[u8]) -> Read {
    let path = TreePath::new(path.as_bytes()).unwrap();
    let len = u64::try_from(bytes.len()).unwrap();
    let entry = Entry { path: path.clone(), len, mtime: None, btime: None, uid: None, gid: None, mode: None };
    let mut interest = Interest::default();
    interest.packages.insert(Ecosystem::Pypi, "litellm");
    let mut source = bytes;
    let mut body = Body::stream(&mut source, len);
    let (mut seen, mut gaps) = (Vec::new(), Vec::new());
    let (mut keep, mut gap) = (|s| seen.push(s), |g| gaps.push(g));
    let origin = Origin::file(&Arc::from("host"), path);
    let mut sink = Sink::new("test", origin, &entry, &mut keep, &mut gap);
    let result = surface.inspect(&mut Opened::new(&entry, &interest, &mut body), &mut sink);
    let mut read = Read { gaps: gaps.into_iter().map(|g| g.detail).collect(), ..Read::default() };
    read.gaps.extend(result.err().map(|flaw| flaw.to_string()));
    for s in seen {
        let p = match s.fact {
            Fact::Package(p) => p,
            Fact::Project { asked, .. } => {
                read.asked.extend(asked.into_iter().map(|r| r.name.into()));
                continue;
            }
            Fact::Includes { file, surface } => {
                read.includes.push(format!("{surface} {}", file.text()));
                continue;
            }
            _ => panic!("neither a package nor a project"),
        };
        assert_eq!((p.ecosystem, p.placement), (Ecosystem::Pypi, Placement::Listed));
        let line = s.origin.line.map_or("?".to_owned(), |l| l.to_string());
        read.pins.push(format!("{} {}@{line}", p.name, p.version));
        read.artifacts.push(p.artifacts);
    }
    read
}

/// Whether a surface claims a path.
pub fn claims(surface: &dyn Surface, path: &str) -> bool {
    let path = TreePath::new(path.as_bytes()).unwrap();
    let (folder, name) = (path.parent(), path.name());
    surface.claims(&Interest::default()).iter().any(|c| {
        assert_ne!(c.file, FileMatch::Any);
        c.file.fits(name) && c.folder.fits(folder.as_bytes())
    })
}
