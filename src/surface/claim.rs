//! Which files a surface wants, as data, so that routing a name is a lookup.

use crate::fact::{ends_in, parent};

/// What the file's name must be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FileMatch {
    /// Exactly this.
    Name(String),
    /// This start and this end; either may be empty. `(".", ".pth")` wants both, `("", ".pth")` any name that ends so.
    Affix(String, String),
    /// This word anywhere in it and this end, both in any case. The word and the end are given in lower case, and the end has a dot.
    Holding(String, String),
    /// Exactly so many lower-case hex digits: the name is a hash.
    Hex(usize),
    /// Any name without a dot.
    NoEnding,
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
    /// It, or one that holds it, has the second name, and lies below a folder whose name ends with the first: `.git`, `refs`.
    Nested(String, String),
    /// It stands in a folder of this name, or in an `@scope` of one: `node_modules`.
    PackageIn(String),
    /// It, or one that holds it, has a name that holds this word, in any case: `requirements`. The word is given in lower case.
    Holding(String),
    /// It is below (or is) this folder, from the root: `etc/wireguard`.
    Below(String),
    /// Somebody's own work: no hidden folder, and none that holds installed packages or the system's own files.
    OwnWork,
}

/// How many files of one folder a claim `among_few` takes: a folder with more of them holds data.
pub const FEW: usize = 100;

/// Hidden folders that belong to the project around them.
const OF_PROJECTS: &[&[u8]] =
    &[b".github", b".gitlab", b".circleci", b".devcontainer", b".buildkite", b".ci", b".dotfiles", b".scripts"];
/// Folders of installed packages and of programs.
const PACKAGES: &[&[u8]] =
    &[b"site-packages", b"dist-packages", b"node_modules", b"google-cloud-sdk", b"testdata", b"conda-meta", b"pkgs"];
/// Folders of the system, from the root.
const SYSTEM: &[&[u8]] = &[
    b"bin", b"boot", b"dev", b"lib", b"lib32", b"lib64", b"libx32", b"nix", b"proc", b"run", b"sbin", b"snap", b"sys",
    b"System", b"Library",
];
const VAR: &[&[u8]] = &[b"cache", b"log", b"db"];
/// Stores of containers and of packages.
const STORES: &[&[u8]] = &[
    b"var/lib/apt/",
    b"var/lib/containerd",
    b"var/lib/containers",
    b"var/lib/docker",
    b"var/lib/dpkg/",
    b"var/lib/flatpak",
    b"var/lib/snapd",
];
const USR: &[&[u8]] = &[b"bin", b"include", b"lib", b"lib32", b"lib64", b"libexec", b"sbin", b"share"];

/// A wanted file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// Its name.
    pub file: FileMatch,
    /// Its folder.
    pub folder: FolderMatch,
    /// Whether a link of that name counts too.
    pub links: bool,
    /// No file of this name stands beside it: `__init__.py` makes a folder a package.
    pub without: Option<&'static str>,
    /// Only where no more than `FEW` files of the folder are claimed by it.
    pub among_few: bool,
}

impl Claim {
    /// A file of exactly this name, anywhere.
    pub fn name(name: &str) -> Self {
        Self {
            file: FileMatch::Name(name.to_owned()),
            folder: FolderMatch::Any,
            links: true,
            without: None,
            among_few: false,
        }
    }

    /// A file whose name ends so, anywhere.
    pub fn suffix(suffix: &str) -> Self {
        Self::affix("", suffix)
    }

    /// A file whose name starts and ends so, anywhere.
    pub fn affix(start: &str, end: &str) -> Self {
        Self {
            file: FileMatch::Affix(start.to_owned(), end.to_owned()),
            folder: FolderMatch::Any,
            links: true,
            without: None,
            among_few: false,
        }
    }

    /// A file whose name holds this word and ends so, both in any case, anywhere. Both are given in lower case.
    pub fn holding(word: &str, end: &str) -> Self {
        let file = FileMatch::Holding(word.to_owned(), end.to_owned());
        Self { file, folder: FolderMatch::Any, links: true, without: None, among_few: false }
    }

    /// A name of exactly so many lower-case hex digits, anywhere.
    pub fn hex(digits: usize) -> Self {
        Self { file: FileMatch::Hex(digits), folder: FolderMatch::Any, links: true, without: None, among_few: false }
    }

    /// A name with at most one `*`.
    pub fn pattern(pattern: &str) -> Self {
        match pattern.split_once('*') {
            None => Self::name(pattern),
            Some(("", "")) => Self::any(),
            Some((start, end)) => Self::affix(start, end),
        }
    }

    /// A file whose name has no dot, anywhere.
    pub fn no_ending() -> Self {
        Self { file: FileMatch::NoEnding, ..Self::any() }
    }

    /// Build files of images: `Dockerfile` and its kin.
    pub fn build_files() -> Vec<Self> {
        let names = ["Dockerfile", "Containerfile", "dockerfile"].map(Self::name);
        let kin = [Self::affix("Dockerfile.", ""), Self::affix("Containerfile.", ""), Self::suffix(".Dockerfile")];
        names.into_iter().chain(kin).chain([Self::suffix(".dockerfile")]).collect()
    }

    /// Every file.
    pub fn any() -> Self {
        Self { file: FileMatch::Any, folder: FolderMatch::Any, links: true, without: None, among_few: false }
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

    /// The same, anywhere below a folder of the second name that lies below one whose name ends with the first.
    pub fn nested(self, outer: &str, inner: &str) -> Self {
        self.folder(FolderMatch::Nested(outer.to_owned(), inner.to_owned()))
    }

    /// The same, in the folders of packages that a folder of this name holds: `name/x`, `name/@scope/x`.
    pub fn in_packages(self, name: &str) -> Self {
        self.folder(FolderMatch::PackageIn(name.to_owned()))
    }

    /// The same, anywhere below a folder whose name holds this word, in any case.
    pub fn within_holding(self, word: &str) -> Self {
        self.folder(FolderMatch::Holding(word.to_owned()))
    }

    /// The same, anywhere below this folder from the root.
    pub fn below(self, path: &str) -> Self {
        self.folder(FolderMatch::Below(path.trim_matches('/').to_owned()))
    }

    /// The same, in somebody's own work only.
    pub fn in_own_work(self) -> Self {
        self.folder(FolderMatch::OwnWork)
    }

    /// The same, where no file of this name stands beside it.
    pub fn without(mut self, name: &'static str) -> Self {
        self.without = Some(name);
        self
    }

    /// The same, in folders that hold few of them.
    pub fn among_few(mut self) -> Self {
        self.among_few = true;
        self
    }

    /// The same, but no links: what they lead to is met where it stands.
    pub fn without_links(mut self) -> Self {
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
                // Most names differ in the first letter or the last.
                start.as_bytes().first().is_none_or(|first| name.first() == Some(first))
                    && end.as_bytes().last().is_none_or(|last| name.last() == Some(last))
                    && name.len() >= start.len() + end.len()
                    && name.starts_with(start.as_bytes())
                    && name.ends_with(end.as_bytes())
            }
            Self::Holding(word, end) => {
                let starts = name.len().checked_sub(end.len()).and_then(|at| name.split_at_checked(at));
                starts.is_some_and(|(stem, tail)| {
                    tail.eq_ignore_ascii_case(end.as_bytes()) && holds_ignoring_case(stem, word.as_bytes())
                })
            }
            Self::Hex(digits) => name.len() == *digits && name.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
            Self::NoEnding => !name.contains(&b'.'),
            Self::Any => true,
        }
    }
}

fn holds_ignoring_case(name: &[u8], word: &[u8]) -> bool {
    word.is_empty() || name.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

/// Whether a folder is somebody's own work; `path` as in `TreePath`.
pub fn is_own_work(path: &[u8]) -> bool {
    let parts = || path.split(|b| *b == b'/');
    let stored = |part: &[u8]| {
        (part.starts_with(b".") && !OF_PROJECTS.contains(&part))
            || PACKAGES.contains(&part)
            || part.strip_prefix(b"python").is_some_and(|v| v.first().is_some_and(u8::is_ascii_digit))
    };
    let system = parts().next().is_some_and(|first| SYSTEM.contains(&first));
    // Also of another root in this one: a layer of a container, a chroot.
    let of_system =
        |up: &[u8], part: &[u8]| (up == b"usr" && USR.contains(&part)) || (up == b"var" && VAR.contains(&part));
    let within = parts().zip(parts().skip(1)).any(|(up, part)| of_system(up, part));
    !system && !within && !parts().any(stored) && !STORES.iter().any(|store| path.starts_with(store))
}

impl FolderMatch {
    /// Whether a folder fits; `path` as in `TreePath`, without a leading slash.
    pub fn fits(&self, path: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Suffix(end) => path.ends_with(end.as_bytes()) && !end.contains('/'),
            Self::Tail(tail) => ends_in(path, tail.as_bytes()),
            Self::Root(root) => path == root.as_bytes(),
            Self::Within(name) => path.split(|b| *b == b'/').any(|c| c == name.as_bytes()),
            Self::Nested(outer, inner) => {
                let mut parts = path.split(|b| *b == b'/').skip_while(|c| !c.ends_with(outer.as_bytes()));
                parts.next().is_some() && parts.any(|c| c == inner.as_bytes())
            }
            Self::PackageIn(name) => {
                let last = |path: &[u8]| path.rsplit(|b| *b == b'/').next().is_some_and(|c| c == name.as_bytes());
                let above = parent(path);
                let scope = above.rsplit(|b| *b == b'/').next().is_some_and(|c| c.starts_with(b"@"));
                last(above) || scope && last(parent(above))
            }
            Self::Holding(word) => path.split(|b| *b == b'/').any(|c| holds_ignoring_case(c, word.as_bytes())),
            Self::Below(root) => {
                path.strip_prefix(root.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
            }
            Self::OwnWork => is_own_work(path),
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
    fn a_word_in_a_name_counts_in_any_case() {
        let claim = Claim::holding("requirement", ".txt");
        for name in ["requirements.txt", "REQUIREMENTS.TXT", "app-Requirements-prod.txt", "requirement.txt"] {
            assert!(claim.file.fits(name.as_bytes()), "{name}");
        }
        for name in
            ["requirements.txt.md", "requirements.tx", "txt", ".txt", "require.txt", "notes.txt", "", "requirementstxt"]
        {
            assert!(!claim.file.fits(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn own_work_is_neither_hidden_nor_installed() {
        for path in [
            "",
            "home/a/tools",
            "srv/app/.github/workflows",
            "usr/local/src/x",
            "usr/src/app",
            "app",
            "work/python",
            "var/lib/ci/x",
            "etc/alerts",
            "home/a/.dotfiles/x",
        ] {
            assert!(is_own_work(path.as_bytes()), "{path}");
        }
        for path in [
            "home/a/.cache/uv/archive-v0/x",
            "srv/v/lib/python3.11/site-packages/x",
            "srv/v/lib/python3.11",
            "home/a/p/node_modules/x",
            "usr/lib/google-cloud-sdk/lib",
            "usr/share/doc",
            "lib/x",
            "home/a/.pyenv/versions",
            "var/lib/docker/overlay2/x/diff/app",
            "mnt/root/usr/share/x",
            "var/cache/x",
        ] {
            assert!(!is_own_work(path.as_bytes()), "{path}");
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
        let nested = FolderMatch::Nested(".git".into(), "refs".into());
        for path in ["p/.git/refs", "p/.git/refs/heads/a", "p.git/refs/tags", "p/.git/modules/m/refs"] {
            assert!(fits(&nested, path), "{path}");
        }
        for path in ["p/refs", "p/refs/.git", "refs/p.git/x", "p/.github/refs", "p/.git/refs2"] {
            assert!(!fits(&nested, path), "{path}");
        }
        let holding = FolderMatch::Holding("requirement".into());
        assert!(fits(&holding, "p/Requirements/common") && fits(&holding, "p/my-requirements"));
        assert!(!fits(&holding, "p/require/ment"));
        let package = FolderMatch::PackageIn("node_modules".into());
        for path in ["node_modules/x", "a/node_modules/x", "a/node_modules/@s/x", "a/node_modules/b/node_modules/@s/x"]
        {
            assert!(fits(&package, path), "{path}");
        }
        for path in
            ["node_modules", "", "x", "a/node_modules/x/y", "a/node_modules/s/x", "a/@s/x", "a/my_node_modules/x"]
        {
            assert!(!fits(&package, path), "{path}");
        }
        let below = FolderMatch::Below("etc/wireguard".into());
        assert!(fits(&below, "etc/wireguard/x") && !fits(&below, "etc/wireguard2"));
    }
}
