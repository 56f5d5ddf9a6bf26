//! What the names of folders say of a package. A hostile package writes into its own `package.json` what it likes, or rewrites it once
//! its script has run; an installer named what stands around it.
//!
//! ```text
//! node_modules/axios                                      name
//! node_modules/.pnpm/@s+x@1.0.0_react@18.0.0              name and version; `(…)` or `_…`: the peers. `.bun`, `.deno`, `.store`, `.aube`, `.mise` too
//! .yarn/unplugged/@s-x-npm-1.0.0-0a1b2c3d4e               version, and the name without its slash
//! ```

pub use crate::ecosystem::npm::shown::{is_name, is_version};
use crate::{
    ecosystem::npm::layout::{Installed, package_of},
    fact::{Ecosystem, Package, Placement, TreePath},
};

/// A package of which no more is known.
pub fn package(name: &str, version: &str, placement: Placement) -> Package {
    Package {
        ecosystem: Ecosystem::Npm,
        name: name.into(),
        version: version.into(),
        placement,
        requires: [].into(),
        artifacts: Vec::new(),
    }
}

/// The version that the folder of a virtual store says of the package that it was made for; its other members are links.
pub fn stored_version(installed: &Installed) -> Option<String> {
    let parts: Vec<&[u8]> = installed.folder.components().collect();
    let modules = parts.iter().rposition(|p| *p == b"node_modules")?;
    let text = |at: usize| parts.get(at).and_then(|p| std::str::from_utf8(p).ok());
    let (entry, store) = (text(modules.checked_sub(1)?)?, text(modules.checked_sub(2)?)?);
    let of_yarn = |slug: &str| {
        let (name, rest) = slug.split_once("-npm-")?;
        let plain = installed.name.replacen('/', "-", 1);
        let version = rest.rsplit_once('-')?.0;
        (name == plain && is_version(version)).then(|| version.to_owned())
    };
    match store {
        ".pnpm" | ".bun" | ".deno" | ".store" | ".aube" | ".mise" => {
            let (name, version) = entry_parts(if store == ".store" { without_hash(entry) } else { entry })?;
            (name == *installed.name).then(|| version.to_owned()).or_else(|| of_yarn(entry))
        }
        "unplugged" => of_yarn(entry),
        _ => None,
    }
}

/// npm's linked strategy puts 22 digits of a hash behind the version: `axios@1.14.1-8kKVP07YTSAr_bYuasl2iQ`.
fn without_hash(entry: &str) -> &str {
    let parts = entry.len().checked_sub(23).and_then(|at| entry.split_at_checked(at));
    let is_hash =
        |end: &str| end.starts_with('-') && end.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    parts.filter(|(_, end)| is_hash(end)).map_or(entry, |(entry, _)| entry)
}

/// Name and version of an entry of pnpm's virtual store: `@s+x@1.0.0_react@18.0.0`, `x@1.0.0(react@18.0.0)`.
pub fn entry_parts(entry: &str) -> Option<(String, &str)> {
    let at = entry.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at)?;
    let (name, rest) = (entry.get(..at)?, entry.get(at + 1..)?);
    let version = rest.split(['(', '_', '+']).next()?;
    // A build is rare, and `+` stands for a slash too.
    let name = if name.starts_with('@') { name.replacen('+', "/", 1) } else { name.to_owned() };
    (is_name(&name) && is_version(version)).then_some((name, version))
}

/// What the place of a `package.json`, or of the folder that should hold one, says alone: its file, its name and its version.
pub fn by_place(path: &TreePath) -> Option<(TreePath, String, String)> {
    // Asked of each folder, and most are none of these: the longest is `.store/slug/package/package.json`.
    let mut above = path.components().rev().skip(1);
    above.by_ref().take(3).find(|part| *part == b"node_modules")?;
    let store = above.nth(1)?;
    let stores = [b".pnpm".as_slice(), b".bun", b".deno", b".store", b".aube", b".mise", b"unplugged"];
    stores.contains(&store).then_some(())?;
    let installed = package_of(path)?;
    let folder = &installed.folder;
    let here = path == folder || (path.name() == b"package.json" && path.parent() == *folder);
    let version = here.then(|| stored_version(&installed)).flatten()?;
    Some((folder.join(b"package.json"), installed.name.into(), version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_virtual_store_says_the_version() {
        let says = |path: &str| by_place(&TreePath::new(path.as_bytes()).unwrap()).map(|(_, n, v)| format!("{n} {v}"));
        for (path, is) in [
            ("a/node_modules/.pnpm/axios@1.14.1/node_modules/axios/package.json", Some("axios 1.14.1")),
            ("a/node_modules/.pnpm/axios@1.14.1/node_modules/axios", Some("axios 1.14.1")),
            ("a/node_modules/.pnpm/@s+x@1.0.0-rc.1_react@18.0.0/node_modules/@s/x", Some("@s/x 1.0.0-rc.1")),
            ("a/node_modules/.pnpm/x@1.0.0(react@18.0.0)/node_modules/x", Some("x 1.0.0")),
            ("a/node_modules/.bun/axios@1.14.1/node_modules/axios", Some("axios 1.14.1")),
            ("a/node_modules/.aube/@s+x@1.0.0/node_modules/@s/x", Some("@s/x 1.0.0")),
            ("a/node_modules/.mise/axios@1.14.1/node_modules/axios", Some("axios 1.14.1")),
            ("a/node_modules/.store/axios@1.14.1-8kKVP07YTSAr_bYuasl2iQ/node_modules/axios", Some("axios 1.14.1")),
            (
                "a/node_modules/.store/axios@1.0.0-rc.1-8kKVP07YTSAr-bYuasl2iQ/node_modules/axios",
                Some("axios 1.0.0-rc.1"),
            ),
            ("a/.yarn/unplugged/axios-npm-1.14.1-0a1b2c3d4e/node_modules/axios", Some("axios 1.14.1")),
            ("a/.yarn/unplugged/@s-x-npm-1.0.0-0a1b2c3d4e/node_modules/@s/x", Some("@s/x 1.0.0")),
            // A neighbour that is no link is not what the entry was made for.
            ("a/node_modules/.pnpm/axios@1.14.1/node_modules/form-data", None),
            ("a/node_modules/.pnpm/axios@1.14.1/node_modules/axios/lib", None),
            ("a/node_modules/axios/package.json", None),
            ("a/node_modules/.pnpm/axios@file+..+x/node_modules/axios", None),
            ("a/axios@1.14.1/node_modules/axios", None),
        ] {
            assert_eq!(says(path).as_deref(), is, "{path}");
        }
    }

    #[test]
    fn only_what_is_safe_to_show_is_a_name_or_version() {
        for name in ["axios", "@s/x", "JSONStream", "a.b-c_d", "@a.b/c"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "@s", "@s/", "a/b", "a b", "a\u{1b}", "\u{202e}x", "@s/x/y", &"a".repeat(215)] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_version("1.0.0-rc.1+b") && is_version("v2"));
        for version in ["", "latest", "1.0.0\n", "1 2", &"1".repeat(201)] {
            assert!(!is_version(version), "{version}");
        }
    }
}
