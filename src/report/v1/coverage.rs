//! What was examined and what was not.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::Location;
use crate::{
    accounts::Accounts,
    assess::Assessment,
    coverage::{self, GapKind},
    rotate,
};

/// What was examined and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Labels.
    pub trees: Vec<String>,
    /// By surface.
    pub surfaces: Vec<SurfaceCount>,
    /// Files and folders examined.
    pub files_seen: u64,
    /// From the target.
    pub bytes_read: u64,
    /// Opened without `O_NOATIME`.
    pub atime_changed: u64,
    /// Install commands without a time and without a version.
    #[serde(default)]
    pub undated_commands: u64,
    /// What should have been examined and could not be.
    pub gaps: Vec<Gap>,
    /// Files that could not be read and hold nothing that could be a finding: the examination is complete without them.
    #[serde(default)]
    pub unreadable_without_weight: Vec<Gap>,
    /// How many more of them there are than are listed.
    #[serde(default)]
    pub unreadable_without_weight_unlisted: u64,
    /// What was left out on purpose.
    pub exclusions: Vec<Exclusion>,
    /// What the checklist may take for granted; `null` in reports of early versions.
    #[serde(default)]
    pub scope: Option<Scope>,
    /// Accounts that commands of the checklist name, beside those of the findings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logins: Vec<Login>,
    /// What engines and registries know the images by that findings are of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageDigests>,
}

/// An account that somebody logs in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Label of the disk.
    pub tree: String,
    /// Its number.
    pub uid: u32,
    /// Its name.
    pub name: String,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageDigests {
    /// Label of its tree.
    pub tree: String,
    /// Of its configuration and its manifests, `sha256:…`.
    pub digests: Vec<String>,
}

/// How much of the target was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Every place with every surface, and without a gap: what was not found is not there.
    pub whole: bool,
    /// Every place with the surfaces that find monitors of tokens.
    pub monitors: bool,
}

/// What one surface did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurfaceCount {
    /// Its id.
    pub id: String,
    /// Files inspected.
    pub files: u64,
    /// Facts read.
    pub facts: u64,
}

/// Something that could not be examined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Where.
    pub location: Location,
    /// Which surface.
    pub surface: String,
    /// Why.
    pub kind: GapKind,
    /// One line.
    pub detail: String,
}

/// Something left out on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Where.
    pub location: Location,
    /// One line.
    pub reason: String,
}

impl Coverage {
    /// Of an examination.
    pub fn new(c: coverage::Coverage, undated: u64) -> Self {
        let surfaces =
            c.surfaces.into_iter().map(|(id, n)| SurfaceCount { id: id.to_owned(), files: n.files, facts: n.facts });
        let gap = |g: coverage::Gap| Gap {
            location: (&g.origin).into(),
            surface: g.surface.to_owned(),
            kind: g.kind,
            detail: g.detail,
        };
        let exclusions = c.exclusions.into_iter().map(|x| Exclusion { location: (&x.origin).into(), reason: x.reason });
        Self {
            trees: c.trees,
            surfaces: surfaces.collect(),
            files_seen: c.files_seen,
            bytes_read: c.bytes_read,
            atime_changed: c.atime_changed,
            undated_commands: undated,
            gaps: c.gaps.into_iter().map(gap).collect(),
            unreadable_without_weight: c.weightless.into_iter().map(gap).collect(),
            unreadable_without_weight_unlisted: c.weightless_unlisted,
            exclusions: exclusions.collect(),
            scope: None,
            logins: Vec::new(),
            images: Vec::new(),
        }
    }

    /// The same, with what the checklist was made from beside the findings.
    #[must_use]
    pub fn with_basis(mut self, assessment: &Assessment, accounts: &BTreeMap<Arc<str>, Accounts>) -> Self {
        let login =
            |(tree, uid, name): (&Arc<str>, u32, &str)| Login { tree: tree.to_string(), uid, name: name.to_owned() };
        self.logins = rotate::logins(assessment, accounts).into_iter().map(login).collect();
        let image = |(tree, digests): (&Arc<str>, &Vec<String>)| ImageDigests {
            tree: tree.to_string(),
            digests: digests.clone(),
        };
        self.images = assessment.images.iter().map(image).collect();
        self
    }
}
