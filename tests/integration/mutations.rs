//! Each file of the malicious package is damaged in many ways, in this process: the version is found as long as a name still says it.
//! `DOSIMETER_MUTATIONS=10000` raises the number; the seed is fixed.

use std::{
    collections::BTreeMap,
    io::{Cursor, Write as _},
    sync::Arc,
};

use dosimeter::{
    assess::{Case, Evidence, assess},
    credential::Catalog,
    ecosystem::pypi,
    fact::TreePath,
    ioc::{Database, Index},
    matcher,
    surface::SURFACES,
    tree::{Body, Entry, Visit as _},
    verdict::Exposure,
    walk::{Inspector, Router},
};

const SITE: &str = "home/alice/v/lib/python3.11/site-packages";
const INFO: &str = "home/alice/v/lib/python3.11/site-packages/litellm-1.82.8.dist-info";
const ABOUT: &str = "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\nRequires-Dist: openai>=1.0; extra == 'proxy'\nRequires-Dist: httpx[socks] (>=0.27)\n\nA README.\n";
const RECORD: &str = "litellm/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\nlitellm_init.pth,,\nlitellm-1.82.8.dist-info/METADATA,,\n";
const LOCK: &str = "version = 1\n\n[[package]]\nname = \"openai\"\nversion = \"1.0\"\nsource = { registry = \"https://registry.example/simple\" }\n\n[[package]]\nname = \"litellm\"\nversion = \"1.82.8\"\nsource = { registry = \"https://registry.example/simple\" }\n";

/// What an attacker would write.
const HOSTILE: &[&[u8]] = &[
    b"\nRequires-Dist: x- >1\n",
    b"\nRequires-Dist: a ; ((((((((((((((((((((((((((((((((((((((((((((((((\n",
    b"Name: benign\nVersion: 1.0\n",
    b"\0\0\0\0\0\0\0\0",
    b"\xff\xfe\xfd",
    b"\x1b[2J\x1b[H",
    b"\n\n\n",
    b",\"\"\",\n\"",
    b"{{ }}<<<<<<<=======>>>>>>>",
    b"[[[[[[[[[[[[[[[[",
    b"PK\x05\x06\xff\xff\xff\xff\xff\xff\xff\xff",
    b"import os\n",
    "\u{202e}\u{200b}\u{feff}".as_bytes(),
    b"99999999999999999999999999999999999999",
];

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn damage(&mut self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        for _ in 0..1 + self.below(4) {
            let (at, end) = (self.below(bytes.len() + 1), self.below(bytes.len() + 1));
            let (from, to) = (at.min(end), at.max(end));
            match self.below(8) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(from..to)),
                2 if !bytes.is_empty() => {
                    let at = at % bytes.len();
                    bytes[at] ^= 1 << self.below(8);
                }
                3 => drop(bytes.splice(at..at, HOSTILE[self.below(HOSTILE.len())].iter().copied())),
                4 => {
                    let copy = bytes[from..to].to_vec();
                    bytes.splice(at..at, copy);
                }
                5 => (from..to.min(from + 64)).for_each(|i| bytes[i] = u8::try_from(self.below(256)).unwrap()),
                6 if !bytes.is_empty() => {
                    let at = at % bytes.len();
                    bytes[at] = u8::try_from(self.below(256)).unwrap();
                }
                _ => drop(bytes.splice(at..at, std::iter::repeat_n(b'(', self.below(5000)))),
            }
        }
        bytes
    }
}

struct Laboratory {
    index: Index,
    catalog: Catalog,
}

impl Laboratory {
    /// Exposures of the LiteLLM incident in a tree of these files.
    fn found(
        &self,
        router: &Router<'_>,
        interest: &dosimeter::interest::Interest,
        files: &[(&str, &[u8])],
    ) -> Vec<(Exposure, String)> {
        let keep = |seen: &dosimeter::fact::Seen| matcher::worth(&self.index, seen);
        let tree: Arc<str> = "root".into();
        let inspector = Inspector::new(router, interest, &keep, tree.clone(), None);
        for (path, bytes) in files {
            let path = TreePath::new(path.as_bytes()).unwrap();
            let folder = inspector.folder(&path.parent());
            let len = u64::try_from(bytes.len()).unwrap();
            if inspector.wants(&folder, path.name(), dosimeter::tree::Kind::File) {
                let entry = Entry { path, len, mtime: None, btime: None, uid: Some(1000), gid: None, mode: None };
                let mut reader = *bytes;
                inspector.file(&entry, &mut Body::stream(&mut reader, len));
            }
        }
        let (seen, coverage) = inspector.finish();
        let panicked = coverage.gaps.iter().find(|g| g.kind == dosimeter::coverage::GapKind::Panicked);
        assert!(panicked.is_none(), "{panicked:?}");
        let evidence = seen.into_iter().map(Evidence::from).collect();
        let case = Case { index: &self.index, catalog: &self.catalog, evidence, accounts: BTreeMap::new() };
        assess(case).findings.into_iter().map(|f| (f.exposure, f.indicator)).collect()
    }
}

fn wheel() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [
        ("litellm/__init__.py", "# inert\n"),
        ("litellm-1.82.8.dist-info/METADATA", ABOUT),
        ("litellm-1.82.8.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n"),
        ("litellm-1.82.8.dist-info/RECORD", RECORD),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Whether the damaged text still says the pair as it was written, at the start of its lines.
fn still_says(lock: &[u8]) -> bool {
    let says = b"\n[[package]]\nname = \"litellm\"\nversion = \"1.82.8\"\n";
    lock.windows(says.len()).any(|w| w == says)
}

#[test]
fn no_damage_hides_what_a_name_still_says() {
    let rounds: usize = std::env::var("DOSIMETER_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(150);
    let index = Index::new(Database::embedded().unwrap(), &[]);
    let laboratory = Laboratory { index, catalog: Catalog::embedded().unwrap() };
    let interest = laboratory.index.interest();
    let router = Router::new(SURFACES.to_vec(), &interest);
    let path = |file: &str| format!("{INFO}/{file}");
    let (metadata, record, hook) = (path("METADATA"), path("RECORD"), format!("{SITE}/litellm_init.pth"));
    // `01.82.8` is the same version.
    let names = |i: &str| i.strip_prefix("pypi/litellm@").is_some_and(|v| pypi::same_version("1.82.8", v));
    let mut checked = BTreeMap::new();
    for (what, file, whole, worst) in [
        ("METADATA", metadata.clone(), ABOUT.as_bytes().to_vec(), Exposure::Installed),
        ("RECORD", record, RECORD.into(), Exposure::Installed),
        (
            "PKG-INFO in a folder",
            format!("{SITE}/litellm-1.82.8-py3.11.egg-info/PKG-INFO"),
            ABOUT.into(),
            Exposure::Installed,
        ),
        ("PKG-INFO as a file", format!("{SITE}/litellm-1.82.8.egg-info"), ABOUT.into(), Exposure::Installed),
        ("hook", hook, b"import os; os.getcwd()\n".to_vec(), Exposure::Installed),
        ("wheel", "home/alice/Downloads/litellm-1.82.8-py3-none-any.whl".to_owned(), wheel(), Exposure::Cached),
        (
            "conda record",
            "opt/c/conda-meta/litellm-1.82.8-py_0.json".to_owned(),
            br#"{"name":"litellm","version":"1.82.8","build":"py_0","depends":["openai >=1"]}"#.to_vec(),
            Exposure::Installed,
        ),
        ("lock", "home/alice/p/uv.lock".to_owned(), LOCK.into(), Exposure::Referenced),
    ] {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        for round in 0..rounds {
            let damaged = dice.damage(&whole);
            if what == "lock" && !still_says(&damaged) {
                continue;
            }
            let mut files: Vec<(&str, &[u8])> = vec![(&file, &damaged)];
            if what == "hook" {
                files.push((&metadata, ABOUT.as_bytes()));
            }
            let found = laboratory.found(&router, &interest, &files);
            let is_found = found.iter().any(|(exposure, indicator)| names(indicator) && *exposure >= worst);
            assert!(is_found, "{what}, round {round}: {found:?} of {:?}", String::from_utf8_lossy(&damaged));
            *checked.entry(what).or_insert(0) += 1;
        }
    }
    // A damaged lock file names it no more in some of the rounds.
    assert!(
        checked.len() == 8 && checked.iter().all(|(what, n)| *n == rounds || (*what == "lock" && *n > rounds / 10)),
        "{checked:?}"
    );
}
