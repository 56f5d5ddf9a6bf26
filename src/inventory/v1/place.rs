//! Places: paths, files, units, problems.

mod spelled;

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    coverage::{self, GapKind},
    fact::{self, Ecosystem, EnvironmentKind, TreePath},
    tree,
};

/// A path from the root of the tree; `{"bytes": base64}` where it is no UTF-8, `{"written": …, "usual": …}` where its file system takes
/// names in any case and it is usually spelled otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Path {
    /// Starts with `/`.
    Text(String),
    /// Both start with `/`.
    Spelled {
        /// As it stands there.
        written: String,
        /// As it is usually spelled.
        usual: String,
    },
    /// Without the leading `/`.
    Bytes {
        /// Base64.
        bytes: String,
    },
}

impl From<&TreePath> for Path {
    fn from(path: &TreePath) -> Self {
        match [path.written(), path.as_bytes()].map(std::str::from_utf8) {
            [Ok(written), Ok(usual)] if written == usual => Self::Text(format!("/{written}")),
            [Ok(written), Ok(usual)] => Self::Spelled { written: format!("/{written}"), usual: format!("/{usual}") },
            _ => Self::Bytes { bytes: STANDARD.encode(path.written()) },
        }
    }
}

impl Path {
    /// `None` where it leaves the tree, or is no path.
    pub fn read(&self) -> Option<TreePath> {
        let path = self.raw().and_then(|raw| TreePath::new(&raw))?;
        match self {
            Self::Spelled { usual, .. } => path.usually(&TreePath::new(usual.as_bytes())?),
            Self::Text(_) | Self::Bytes { .. } => Some(path),
        }
    }

    /// Whether `read` gives a path.
    pub fn is_path(&self) -> bool {
        match self {
            Self::Spelled { .. } => self.read().is_some(),
            Self::Text(_) | Self::Bytes { .. } => self.raw().is_some_and(|raw| TreePath::is_one(&raw)),
        }
    }

    fn raw(&self) -> Option<Cow<'_, [u8]>> {
        let raw = match self {
            Self::Text(text) | Self::Spelled { written: text, .. } => Cow::Borrowed(text.as_bytes()),
            Self::Bytes { bytes } => Cow::Owned(STANDARD.decode(bytes).ok()?),
        };
        memchr::memchr(0, &raw).is_none().then_some(raw)
    }
}

/// Files of a folder by their names alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Names {
    /// The folder.
    pub folder: Path,
    /// Each file and link.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Name>,
}

/// `[name, bytes, seconds since 1970]` of a file, `[name]` of a link.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Name {
    /// A file.
    File(NameText, u64, i64),
    /// A link, or a file of which nothing else is known.
    Bare([NameText; 1]),
}

/// A name; `{"bytes": base64}` where it is no UTF-8.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum NameText {
    /// Without a slash.
    Text(String),
    /// The same.
    Bytes {
        /// Base64.
        bytes: String,
    },
}

impl From<&tree::Listed> for Name {
    fn from(l: &tree::Listed) -> Self {
        let name = match std::str::from_utf8(&l.name) {
            Ok(text) => NameText::Text(text.to_owned()),
            Err(_) => NameText::Bytes { bytes: STANDARD.encode(&l.name) },
        };
        match (l.size, l.changed) {
            (Some(size), Some(changed)) => Self::File(name, size, changed),
            _ => Self::Bare([name]),
        }
    }
}

impl Name {
    /// `None` where it is no name.
    pub fn read(self) -> Option<tree::Listed> {
        let (name, size, changed) = match self {
            Self::File(name, size, changed) => (name, Some(size), Some(changed)),
            Self::Bare([name]) => (name, None, None),
        };
        let name = match name {
            NameText::Text(text) => text.into_bytes(),
            NameText::Bytes { bytes } => STANDARD.decode(bytes).ok()?,
        };
        let ordinary = !name.is_empty() && name != b".." && name != b"." && !name.iter().any(|b| matches!(b, 0 | b'/'));
        ordinary.then_some(tree::Listed { name, size, changed })
    }
}

/// A file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Where.
    pub path: Path,
    /// In bytes.
    pub size: u64,
    /// Last change, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtime: Option<Timestamp>,
    /// Numeric owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Numeric group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Permission bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
}

impl From<&tree::Entry> for Entry {
    fn from(e: &tree::Entry) -> Self {
        Self { path: (&e.path).into(), size: e.len, mtime: e.mtime, uid: e.uid, gid: e.gid, mode: e.mode }
    }
}

impl Entry {
    /// `None` where its path is none.
    pub fn read(&self) -> Option<tree::Entry> {
        Some(tree::Entry {
            path: self.path.read()?,
            len: self.size,
            mtime: self.mtime,
            btime: None,
            uid: self.uid,
            gid: self.gid,
            mode: self.mode,
        })
    }
}

/// What is loaded together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// By whose rules.
    pub ecosystem: Ecosystem,
    /// The folder that code is loaded from.
    pub folder: Path,
    /// The whole.
    pub root: Path,
    /// What it is.
    pub kind: EnvironmentKind,
    /// Whether the layout says so.
    pub usual: bool,
}

impl From<&fact::Unit> for Unit {
    fn from(u: &fact::Unit) -> Self {
        let (folder, root) = ((&u.folder).into(), (&u.root).into());
        Self { ecosystem: u.ecosystem, folder, root, kind: u.kind.clone(), usual: u.usual }
    }
}

impl Unit {
    /// `None` where a path is none.
    pub fn read(&self) -> Option<fact::Unit> {
        let (folder, root) = (self.folder.read()?, self.root.read()?);
        Some(fact::Unit { ecosystem: self.ecosystem, folder, root, kind: self.kind.clone(), usual: self.usual })
    }
}

/// A place in a tree.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Origin {
    /// The file.
    pub path: Path,
    /// A member of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner: Option<String>,
    /// From 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl From<&fact::Origin> for Origin {
    fn from(o: &fact::Origin) -> Self {
        Self { path: (&o.path).into(), inner: o.inner.as_deref().map(str::to_owned), line: o.line }
    }
}

impl Origin {
    /// In this tree; `None` where the path is none.
    pub fn read(&self, tree: &std::sync::Arc<str>) -> Option<fact::Origin> {
        let inner = self.inner.as_deref().map(Into::into);
        Some(fact::Origin { inner, line: self.line, ..fact::Origin::file(tree, self.path.read()?) })
    }
}

/// Something that could not be examined.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Gap {
    /// Where.
    pub place: Origin,
    /// Id of the surface, or of a part of the program.
    pub surface: String,
    /// Why.
    pub kind: GapKind,
    /// One line for people.
    pub detail: String,
}

impl From<&coverage::Gap> for Gap {
    fn from(g: &coverage::Gap) -> Self {
        Self { place: (&g.origin).into(), surface: g.surface.to_owned(), kind: g.kind, detail: g.detail.clone() }
    }
}
