//! What is loaded or run together, and cleaned up together.

use serde::{Deserialize, Serialize};

use super::{Ecosystem, TreePath};

/// What kind of environment a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnvironmentKind {
    /// `pyvenv.cfg` of venv, virtualenv or uv.
    Venv,
    /// Made by `uv tool install`.
    UvTool,
    /// Made by `pipx`.
    Pipx,
    /// Made by a tool in its cache to run a program once (`uvx`, `uv run --with`, `pipx run`).
    Ephemeral,
    /// A conda prefix.
    Conda,
    /// An interpreter of pyenv.
    Pyenv,
    /// `~/.local`.
    User,
    /// An interpreter's own site folder.
    System,
    /// A folder that only looks like one (`pip install --target`).
    Target,
    /// A project with a `node_modules`.
    NodeProject,
    /// The global packages of a Node, below its prefix.
    NodeGlobal,
}

/// What is loaded or run together and is cleaned up together: a Python environment, the project that owns a `node_modules`. Made by
/// the surface that knows the layout; nothing after it takes a path apart to find out where something is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unit {
    /// By whose rules it loads.
    pub ecosystem: Ecosystem,
    /// The folder that code is loaded from (a site folder, a `node_modules`), or the archive.
    pub folder: TreePath,
    /// The whole: the prefix of an environment, a project.
    pub root: TreePath,
    /// What its place says it is; a receipt or a marker file may say more.
    pub kind: EnvironmentKind,
    /// Whether the layout of the path says so, rather than what was found there (`pip install --target`).
    pub usual: bool,
}

impl Unit {
    /// Whether it is one folder of something larger, as a site folder is of an environment.
    pub fn is_part(&self) -> bool {
        self.root != self.folder
    }
}
