//! The stores of pnpm, yarn, bun, Deno and aube: packages that projects on the machine were installed from.
//!
//! ```text
//! pnpm/store/v3/files/09/<126 hex>-index.json            {"name": "axios", "version": "1.14.1", "files": {…}}; pnpm 9 and earlier
//! pnpm/store/v10/index/09/<62 hex>-axios@1.14.1.json     pnpm 10; `@s+x@1.0.0` for `@s/x`
//! pnpm/store/v11/index.db                                pnpm 11: table package_index, key `sha512-…\taxios@1.14.1`
//! aube/store/v1/index/0a1b2c3d4e5f6a7b/axios@1.14.1.json aube, alone or mise's; `@s__x@1.0.0` for `@s/x`
//! aube/cache/side-effects-v1/axios@1.14.1/linux-x86_64/09/package.json   aube: as a script left the package
//! .yarn/cache/axios-npm-1.14.1-0a1b2c3d4e-0a1b2c3d4e.zip yarn 2 and later, in the project or in ~/.yarn/berry/cache
//! .bun/install/cache/axios@1.14.1@@@1/package.json       bun; `@@host__hash@@@1` of another registry
//! .cache/deno/npm/<host>/axios/1.14.1/package.json       Deno, or below `$DENO_DIR`; without a `node_modules` it loads from there
//! ```
//!
//! A hit proves that the bytes are stored, not that a project has them. With yarn's Plug'n'Play a project loads them from there, which its
//! `.pnp.cjs` says. Entries of yarn classic hold a `node_modules`, which is read as such. Not documented; read in the tools' sources and
//! stores that they made.

use serde::Deserialize;

use super::{
    about,
    identity::{entry_parts, is_name, is_version, package},
};
use crate::{
    ecosystem::npm::{layout::deno_entry, reference},
    fact::{Fact, Package, Placement, TreePath},
    interest::Interest,
    sqlite::{Database, SqliteError, Value},
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
    tree::{Kind, body::Beside},
};

const FILE: usize = 16 << 20;
const DATABASE: usize = 256 << 20;
const WAL: usize = 64 << 20;

/// Stores of pnpm, yarn, bun, Deno and aube.
pub struct PackageStore;

static META: Meta = Meta {
    id: "node/package-store",
    title: "packages in the stores of pnpm, yarn, bun, Deno and aube",
    proves: "the bytes are stored; not that a project has them",
};

#[derive(Deserialize)]
struct Index {
    name: Option<String>,
    version: Option<String>,
}

impl Surface for PackageStore {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Artifacts]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::affix("", "-index.json").within("files"),
            Claim::suffix(".json").within("index"),
            Claim::name("index.db"),
            Claim::suffix(".zip").in_tail(".yarn/cache"),
            Claim::suffix(".zip").in_tail("berry/cache"),
            Claim::name("package.json").within("install"),
            Claim::name("package.json").within("npm"),
            Claim::name("package.json").within("side-effects-v1"),
        ]
    }

    fn names_folders(&self) -> bool {
        true
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        // Of a folder only bun's and Deno's say it.
        let folder = |path: &TreePath| of_bun(path).or_else(|| of_deno(path));
        let (name, version) = match kind {
            Kind::Dir => folder(path)?,
            _ => by_file(path).or_else(|| folder(&path.parent()))?,
        };
        let file = if kind == Kind::Dir { path.join(b"package.json") } else { path.clone() };
        Some((file, Fact::Named(package(&name, &version, Placement::Cached))))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        let at = file.mtime("mtime in the store");
        let found = match path.name() {
            b"index.db" => return of_database(file, out),
            b"package.json" => {
                let folder = path.parent();
                match is_left_by_a_script(&folder) || of_bun(&folder).or_else(|| of_deno(&folder)).is_some() {
                    true => of_manifest(file.all(FILE)?)?,
                    false => None,
                }
            }
            name if name.ends_with(b"-index.json") && is_store_index(&path) => {
                let index: Index = serde_json::from_slice(file.all(FILE)?)
                    .map_err(|_| Flaw::malformed("index of pnpm's store", "it is no JSON of that form"))?;
                // Releases before pnpm 7 wrote neither.
                index.name.zip(index.version).filter(|(n, v)| is_name(n) && is_version(v))
            }
            _ => by_file(&path),
        };
        if let Some((name, version)) = found {
            out.push(at, Fact::Package(package(&name, &version, Placement::Cached)));
        }
        Ok(())
    }
}

type Found = (String, String);

fn of_manifest(bytes: &[u8]) -> Result<Option<Found>, Flaw> {
    let about = about::read(bytes)?;
    Ok(about.name.zip(about.version).filter(|(n, v)| is_name(n) && is_version(v)))
}

/// `files/09/<126 hex>-index.json`
fn is_store_index(path: &TreePath) -> bool {
    let hex = path.name().strip_suffix(b"-index.json").unwrap_or_default();
    hex.len() == 126 && hex.iter().all(u8::is_ascii_hexdigit)
}

/// `side-effects-v1/axios@1.14.1/linux-x86_64/09`
fn is_left_by_a_script(folder: &TreePath) -> bool {
    folder.parent().parent().parent().name() == b"side-effects-v1"
}

/// What the name of a file says: of pnpm 10's index, of aube's, of a zip of yarn.
fn by_file(path: &TreePath) -> Option<Found> {
    let name = std::str::from_utf8(path.name()).ok()?;
    if let Some(slug) = name.strip_suffix(".zip") {
        return of_yarn(slug);
    }
    let entry = name.strip_suffix(".json")?;
    let above = path.parent();
    if above.parent().name() == b"index" && above.name().len() == 16 && above.name().iter().all(u8::is_ascii_hexdigit) {
        let (name, version) = entry_parts(&entry.replacen("__", "+", 1)).map(|(n, v)| (n, v.to_owned()))?;
        return Some((name, version));
    }
    let (hash, entry) = entry.split_once('-')?;
    let fits = hash.len() == 62 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    let (name, version) = entry_parts(entry).filter(|_| fits)?;
    Some((name, version.to_owned()))
}

/// `@s-x-npm-1.0.0-0a1b2c3d4e-0a1b2c3d4e`, where a cache key may stand in place of the second hash. A scope with a hyphen cannot be
/// known from it: the first one counts.
fn of_yarn(slug: &str) -> Option<Found> {
    let (name, rest) = slug.split_once("-npm-")?;
    let mut parts = rest.rsplitn(3, '-');
    let (_, locator, version) = (parts.next()?, parts.next()?, parts.next()?);
    let scoped = name.strip_prefix('@').and_then(|n| n.split_once('-'));
    let name = scoped.map_or_else(|| name.to_owned(), |(scope, base)| format!("@{scope}/{base}"));
    let hex = locator.len() == 10 && locator.bytes().all(|b| b.is_ascii_hexdigit());
    (hex && is_name(&name) && is_version(version)).then(|| (name, version.to_owned()))
}

/// `axios@1.14.1@@@1`, `@s/x@1.0.0@@registry.example__0a1b@@@1`
fn of_bun(folder: &TreePath) -> Option<Found> {
    // Asked of each folder.
    memchr::memchr(b'@', folder.name())?;
    let last = std::str::from_utf8(folder.name()).ok()?;
    let (name, rest) = last.rsplit_once("@@@").and_then(|(entry, _)| entry.split_once('@'))?;
    let version = rest.split_once("@@").map_or(rest, |(version, _)| version);
    let above = folder.parent();
    let name = match std::str::from_utf8(above.name()).ok().filter(|scope| scope.starts_with('@')) {
        Some(scope) => format!("{scope}/{name}"),
        None => name.to_owned(),
    };
    (is_name(&name) && is_version(version)).then(|| (name, version.to_owned()))
}

/// `deno/npm/registry.example/@s/x/1.0.0`
fn of_deno(folder: &TreePath) -> Option<Found> {
    // Asked of each folder.
    folder.components().rev().skip(3).take(2).find(|part| *part == b"npm")?;
    let parts: Vec<&[u8]> = folder.components().collect();
    let end = deno_entry(&parts).filter(|end| *end == parts.len())?;
    let text = |back: usize| std::str::from_utf8(parts.get(end.checked_sub(back)?)?).ok();
    let (version, name) = (text(1)?, text(2)?);
    let name = match text(3).filter(|scope| scope.starts_with('@')) {
        Some(scope) => format!("{scope}/{name}"),
        None => name.to_owned(),
    };
    (is_name(&name) && is_version(version)).then(|| (name, version.to_owned()))
}

fn of_database(file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    // Many programs have a database of this name.
    let store = file.entry.path.parent();
    if !store.name().strip_prefix(b"v").is_some_and(|v| !v.is_empty() && v.iter().all(u8::is_ascii_digit)) {
        return Ok(());
    }
    let at = file.mtime("mtime of the store's index");
    let beside = file.beside("-wal", WAL)?;
    let log = match &beside {
        Beside::Bytes(bytes) => Some(bytes.as_slice()),
        Beside::Absent | Beside::Unknown => None,
    };
    let flaw = |error| match error {
        SqliteError::Malformed(why) => Flaw::malformed("index of pnpm's store", why),
        SqliteError::Truncated => Flaw::Truncated("index of pnpm's store"),
    };
    let database = Database::new(file.all(DATABASE)?, log).map_err(flaw)?;
    let tables = database.tables().map_err(flaw)?;
    let Some((table, key)) =
        tables.iter().find_map(|t| Some((t, t.column("key").filter(|_| t.name == "package_index")?)))
    else {
        return Ok(());
    };
    let end = database.rows(table, &mut |number, row| {
        if let Some(Value::Text(key)) = row.get(key)
            && let Some(package) = by_key(key)
        {
            out.push_at(Some(&format!("row {number}")), None, at.clone(), Fact::Package(package));
        }
        true
    });
    end.map_err(flaw)
}

/// `sha512-…\taxios@1.14.1`
fn by_key(key: &str) -> Option<Package> {
    let read = reference::locator(key.split_once('\t')?.1);
    let name = read.name.as_deref().filter(|n| is_name(n))?;
    Some(package(name, read.version().filter(|v| is_version(v))?, Placement::Cached))
}

#[cfg(test)]
mod tests {
    use super::{super::trial::tried, *};

    fn said(path: &str, bytes: &[u8]) -> Vec<String> {
        let tried = tried(&PackageStore, path, bytes, &[]);
        assert!(tried.flaw.is_none(), "{path}");
        tried.said
    }

    #[test]
    fn every_store_names_its_packages() {
        let (h126, h62) = ("0a".repeat(63), "0a".repeat(31));
        for (path, bytes, is) in [
            (
                format!("s/v3/files/09/{h126}-index.json"),
                r#"{"name":"axios","version":"1.14.1","files":{}}"#,
                "axios 1.14.1",
            ),
            (format!("s/v10/index/09/{h62}-axios@1.14.1.json"), "", "axios 1.14.1"),
            (format!("s/v10/index/09/{h62}-@s+x@1.0.0-rc.1.json"), "", "@s/x 1.0.0-rc.1"),
            ("aube/store/v1/index/0a1b2c3d4e5f6a7b/axios@1.14.1.json".into(), "{}", "axios 1.14.1"),
            ("aube/store/v1/index/0a1b2c3d4e5f6a7b/@s__x@1.0.0.json".into(), "{}", "@s/x 1.0.0"),
            (
                "aube/cache/side-effects-v1/axios@1.14.1/linux-x86_64/09/package.json".into(),
                r#"{"name":"axios","version":"1.14.1"}"#,
                "axios 1.14.1",
            ),
            ("a/.yarn/cache/axios-npm-1.14.1-0a1b2c3d4e-0a1b2c3d4e.zip".into(), "PK", "axios 1.14.1"),
            ("h/.yarn/berry/cache/@s-x-y-npm-1.0.0-rc.1-0a1b2c3d4e-10c0.zip".into(), "PK", "@s/x-y 1.0.0-rc.1"),
            (
                "h/.bun/install/cache/axios@1.14.1@@@1/package.json".into(),
                r#"{"name":"axios","version":"1.14.1"}"#,
                "axios 1.14.1",
            ),
            (
                "h/.bun/install/cache/@s/x@1.0.0@@registry.example__0a1b@@@1/package.json".into(),
                r#"{"name":"@s/x","version":"1.0.0"}"#,
                "@s/x 1.0.0",
            ),
            (
                "h/.cache/deno/npm/registry.example/@s/x/1.0.0/package.json".into(),
                r#"{"name":"@s/x","version":"1.0.0"}"#,
                "@s/x 1.0.0",
            ),
        ] {
            assert_eq!(said(&path, bytes.as_bytes()), [format!("package {is} Cached")], "{path}");
        }
    }

    #[test]
    fn other_files_of_such_names_are_left_alone() {
        let h62 = "0a".repeat(31);
        for path in [
            "a/files/x-index.json".to_owned(),
            format!("a/index/09/{h62}-readme.json"),
            "a/index/09/0a-axios@1.14.1.json".to_owned(),
            "a/index/0a1b2c3d4e5f6a7b/readme.json".to_owned(),
            "a/0a1b2c3d4e5f6a7b/axios@1.14.1.json".to_owned(),
            "c/side-effects-v1/axios@1.14.1/linux-x86_64/09/lib/package.json".to_owned(),
            "a/.yarn/cache/notes.zip".to_owned(),
            "a/.yarn/cache/axios-npm-1.14.1.zip".to_owned(),
            "a/install/web/package.json".to_owned(),
            "a/src/npm/registry.example/axios/1.14.1/package.json".to_owned(),
            "h/.cache/deno/npm/registry.example/axios/1.14.1/lib/package.json".to_owned(),
            "a/index.db".to_owned(),
        ] {
            assert_eq!(said(&path, b"{\"name\":\"axios\",\"version\":\"1.14.1\"}"), [""; 0], "{path}");
        }
    }

    #[test]
    fn the_folder_of_bun_speaks_where_its_file_does_not() {
        let says = |path: &str, kind| {
            let named = PackageStore.named(&TreePath::new(path.as_bytes()).unwrap(), kind, &Interest::default());
            named.map(|(at, fact)| match fact {
                Fact::Named(p) => format!("{} {} {}", at.text(), p.name, p.version),
                _ => "?".to_owned(),
            })
        };
        let folder = "h/.bun/install/cache/axios@1.14.1@@@1";
        let is = format!("/{folder}/package.json axios 1.14.1");
        assert_eq!(says(folder, Kind::Dir), Some(is.clone()));
        assert_eq!(says(&format!("{folder}/package.json"), Kind::File), Some(is));
        assert_eq!(says("h/axios@1.14.1", Kind::Dir), None);
    }

    #[test]
    fn damaged_indexes_are_flaws() {
        let path = format!("s/v3/files/09/{}-index.json", "0a".repeat(63));
        for bytes in ["", "[", "{\"name\":1}", "null"] {
            assert!(tried(&PackageStore, &path, bytes.as_bytes(), &[]).flaw.is_some(), "{bytes}");
        }
        assert!(tried(&PackageStore, "s/v11/index.db", b"no database", &[]).flaw.is_some());
        assert!(tried(&PackageStore, "h/install/cache/x@1.0.0@@@1/package.json", b"{", &[]).flaw.is_some());
        assert_eq!(said(&path, b"{\"files\":{}}"), [""; 0]);
    }

    #[test]
    fn keys_of_the_newest_index_name_packages() {
        let says = |key: &str| by_key(key).map(|p| format!("{} {}", p.name, p.version));
        assert_eq!(says("sha512-x==\t@s/x@1.0.0").as_deref(), Some("@s/x 1.0.0"));
        for key in ["", "axios@1.14.1", "sha512-x\taxios", "sha512-x\t\u{1b}@1.0.0"] {
            assert_eq!(says(key), None, "{key}");
        }
    }
}
