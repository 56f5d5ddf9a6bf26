//! Paths of places: from the text in the data to claims for the router, and to an exact test of one path.

use std::borrow::Cow;

use crate::{
    fact::TreePath,
    interest::glob,
    surface::{Claim, FileMatch, FolderMatch},
};

/// No home is inside a package: what stands there is its test data.
const PACKAGES: &[&str] = &["node_modules", "site-packages", "dist-packages", "testdata"];

/// Where a path may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// `/etc/…`
    Root,
    /// `~/…`
    Home,
    /// `**/…`
    Anywhere,
}

/// One path of a kind, taken apart.
#[derive(Debug, Clone)]
pub struct PlacePath {
    start: Start,
    /// Components; each may hold `*`, and `**` is any number of folders.
    parts: Vec<Box<str>>,
    except: Vec<Box<str>>,
}

/// The components of a path as text, for many places. What is not UTF-8 in one is compared as `?`.
pub(super) struct Names<'p>(Vec<Cow<'p, str>>);

impl<'p> Names<'p> {
    pub(super) fn new(path: &'p TreePath) -> Self {
        let text = |c| match String::from_utf8_lossy(c) {
            Cow::Owned(lossy) => lossy.replace(char::REPLACEMENT_CHARACTER, "?").into(),
            whole => whole,
        };
        Self(path.components().map(text).collect())
    }

    pub(super) fn list(&self) -> Vec<&str> {
        self.0.iter().map(|name| &**name).collect()
    }
}

impl PlacePath {
    /// From the data.
    ///
    /// # Errors
    /// Where the path begins with none of `/`, `~/` and `**/`, or its last component holds more than one `*`.
    pub fn new(path: &str, except: &[String]) -> Result<Self, &'static str> {
        let (start, rest) = match path.split_once('/') {
            Some(("", rest)) => (Start::Root, rest),
            Some(("~", rest)) => (Start::Home, rest),
            Some(("**", rest)) => (Start::Anywhere, rest),
            _ => return Err("a path begins with `/`, `~/` or `**/`"),
        };
        let parts: Vec<Box<str>> = rest.split('/').map(Into::into).collect();
        if parts.iter().any(|p| p.is_empty() || &**p == "..") {
            return Err("a path has no empty component and no `..`");
        }
        if parts.last().is_none_or(|name| &**name != "**" && name.matches('*').count() > 1) {
            return Err("the last component holds at most one `*`");
        }
        Ok(Self { start, parts, except: except.iter().map(|e| e.as_str().into()).collect() })
    }

    /// The files that the router should offer: a superset of those that `fits` accepts.
    pub fn claim(&self) -> Claim {
        let (name, folders) = self.parts.split_last().map_or(("**", [].as_slice()), |(n, f)| (&**n, f));
        let file = if name == "**" { FileMatch::Any } else { Claim::pattern(name).file };
        let fixed: Vec<&str> = folders.iter().map(|f| &**f).take_while(|f| !f.contains('*')).collect();
        let whole = fixed.len() == folders.len() && name != "**";
        let folder = match self.start {
            Start::Root if whole => FolderMatch::Root(fixed.join("/")),
            Start::Root => FolderMatch::Below(fixed.join("/")),
            _ if whole && fixed.is_empty() => FolderMatch::Any,
            _ if whole => FolderMatch::Tail(fixed.join("/")),
            // The last fixed folder is the most telling one: `gcloud` of `.config/gcloud`.
            _ => fixed.last().map_or(FolderMatch::Any, |f| FolderMatch::Within((*f).to_owned())),
        };
        Claim { file, folder, links: true, without: None, among_few: false }
    }

    /// Whether a file of a tree is at this place.
    pub fn fits(&self, path: &TreePath) -> bool {
        self.fits_names(&Names::new(path).list())
    }

    /// Whether a file whose path has these components is at this place.
    pub(super) fn fits_names(&self, names: &[&str]) -> bool {
        // Hundreds of places are asked about each file, and the name alone answers for nearly all of them.
        let named = |part: &str| part == "**" || names.last().is_some_and(|name| glob(part, name));
        if !self.parts.last().is_some_and(|part| named(part)) {
            return false;
        }
        !self.excepted(names)
            && match self.start {
                Start::Root => walk(&self.parts, names),
                Start::Anywhere => (0..names.len()).any(|i| names.get(i..).is_some_and(|n| walk(&self.parts, n))),
                Start::Home => (0..names.len()).any(|i| {
                    names.split_at_checked(i).is_some_and(|(home, rest)| self.home(home) && walk(&self.parts, rest))
                }),
            }
    }

    /// Whether a folder has one of the names, or the file: there a `*` is one. Of `a/b*` both stand one below the other.
    fn excepted(&self, names: &[&str]) -> bool {
        let file = |except: &str| names.last().is_some_and(|name| glob(except, name));
        let folders = |except: &str| {
            let parts: Vec<&str> = except.split('/').collect();
            let fits = |window: &[&str]| parts.iter().zip(window).all(|(part, name)| glob(part, name));
            names.windows(parts.len()).any(fits)
        };
        self.except.iter().any(|except| match except.contains('/') {
            true => folders(except),
            false => names.iter().any(|name| **name == **except) || file(except),
        })
    }

    /// A dot folder is telling wherever it stands (service accounts, backups of homes); any other name only in a home.
    fn home(&self, folder: &[&str]) -> bool {
        let anywhere = self.parts.first().is_some_and(|p| p.starts_with('.'));
        (anywhere && !folder.iter().any(|f| PACKAGES.contains(f)))
            || matches!(
                folder,
                [] | ["root" | "app" | "data"]
                    | ["home" | "Users" | "opt" | "srv", _]
                    | ["export", "home", _]
                    | ["var", "root"]
                    | ["var", "lib", _]
            )
    }
}

/// Whether the components fit; `**` takes any number of them. Patterns come from the data and are short.
fn walk(parts: &[Box<str>], names: &[&str]) -> bool {
    match (parts.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((part, rest)), _) if &**part == "**" => {
            let least = usize::from(rest.is_empty());
            (least..=names.len()).any(|n| names.get(n..).is_some_and(|left| walk(rest, left)))
        }
        (Some((part, rest)), Some((name, left))) => glob(part, name) && walk(rest, left),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(place: &str, path: &str) -> bool {
        let place = PlacePath::new(place, &["node_modules".to_owned()]).unwrap();
        let path = TreePath::new(path.as_bytes()).unwrap();
        let exact = place.fits(&path);
        let claim = place.claim();
        let claimed = claim.file.fits(path.name()) && claim.folder.fits(path.parent().as_bytes());
        assert!(claimed || !exact, "the claim of {place:?} misses {path:?}");
        exact
    }

    #[test]
    fn places_fit_paths() {
        for (place, path) in [
            ("~/.aws/credentials", "home/al/.aws/credentials"),
            ("~/.aws/credentials", "var/lib/ci/.aws/credentials"),
            ("~/.npmrc", "root/.npmrc"),
            ("~/.ssh/**", "home/al/.ssh/keys/work"),
            ("~/.config/gcloud/**", "home/al/.config/gcloud/legacy_credentials/a@b/adc.json"),
            ("~/identity.json", "home/sol/identity.json"),
            ("/etc/ssh/ssh_host_*_key", "etc/ssh/ssh_host_ed25519_key"),
            ("/etc/letsencrypt/**/privkey*.pem", "etc/letsencrypt/archive/x/privkey1.pem"),
            ("/etc/shadow", "etc/shadow"),
            ("**/.env", ".env"),
            ("**/.env", "srv/a/.env"),
            ("**/.env.*", "srv/a/.env.local"),
            (
                "/var/lib/kubelet/pods/*/volumes/kubernetes.io~projected/*/token",
                "var/lib/kubelet/pods/1/volumes/kubernetes.io~projected/t/token",
            ),
        ] {
            assert!(fits(place, path), "{place} {path}");
        }
        for (place, path) in [
            ("~/.aws/credentials", "home/al/x.aws/credentials"),
            ("~/.ssh/**", "home/al/.ssh"),
            ("~/identity.json", "home/sol/repo/identity.json"),
            ("/etc/shadow", "mnt/etc/shadow"),
            ("/etc/ssh/ssh_host_*_key", "etc/ssh/ssh_host_ed25519_key.pub"),
            ("**/.env", "a/node_modules/x/.env"),
            ("**/.env", "a/b.env"),
        ] {
            assert!(!fits(place, path), "{place} {path}");
        }
    }

    #[test]
    fn exceptions_are_folders_chains_of_them_and_files() {
        let except = ["testdata", "*.example", "lib/python*/test"].map(str::to_owned);
        let place = PlacePath::new("**/*", &except).unwrap();
        let fits = |path: &str| place.fits(&TreePath::new(path.as_bytes()).unwrap());
        for path in ["a/testdata/k.pem", "srv/.env.example", "usr/lib/python3.11/test/certdata/k.pem"] {
            assert!(!fits(path), "{path}");
        }
        for path in ["srv/test/k.pem", "srv/app.example/.env", "lib/python3.11/x/test/k.pem", "lib/test/python3/k.pem"]
        {
            assert!(fits(path), "{path}");
        }
    }

    #[test]
    fn names_that_are_not_utf8_do_not_hide_a_place() {
        let place = PlacePath::new("~/.aws/credentials", &[]).unwrap();
        assert!(place.fits(&TreePath::new(b"home/\xff/.aws/credentials").unwrap()));
    }

    #[test]
    fn broken_places_are_refused() {
        for place in ["credentials", "", "~/", "/a/*x*", "/a/../b", "C:\\x"] {
            assert!(PlacePath::new(place, &[]).is_err(), "{place}");
        }
    }
}
