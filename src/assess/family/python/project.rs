//! Which environments belong to a project: what its manifest asks for is what the user asked for there.
//!
//! ```text
//! project/.venv, project/venv                                   uv, pdm, poetry and pipenv where they are set so, people
//! ~/.cache/pypoetry/virtualenvs/<name>-<hash>-py3.11            hash: of the project's path
//! ~/.local/share/virtualenvs/<name>-<hash>                      pipenv; hash: of the Pipfile's path
//! ~/.local/share/hatch/env/virtual/<name>/<hash>/<environment>  hash: of the project's path
//! ```
//!
//! All hashes are the first eight characters of the SHA-256 in URL-safe Base64. The path is the one that the project had when the
//! environment was made; PDM's environments outside of the project have another hash and are not joined.

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use sha2::{Digest as _, Sha256};

use crate::fact::TreePath;

/// Characters of the hash.
const HASH: usize = 8;

/// How the environments of one project are recognised.
pub struct Project {
    folder: TreePath,
    hashes: [String; 2],
}

impl Project {
    /// The project in this folder.
    pub fn new(folder: TreePath) -> Self {
        let hashes = [hash(&folder), hash(&folder.join(b"Pipfile"))];
        Self { folder, hashes }
    }

    /// Whether the environment in `prefix` is the project's.
    pub fn has(&self, prefix: &TreePath) -> bool {
        let within = || [prefix.name().to_vec(), prefix.parent().name().to_vec()];
        prefix.parent() == self.folder || within().iter().any(|name| self.hashes.iter().any(|h| bears(name, h)))
    }
}

/// `<hash>`, `app-<hash>`, `app-<hash>-py3.11`. The hash itself may hold a `-`.
fn bears(name: &[u8], hash: &str) -> bool {
    let Some(at) = memchr::memmem::rfind(name, hash.as_bytes()) else {
        return false;
    };
    let before = at.checked_sub(1).and_then(|i| name.get(i));
    let behind = name.get(at + HASH..).unwrap_or_default();
    before.is_none_or(|b| *b == b'-') && (behind.is_empty() || behind.starts_with(b"-"))
}

fn hash(path: &TreePath) -> String {
    let absolute = [b"/", path.as_bytes()].concat();
    let mut text = URL_SAFE.encode(Sha256::digest(absolute));
    text.truncate(HASH);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).unwrap()
    }

    /// Names that poetry 2.5, pipenv 2026 and hatch 1.18 gave, the last worked out with Python.
    #[test]
    fn environments_of_a_project_by_place_and_by_hash() {
        let poetry = Project::new(path("home/al/po"));
        for prefix in [
            "home/al/po/.venv",
            "home/al/.cache/pypoetry/virtualenvs/po-app-XDRxk8cL-py3.11",
            "home/al/.local/share/virtualenvs/po-43A_Q3US",
            "home/al/.local/share/hatch/env/virtual/po-app/XDRxk8cL/po-app",
        ] {
            assert!(poetry.has(&path(prefix)), "{prefix}");
        }
        for prefix in [
            "home/al/.venv",
            "home/al/po/sub/.venv",
            "home/al/po",
            "v/po-app-AAAAAAAA-py3.11",
            "v/po-appXDRxk8cL-py3.11",
            "v/po-app-XDRxk8cLx",
        ] {
            assert!(!poetry.has(&path(prefix)), "{prefix}");
        }
    }
}
