//! What a distribution's own list says is its: the base of taking it out again. Only for names that an indicator knows; a list is
//! folded, so that a package of thousands of files is one path.
//!
//! ```text
//! RECORD               litellm/__init__.py,sha256=…,0       relative to the site folder
//! installed-files.txt  ../litellm/__init__.py               relative to the egg-info
//! conda-meta/x.json    lib/python3.11/site-packages/x.py    relative to the prefix
//! ```
//!
//! The list is the payload's: it may name anything. What lies outside the environment is never taken from it, nor is an
//! interpreter.

use std::collections::BTreeSet;

use crate::{
    ecosystem::pypi::{normalise, prefix_of},
    fact::{Ecosystem, TreePath},
    interest::Interest,
    surface::Flaw,
};

/// Paths of one distribution. More, and the list is folded by the folder.
const PATHS: usize = 512;
/// Rows looked at.
const ROWS: usize = 100_000;

type Row<'e> = dyn FnMut(&[u8], Option<&[u8]>) + 'e;

/// The rows of a `RECORD`: a path, and the hash where there is one.
///
/// # Errors
/// Where it is no list of comma-separated values.
pub fn each_row(bytes: &[u8], each: &mut Row<'_>) -> Result<(), Flaw> {
    // Installers quote what holds a comma or a quote, which hardly any name does.
    if memchr::memchr(b'"', bytes).is_none() {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut start = 0;
        for end in memchr::memchr2_iter(b'\n', b'\r', bytes).chain([bytes.len()]) {
            let row = bytes.get(start..end).unwrap_or_default();
            start = end + 1;
            if !row.is_empty() {
                let mut fields = row.split(|b| *b == b',');
                each(fields.next().unwrap_or_default(), fields.next());
            }
        }
        return Ok(());
    }
    let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut row = csv::ByteRecord::new();
    while rows.read_byte_record(&mut row).map_err(|_| Flaw::malformed("RECORD", "not comma-separated values"))? {
        each(row.get(0).unwrap_or_default(), row.get(1));
    }
    Ok(())
}

/// From `RECORD`; empty where no indicator knows the distribution.
pub fn of_record(site: &TreePath, info: &[u8], bytes: &[u8], interest: &Interest) -> Vec<TreePath> {
    if !known(info, b".dist-info", interest) {
        return Vec::new();
    }
    let mut names: Vec<Vec<u8>> = Vec::new();
    // Where it is broken, what comes before that counts.
    let _ = each_row(bytes, &mut |name, _| {
        if names.len() < ROWS {
            names.push(name.to_vec());
        }
    });
    fold(site, names.iter().filter_map(|n| resolve(site, n)))
}

/// From `installed-files.txt`; empty where no indicator knows the distribution.
pub fn of_egg_info(info: &TreePath, bytes: &[u8], interest: &Interest) -> Vec<TreePath> {
    if !known(info.name(), b".egg-info", interest) {
        return Vec::new();
    }
    let rows = bytes.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
    fold(&info.parent(), rows.filter(|l| !l.is_empty()).take(ROWS).filter_map(|l| resolve(info, l)))
}

/// From conda's record.
pub fn of_conda(prefix: &TreePath, files: &[String]) -> Vec<TreePath> {
    let paths = || files.iter().take(ROWS).filter_map(|f| resolve(prefix, f.as_bytes()));
    let sites: BTreeSet<TreePath> = paths().filter_map(|p| crate::ecosystem::pypi::site_of(&p)).collect();
    let mut all: Vec<TreePath> = sites.iter().flat_map(|site| fold(site, paths())).collect();
    all.sort();
    all.dedup();
    all
}

fn known(folder: &[u8], ending: &[u8], interest: &Interest) -> bool {
    let stem = folder.strip_suffix(ending).and_then(|s| std::str::from_utf8(s).ok());
    let name = stem.map(|s| s.split('-').next().unwrap_or(s));
    name.is_some_and(|name| interest.knows_package(Ecosystem::Pypi, &normalise(name)))
}

/// A row, from the folder it is relative to; `None` where it leaves the tree or is absolute.
fn resolve(folder: &TreePath, row: &[u8]) -> Option<TreePath> {
    if row.starts_with(b"/") {
        return None;
    }
    let mut parts: Vec<&[u8]> = folder.components().collect();
    for part in row.split(|b| *b == b'/').filter(|p| !p.is_empty() && *p != b".") {
        match part {
            b".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    TreePath::new(&parts.join(&b'/'))
}

/// A folder with an `__init__.py` on the list is the distribution's as a whole; of others (namespaces, scripts) the files.
fn fold(site: &TreePath, paths: impl Iterator<Item = TreePath>) -> Vec<TreePath> {
    let prefix = prefix_of(site).unwrap_or_else(|| site.clone());
    let ours = |p: &TreePath| p != site && (p.is_within(site) || is_script(&prefix, p));
    let paths: BTreeSet<TreePath> = paths.filter(ours).collect();
    let top = |p: &TreePath| {
        let first = p.below(site)?.split(|b| *b == b'/').next()?;
        (p.below(site)?.len() > first.len()).then(|| site.join(first))
    };
    let whole: BTreeSet<TreePath> = paths
        .iter()
        .filter(|p| p.name() == b"__init__.py" && p.parent().parent() == *site)
        .map(TreePath::parent)
        .chain(paths.iter().filter_map(top).filter(|t| t.name().ends_with(b".dist-info")))
        .collect();
    let folded = paths.into_iter().map(|p| top(&p).filter(|t| whole.contains(t)).unwrap_or(p));
    let folded: BTreeSet<TreePath> = folded.collect();
    folded.into_iter().take(PATHS).collect()
}

/// A command that the distribution brought; never the interpreter, what starts it, or a program of the system.
fn is_script(prefix: &TreePath, path: &TreePath) -> bool {
    let system = ["", "usr", "usr/local", "opt/homebrew"].iter().any(|p| prefix.as_bytes() == p.as_bytes());
    let kept = [&b"python"[..], b"pip", b"activate", b"Activate", b"pypy", b"easy_install", b"wheel"];
    let folder = path.parent();
    !system
        && folder.parent() == *prefix
        && matches!(folder.name(), b"bin" | b"Scripts")
        && !kept.iter().any(|k| path.name().starts_with(k))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = "h/v/lib/python3.11/site-packages";

    fn interest() -> Interest {
        let mut interest = Interest::default();
        interest.packages.insert(Ecosystem::Pypi, "ctx");
        interest
    }

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).unwrap()
    }

    fn listed(rows: &str) -> Vec<String> {
        let found = of_record(&path(SITE), b"ctx-0.2.6.dist-info", rows.as_bytes(), &interest());
        found.iter().map(|p| p.text().replace(&format!("/{SITE}/"), "")).collect()
    }

    #[test]
    fn a_module_of_one_file_is_that_file() {
        assert_eq!(
            listed("ctx.py,,\nctx-0.2.6.dist-info/METADATA,,\n__pycache__/ctx.cpython-311.pyc,,\n"),
            ["__pycache__/ctx.cpython-311.pyc", "ctx-0.2.6.dist-info", "ctx.py"]
        );
        let other = of_record(&path(SITE), b"requests-2.0.dist-info", b"requests/__init__.py,,\n", &interest());
        assert_eq!(other, []);
    }

    #[test]
    fn a_package_is_its_folder_and_a_namespace_its_files() {
        assert_eq!(listed("ctx/__init__.py,,\nctx/a/b.py,,\n"), ["ctx"]);
        assert_eq!(
            listed("google/ctx/__init__.py,,\ngoogle/ctx/b.py,,\n"),
            ["google/ctx/__init__.py", "google/ctx/b.py"]
        );
    }

    #[test]
    fn a_hostile_list_reaches_nothing_else() {
        for row in [
            "../../../../.ssh/id_rsa",
            "/etc/passwd",
            "../../../../../../../../etc/passwd",
            "../../../bin/python3",
            "../../../pyvenv.cfg",
            ".",
            "..",
            "",
            "../site-packages",
            "\"unclosed",
        ] {
            let found = listed(&format!("{row},,\n"));
            assert!(found.iter().all(|f| f.contains("unclosed")), "{row}: {found:?}");
        }
        assert_eq!(listed("../../../bin/ctx,,\n"), ["/h/v/bin/ctx"]);
        let system = of_record(
            &path("usr/lib/python3/dist-packages"),
            b"ctx-0.2.6.dist-info",
            b"../../../bin/bash,,\n",
            &interest(),
        );
        assert_eq!(system, []);
        assert!(listed(&"a,,\n".repeat(10)).len() == 1);
        let many: String = (0..5_000).map(|n| format!("ns/{n}.py,,\n")).collect();
        assert_eq!(listed(&many).len(), PATHS);
    }

    #[test]
    fn lists_of_eggs_and_conda_are_read_alike() {
        let info = path("usr/lib/python3/dist-packages/ctx-0.2.6.egg-info");
        let found =
            of_egg_info(&info, b"../ctx.py\n../ctx/__init__.py\r\nPKG-INFO\n../../../../etc/passwd\n", &interest());
        let found: Vec<_> = found.iter().map(|p| p.text().into_owned()).collect();
        let site = "/usr/lib/python3/dist-packages";
        assert_eq!(
            found,
            [format!("{site}/ctx"), format!("{site}/ctx-0.2.6.egg-info/PKG-INFO"), format!("{site}/ctx.py")]
        );
        let files = ["lib/python3.11/site-packages/ctx.py".to_owned(), "bin/ctx".into(), "../../etc/x".into()];
        let found = of_conda(&path("opt/conda/envs/e"), &files);
        let found: Vec<_> = found.iter().map(|p| p.text().into_owned()).collect();
        assert_eq!(found, ["/opt/conda/envs/e/bin/ctx", "/opt/conda/envs/e/lib/python3.11/site-packages/ctx.py"]);
    }

    #[test]
    fn rows_are_those_of_comma_separated_values() {
        fn rows_of(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
            let mut rows = Vec::new();
            let each = &mut |path: &[u8], hash: Option<&[u8]>| {
                rows.push(std::iter::once(path).chain(hash).map(<[u8]>::to_vec).collect());
            };
            each_row(text, each).unwrap();
            rows
        }
        for text in [
            "a.py,sha256=x,1\r\nb/c.py,,\nd\n",
            "\n\n\r\n,\n, x\na\rb,c\r",
            "\u{feff}a,b",
            " a , b \n\u{e9},\u{0}\n",
            "\"a,\"\"b\"\"\",sha256=x,1\n\"c\nd\",e\n",
            "",
        ] {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let expected: Vec<Vec<Vec<u8>>> =
                reader.byte_records().map(|row| row.unwrap().iter().take(2).map(<[u8]>::to_vec).collect()).collect();
            assert_eq!(rows_of(text.as_bytes()), expected, "{text:?}");
        }
    }
}
