//! Names of file systems that take them in any case, as they are usually spelled: `LIB/SITE-PACKAGES/X.DIST-INFO` is
//! `lib/site-packages/X.dist-info`. Only what we look for has a usual spelling; all else stays as it stands there.

use rustc_hash::FxHashMap;

use crate::fact::TreePath;

/// Shortest name that may be a hash: below that, a word.
const HASH: usize = 32;

/// A name in a folder of a name, or the start and the end of one.
type Pair = (Box<[u8]>, Box<[u8]>);

/// The usual spelling of names.
#[derive(Debug, Default)]
pub struct Spelling {
    /// Whole names, by themselves in lower case: each usual spelling with the name of a folder where it is.
    names: FxHashMap<Box<[u8]>, Vec<Pair>>,
    /// Starts and ends of names, the longest first.
    ends: Vec<Pair>,
}

impl Spelling {
    /// Of names and of paths of names, and of names that start and end so. The first spelling of a name is the usual one, if not another
    /// one is in the folder where it stands.
    pub fn new(paths: Vec<String>, ends: Vec<(String, String)>) -> Self {
        let has_letter = |part: &str| part.bytes().any(|b| b.is_ascii_alphabetic());
        let mut spelling = Self::default();
        for path in paths {
            let mut folder = "";
            for name in path.split('/').filter(|n| has_letter(n)) {
                let usual = spelling.names.entry(name.to_ascii_lowercase().into_bytes().into()).or_default();
                if !usual.iter().any(|(f, u)| **f == *folder.as_bytes() && **u == *name.as_bytes()) {
                    usual.push((folder.as_bytes().into(), name.as_bytes().into()));
                }
                folder = name;
            }
        }
        let ends = ends.into_iter().filter(|(s, e)| has_letter(s) || has_letter(e));
        spelling.ends = ends.map(|(s, e)| (s.into_bytes().into(), e.into_bytes().into())).collect();
        spelling.ends.sort_by(|a, b| (b.0.len() + b.1.len(), a).cmp(&(a.0.len() + a.1.len(), b)));
        spelling.ends.dedup();
        spelling
    }

    /// How a name is usually spelled in a folder of this name, where that differs.
    pub fn of(&self, folder: &[u8], name: &[u8]) -> Option<Vec<u8>> {
        if let Some(usual) = self.names.get(name.to_ascii_lowercase().as_slice()) {
            let here = usual.iter().any(|(f, _)| **f == *folder);
            let mut among = usual.iter().filter(|(f, _)| !here || **f == *folder).map(|(_, u)| u);
            let first = among.clone().next()?;
            return (!among.any(|u| **u == *name)).then(|| first.to_vec());
        }
        if name.len() >= HASH && name.iter().all(u8::is_ascii_hexdigit) {
            return name.iter().any(u8::is_ascii_uppercase).then(|| name.to_ascii_lowercase());
        }
        let fits = |(start, end): &&Pair| {
            let ends = name.len().checked_sub(end.len()).filter(|at| *at >= start.len());
            ends.is_some_and(|at| {
                name.get(at..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
                    && name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
            })
        };
        let (start, end) = self.ends.iter().find(fits)?;
        let middle = name.get(start.len()..name.len() - end.len())?;
        let usual = [start, middle, end].concat();
        (usual != name).then_some(usual)
    }

    /// A path whose components stand there as they are given.
    pub fn path(&self, path: &TreePath) -> TreePath {
        path.components().fold(TreePath::root(), |at, name| match self.of(at.name(), name) {
            Some(usual) => at.join_spelled(&usual, name),
            None => at.join(name),
        })
    }
}

/// What is equal of names that are one to such a file system.
pub fn folded(name: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(name) {
        Ok(text) => text.to_lowercase().into_bytes(),
        Err(_) => name.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelling() -> Spelling {
        let names =
            ["systemd/user", "Code/User", "site-packages", "METADATA", "Cargo.lock", "litellm_init.pth", "lib", "Lib"];
        let ends = [("", ".pth"), ("", ".dist-info"), ("Dockerfile.", ""), ("cpython-", ".pyc"), ("", ".pyc")];
        Spelling::new(
            names.map(str::to_owned).to_vec(),
            ends.map(|(s, e): (&str, &str)| (s.to_owned(), e.to_owned())).to_vec(),
        )
    }

    #[test]
    fn a_known_name_has_its_usual_spelling() {
        let of = |name: &str| spelling().of(b"", name.as_bytes()).map(|n| String::from_utf8(n).unwrap());
        for (name, usual) in [
            ("SITE-PACKAGES", "site-packages"),
            ("Metadata", "METADATA"),
            ("cargo.LOCK", "Cargo.lock"),
            ("Litellm_Init.PTH", "litellm_init.pth"),
            ("Other.PTH", "Other.pth"),
            ("LITELLM-1.82.8.DIST-INFO", "LITELLM-1.82.8.dist-info"),
            ("DOCKERFILE.Dev", "Dockerfile.Dev"),
            ("LIB", "lib"),
        ] {
            assert_eq!(of(name).as_deref(), Some(usual), "{name}");
        }
        for name in ["site-packages", "METADATA", "lib", "Lib", "Other.pth", "Readme", "", "pth", "X", "Dockerfile.Dev"]
        {
            assert_eq!(of(name), None, "{name}");
        }
        let of_folder = |folder: &str| spelling().of(folder.as_bytes(), b"USER").unwrap();
        assert_eq!(["Code", "systemd", "x"].map(of_folder), [b"User", b"user", b"user"]);
        let hash = "ABCDEF0123456789abcdef0123456789";
        assert_eq!(of(hash).unwrap(), hash.to_lowercase());
        assert_eq!(of("ABCDEF"), None);
    }

    #[test]
    fn a_path_keeps_how_it_stands_there() {
        let path = TreePath::new(b"Users/Ann/LIB/SITE-PACKAGES/x.DIST-INFO/metadata").unwrap();
        let usual = spelling().path(&path);
        assert_eq!(usual.as_bytes(), b"Users/Ann/lib/site-packages/x.dist-info/METADATA");
        assert_eq!(usual.written(), path.as_bytes());
        assert_eq!(usual.parent().parent().written(), b"Users/Ann/LIB/SITE-PACKAGES");
        assert_eq!(usual.parent().join(b"y").text(), "/Users/Ann/LIB/SITE-PACKAGES/x.DIST-INFO/y");
        assert_eq!(usual, TreePath::new(usual.as_bytes()).unwrap());
    }

    #[test]
    fn names_are_one_in_any_case() {
        let same = |a: &[u8], b: &[u8]| folded(a) == folded(b);
        assert!(same(b"Users", b"USERS") && same("ÄB".as_bytes(), "äb".as_bytes()) && same(b"A\xff", b"a\xff"));
        assert!(!same(b"Users", b"User") && !same(b"\xff", b"\xfe"));
    }
}
