//! Which files a surface wants, as data, so that routing a name is a lookup.

/// What the file's name must be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FileMatch {
    /// Exactly this.
    Name(String),
    /// This start and this end; either may be empty. `(".", ".pth")` wants both, `("", ".pth")` any name that ends so.
    Affix(String, String),
    /// Exactly so many lower-case hex digits: the name is a hash.
    Hex(usize),
    /// Any name.
    Any,
}

/// What the folder that holds the file must be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FolderMatch {
    /// Any folder.
    Any,
    /// Its own name ends with this: `.dist-info`.
    Suffix(String),
    /// Its path ends with these components: `.config/systemd/user`.
    Tail(String),
    /// It is this folder, from the root: `etc/systemd/system`.
    Root(String),
    /// It, or one that holds it, has this name: `http-v2`.
    Within(String),
    /// It is below (or is) this folder, from the root: `etc/wireguard`.
    Below(String),
}

/// A wanted file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// Its name.
    pub file: FileMatch,
    /// Its folder.
    pub folder: FolderMatch,
    /// Whether a link of that name counts too.
    pub links: bool,
}

impl Claim {
    /// A file of exactly this name, anywhere.
    pub fn name(name: &str) -> Self {
        Self { file: FileMatch::Name(name.to_owned()), folder: FolderMatch::Any, links: true }
    }

    /// A file whose name ends so, anywhere.
    pub fn suffix(suffix: &str) -> Self {
        Self::affix("", suffix)
    }

    /// A file whose name starts and ends so, anywhere.
    pub fn affix(start: &str, end: &str) -> Self {
        Self { file: FileMatch::Affix(start.to_owned(), end.to_owned()), folder: FolderMatch::Any, links: true }
    }

    /// A name of exactly so many lower-case hex digits, anywhere.
    pub fn hex(digits: usize) -> Self {
        Self { file: FileMatch::Hex(digits), folder: FolderMatch::Any, links: true }
    }

    /// A name with at most one `*`.
    pub fn pattern(pattern: &str) -> Self {
        match pattern.split_once('*') {
            None => Self::name(pattern),
            Some(("", "")) => Self::any(),
            Some((start, end)) => Self::affix(start, end),
        }
    }

    /// Every file.
    pub fn any() -> Self {
        Self { file: FileMatch::Any, folder: FolderMatch::Any, links: true }
    }

    /// The same, in folders whose name ends so.
    pub fn in_suffix(self, suffix: &str) -> Self {
        self.folder(FolderMatch::Suffix(suffix.to_owned()))
    }

    /// The same, in folders whose path ends with these components.
    pub fn in_tail(self, tail: &str) -> Self {
        self.folder(FolderMatch::Tail(tail.to_owned()))
    }

    /// The same, in this folder from the root only.
    pub fn in_root(self, path: &str) -> Self {
        self.folder(FolderMatch::Root(path.trim_matches('/').to_owned()))
    }

    /// The same, anywhere below a folder of this name.
    pub fn within(self, name: &str) -> Self {
        self.folder(FolderMatch::Within(name.to_owned()))
    }

    /// The same, anywhere below this folder from the root.
    pub fn below(self, path: &str) -> Self {
        self.folder(FolderMatch::Below(path.trim_matches('/').to_owned()))
    }

    /// The same, but no links: what they lead to is met where it stands.
    pub fn plain(mut self) -> Self {
        self.links = false;
        self
    }

    fn folder(mut self, folder: FolderMatch) -> Self {
        self.folder = folder;
        self
    }
}

impl FileMatch {
    /// Whether a name fits.
    pub fn fits(&self, name: &[u8]) -> bool {
        match self {
            Self::Name(n) => n.as_bytes() == name,
            Self::Affix(start, end) => {
                name.len() >= start.len() + end.len()
                    && name.starts_with(start.as_bytes())
                    && name.ends_with(end.as_bytes())
            }
            Self::Hex(digits) => name.len() == *digits && name.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
            Self::Any => true,
        }
    }
}

impl FolderMatch {
    /// Whether a folder fits; `path` as in `TreePath`, without a leading slash.
    pub fn fits(&self, path: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Suffix(end) => path.ends_with(end.as_bytes()) && !end.contains('/'),
            Self::Tail(tail) => {
                path.strip_suffix(tail.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.ends_with(b"/"))
            }
            Self::Root(root) => path == root.as_bytes(),
            Self::Within(name) => path.split(|b| *b == b'/').any(|c| c == name.as_bytes()),
            Self::Below(root) => {
                path.strip_prefix(root.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_name_has_its_length_and_digits() {
        assert!(FileMatch::Hex(4).fits(b"0af9"));
        for other in ["0AF9", "0af", "0af90", "0afg", ""] {
            assert!(!FileMatch::Hex(4).fits(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn folders_fit_by_component() {
        let fits = |m: &FolderMatch, p: &str| m.fits(p.as_bytes());
        let tail = FolderMatch::Tail(".config/sysmon".into());
        assert!(fits(&tail, "home/a/.config/sysmon") && fits(&tail, ".config/sysmon"));
        assert!(!fits(&tail, "home/a/x.config/sysmon"));
        let within = FolderMatch::Within("http".into());
        assert!(fits(&within, "c/pip/http/a") && !fits(&within, "c/pip/http-v2/a"));
        let below = FolderMatch::Below("etc/wireguard".into());
        assert!(fits(&below, "etc/wireguard/x") && !fits(&below, "etc/wireguard2"));
    }
}
