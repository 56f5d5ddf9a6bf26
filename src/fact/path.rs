//! Paths within a tree.

use std::{
    borrow::Cow,
    cmp::Ordering,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// Slash-separated bytes below a tree's root: never absolute, never `..`, not necessarily UTF-8. The root itself is empty.
///
/// Where the file system takes names in any case, those that we know are here as they are usually spelled, so that all compare them
/// alike; `written` is how they stand there.
#[derive(Debug, Clone)]
pub struct TreePath {
    path: Arc<[u8]>,
    /// Where it differs.
    written: Option<Arc<Box<[u8]>>>,
}

impl PartialEq for TreePath {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for TreePath {}

impl Hash for TreePath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.path.hash(state);
    }
}

impl PartialOrd for TreePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TreePath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.path.cmp(&other.path)
    }
}

impl TreePath {
    /// `None` where a component is `..`. Leading `/` and `./`, doubled slashes and `.` components are dropped.
    pub fn new(raw: &[u8]) -> Option<Self> {
        let below_root = raw.strip_prefix(b"/").unwrap_or(raw);
        if Self::is_plain(below_root)? {
            return Some(Self::of(below_root));
        }
        let clean = |c: &&[u8]| !c.is_empty() && *c != b".";
        let parts: Vec<&[u8]> = raw.split(|b| *b == b'/').filter(clean).collect();
        Some(Self::of(parts.join(&b'/')))
    }

    fn of(path: impl Into<Arc<[u8]>>) -> Self {
        Self { path: path.into(), written: None }
    }

    fn with_written(self, written: Option<Vec<u8>>) -> Self {
        let written = written.filter(|w| **w != *self.path).map(|w| Arc::new(w.into_boxed_slice()));
        Self { written, ..self }
    }

    /// Whether nothing of it is dropped; `None` where it is no path of a tree.
    fn is_plain(raw: &[u8]) -> Option<bool> {
        let mut plain = true;
        for component in raw.split(|b| *b == b'/') {
            match component {
                b".." => return None,
                b"" | b"." => plain = false,
                _ => {}
            }
        }
        Some(plain)
    }

    /// Whether `new` takes these bytes, without taking them.
    pub fn is_one(raw: &[u8]) -> bool {
        Self::is_plain(raw).is_some()
    }

    /// By the name that links have for it on a Mac, where `/etc`, `/tmp` and `/var` lead to folders of `/private`.
    pub fn without_private(&self) -> Cow<'_, Self> {
        let rest = self.path.strip_prefix(b"private/").unwrap_or_default();
        match rest.split(|b| *b == b'/').next() {
            Some(b"etc" | b"tmp" | b"var") => Cow::Owned(Self::of(rest)),
            _ => Cow::Borrowed(self),
        }
    }

    /// The root of a tree.
    pub fn root() -> Self {
        Self::of([].as_slice())
    }

    /// The path of `name` in this folder. `name` is one component, as a directory listing gives it.
    pub fn join(&self, name: &[u8]) -> Self {
        Self::of(joined(&self.path, name)).with_written(self.written.as_ref().map(|w| joined(w, name)))
    }

    /// The same of a name that stands there as `written`.
    pub fn join_spelled(&self, name: &[u8], written: &[u8]) -> Self {
        Self::of(joined(&self.path, name)).with_written(Some(joined(self.written(), written)))
    }

    /// The path below this folder that `path` is below another.
    pub fn join_path(&self, path: &Self) -> Self {
        if path.path.is_empty() {
            return self.clone();
        }
        self.join_spelled(&path.path, path.written())
    }

    /// What stands so in the tree by its usual spelling, which differs by the case of letters only; `None` where it does not.
    pub fn usually(&self, usual: &Self) -> Option<Self> {
        let same = usual.path.eq_ignore_ascii_case(self.written());
        same.then(|| usual.clone().with_written(Some(self.written().to_vec())))
    }

    /// As it stands in the tree.
    pub fn written(&self) -> &[u8] {
        self.written.as_deref().map_or(&self.path, |w| w)
    }

    /// What a text in a file of this folder names: absolute from the tree's root, or relative to the folder. Above the root is the
    /// root, as the kernel has it. `None` where it is too long for a path.
    pub fn resolve(&self, text: &[u8]) -> Option<Self> {
        const LONGEST: usize = 4096;
        if self.path.len().saturating_add(text.len()) > LONGEST || text.contains(&0) {
            return None;
        }
        let from = if text.starts_with(b"/") { &[] } else { &*self.path };
        let mut kept: Vec<&[u8]> = Vec::new();
        for part in from.split(|b| *b == b'/').chain(text.split(|b| *b == b'/')) {
            match part {
                b"" | b"." => {}
                b".." => drop(kept.pop()),
                part => kept.push(part),
            }
        }
        Some(Self::of(kept.join(&b'/')))
    }

    /// The same path below another folder.
    pub fn in_folder(&self, folder: &[u8]) -> Self {
        let below = |path: &[u8]| [folder, b"/", path].concat();
        Self::of(below(&self.path)).with_written(self.written.as_ref().map(|w| below(w)))
    }

    /// The bytes, without a leading slash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.path
    }

    /// The last component.
    pub fn name(&self) -> &[u8] {
        self.path.rsplit(|b| *b == b'/').next().unwrap_or(&self.path)
    }

    /// The folder that holds it; the root's parent is the root.
    pub fn parent(&self) -> Self {
        Self::of(parent(&self.path)).with_written(self.written.as_ref().map(|w| parent(w).to_vec()))
    }

    /// Whether this is `folder` or something below it.
    pub fn is_within(&self, folder: &Self) -> bool {
        folder.path.is_empty()
            || self.path.strip_prefix(&*folder.path).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    }

    /// What stands behind `folder/`, if this is below `folder`.
    pub fn below<'p>(&'p self, folder: &Self) -> Option<&'p [u8]> {
        if folder.path.is_empty() {
            return Some(&self.path);
        }
        self.path.strip_prefix(&*folder.path)?.strip_prefix(b"/")
    }

    /// Components from the root.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.path.split(|b| *b == b'/').filter(|c| !c.is_empty())
    }

    /// Readable, with a leading slash; bytes that are not UTF-8 are replaced. For people, never for opening.
    pub fn text(&self) -> Cow<'_, str> {
        Cow::Owned(format!("/{}", String::from_utf8_lossy(self.written())))
    }
}

fn joined(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() }
}

/// The folder part of raw path bytes; empty at the top.
pub fn parent(path: &[u8]) -> &[u8] {
    split(path).0
}

/// The folder part of raw path bytes, empty at the top, and the name.
pub fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr::memrchr(b'/', path);
    at.and_then(|at| Some((path.get(..at)?, path.get(at + 1..)?))).unwrap_or((b"", path))
}

/// Whether a folder is this one, or ends with it by whole components.
pub fn ends_in(folder: &[u8], tail: &[u8]) -> bool {
    folder.strip_suffix(tail).is_some_and(|above| above.is_empty() || above.ends_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_private_have_their_usual_names() {
        let usual = |path: &str| {
            let path = TreePath::new(path.as_bytes()).unwrap();
            String::from_utf8(path.without_private().as_bytes().to_vec()).unwrap()
        };
        assert_eq!(["private/etc/hosts", "private/tmp", "private/var/x"].map(usual), ["etc/hosts", "tmp", "var/x"]);
        for path in ["private/home/x", "privatex/etc", "private", "srv/private/etc/x", "etc/private"] {
            assert_eq!(usual(path), path);
        }
    }

    #[test]
    fn a_tree_path_never_leaves_its_root() {
        for raw in ["..", "a/../b", "../x", "a/.."] {
            assert_eq!(TreePath::new(raw.as_bytes()), None, "{raw}");
        }
        let path = TreePath::new(b"/./a//b/./..c/").map(|p| p.text().into_owned());
        assert_eq!(path.as_deref(), Some("/a/b/..c"));
    }

    #[test]
    fn a_text_that_names_a_path_stays_in_the_tree() {
        let folder = TreePath::new(b"p/q").unwrap_or_else(TreePath::root);
        let named = |text: &str| folder.resolve(text.as_bytes()).map(|p| p.text().into_owned());
        for (text, path) in
            [("a.txt", "/p/q/a.txt"), ("../a", "/p/a"), ("../../../../a", "/a"), ("/x/./y//z", "/x/y/z"), (".", "/p/q")]
        {
            assert_eq!(named(text).as_deref(), Some(path), "{text}");
        }
        assert_eq!(named("a\0b"), None);
        assert_eq!(named(&"a/".repeat(3000)), None);
    }

    #[test]
    fn within_is_by_component() {
        let folder = TreePath::new(b"home/al").unwrap_or_else(TreePath::root);
        let inside = TreePath::new(b"home/al/x").unwrap_or_else(TreePath::root);
        let beside = TreePath::new(b"home/alice").unwrap_or_else(TreePath::root);
        assert!(inside.is_within(&folder) && folder.is_within(&folder));
        assert!(!beside.is_within(&folder));
        assert_eq!(inside.below(&folder), Some(b"x".as_slice()));
    }
}
