//! What an archive turned out to be, by each of its witnesses.

use std::io::{Read, Seek};

use super::{archive::with_artifact, identity};
use crate::{
    fact::{At, Fact, Package},
    interest::Interest,
    surface::{Flaw, Sink},
};

/// A distribution in an archive.
#[derive(Debug)]
pub struct Found {
    /// What it is.
    pub package: Package,
    /// What the folder in it is called, where that says something.
    by_folder: Option<Package>,
    /// Something describes it, and not only its folder's name.
    described: bool,
    /// Why what should describe it does not.
    flaw: Option<Flaw>,
}

impl Found {
    /// By the folder of an sdist, whose description comes later or is not there.
    pub fn sure(package: Package) -> Self {
        Self { package, by_folder: None, described: true, flaw: None }
    }

    /// By the folder alone.
    pub fn undescribed(package: Package) -> Self {
        Self { package, by_folder: None, described: false, flaw: None }
    }

    /// By what describes it, else by its folder.
    ///
    /// # Errors
    /// Where neither says it.
    pub fn new(described: Result<Package, Flaw>, by_folder: Option<Package>) -> Result<Self, Flaw> {
        match (described, by_folder) {
            (Ok(package), by_folder) => Ok(Self { package, by_folder, described: true, flaw: None }),
            (Err(flaw), Some(named)) => {
                Ok(Self { package: named, by_folder: None, described: false, flaw: Some(flaw) })
            }
            (Err(flaw), None) => Err(flaw),
        }
    }

    /// Pushes it, with what its folder and the archive's own name say where that differs.
    ///
    /// # Errors
    /// When the medium fails.
    pub fn push<R: Read + Seek>(
        self,
        archive: &mut R,
        file: Option<&str>,
        interest: &Interest,
        at: Option<At>,
        out: &mut Sink<'_>,
    ) -> Result<(), Flaw> {
        let Self { package, by_folder, described, flaw } = self;
        let placement = package.placement;
        if let Some(other) = by_folder
            && identity::compare(out, Some((&other.name, &other.version)), "its folder", &package, "its description")
        {
            out.push(at.clone(), Fact::Named(other));
        }
        let named = file.and_then(|f| identity::file_parts(f.as_bytes()));
        if let Some((name, version)) = named
            && identity::compare(out, named, "its file name", &package, "its content")
        {
            out.push(at.clone(), Fact::Named(identity::package(name, version, placement)));
        }
        if let Some(flaw) = flaw {
            out.gap(None, &flaw);
        }
        // The bytes may be known whatever the description says.
        let package = with_artifact(package, archive, file, interest)?;
        out.push(at, if described { Fact::Package(package) } else { Fact::Named(package) });
        Ok(())
    }
}
