//! Where packages of npm's registry stand once they are installed: by path alone, since everybody's layout is a `node_modules`.
//!
//! ```text
//! app/node_modules/axios/node_modules/follow-redirects           npm, yarn classic, bun: unit of `app`
//! app/node_modules/.pnpm/axios@1.0.0/node_modules/axios          pnpm; `.bun`, `.deno`, `.store`, `.aube`, `.mise` likewise
//! app/node_modules/.store/axios-npm-1.0.0-f00d/package           yarn's pnpm linker
//! app/.pnpm/axios@1.0.0/node_modules/axios                       pnpm with a virtual store of another place
//! app/.yarn/unplugged/axios-npm-1.0.0-f00d/node_modules/axios    yarn with Plug'n'Play; `app/.pnp.cjs`
//! .nvm/versions/node/v20.1.0/lib/node_modules/npm                global: unit of the prefix that holds `lib`
//! .npm/_npx/1a2b3c4d5e6f7a8b/node_modules/cowsay                 npx: unit of the folder of that run
//! .bun/install/cache/.bunx-0/cowsay@latest/node_modules/cowsay   bunx likewise, elsewhere `/tmp/bunx-0-cowsay@latest`
//! pnpm/store/v10/links/@/axios/1.0.0/f00d/node_modules/axios     pnpm's global virtual store: unit of the store
//! .cache/yarn/v6/npm-axios-1.0.0-<sha1>-integrity/node_modules/axios   a cache: no unit
//! ```

use crate::fact::TreePath;

const MODULES: &[u8] = b"node_modules";

/// The installed package that a path belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The package's folder.
    pub folder: TreePath,
    /// What its folder calls it, scope included. An alias is not the package's own name.
    pub name: Box<str>,
}

/// What loads packages together and is cleaned up together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModulesUnit {
    /// The folder that holds its packages: the outermost `node_modules` that has the same owner, `.yarn`, or a virtual store.
    pub folder: TreePath,
    /// The project, the prefix of a global installation, or the folder of one run.
    pub root: TreePath,
}

/// The package whose folder this path is, or lies in: the innermost one. `None` for what belongs to no package (`.bin`).
pub fn package_of(path: &TreePath) -> Option<Installed> {
    let parts: Vec<&[u8]> = path.components().collect();
    let found = (0..parts.len()).rev().filter(|at| parts.get(*at) == Some(&MODULES));
    found.filter_map(|at| package_at(&parts, at + 1)).next()
}

/// `at`: what stands in a `node_modules`.
fn package_at(parts: &[&[u8]], at: usize) -> Option<Installed> {
    let text = |at: usize| parts.get(at).and_then(|p| std::str::from_utf8(p).ok());
    let first = text(at)?;
    let (end, name) = if first == ".store" && parts.get(at + 2) == Some(&b"package".as_slice()) {
        (at + 2, slug_name(text(at + 1)?)?)
    } else if first.starts_with('.') {
        return None;
    } else if first.starts_with('@') {
        let second = text(at + 1).filter(|s| !s.starts_with('.'))?;
        (at + 1, format!("{first}/{second}"))
    } else {
        (at, first.to_owned())
    };
    Some(Installed { folder: joined(parts, end + 1), name: name.into() })
}

/// `@s-x-npm-1.0.0-f00d` is `@s/x`: yarn's folders, by which the first `-` of a scoped name stands for its slash. A scope with a
/// hyphen cannot be known from it.
fn slug_name(slug: &str) -> Option<String> {
    let name = slug.split_once("-npm-").or_else(|| slug.split_once("-virtual-"))?.0;
    let scoped = name.strip_prefix('@').and_then(|rest| rest.split_once('-'));
    Some(scoped.map_or_else(|| name.to_owned(), |(scope, base)| format!("@{scope}/{base}")))
}

/// The unit that a path belongs to. `None` outside every one, in caches, and in a Python environment below one.
pub fn unit_of(path: &TreePath) -> Option<ModulesUnit> {
    let parts: Vec<&[u8]> = path.components().collect();
    let unit =
        |folder: usize, root: usize| Some(ModulesUnit { folder: joined(&parts, folder), root: joined(&parts, root) });
    let Some(first) = parts.iter().position(|p| *p == MODULES) else {
        let last = parts.len().checked_sub(1)?;
        // What loads the packages of such a project is a file in its root.
        let plugged = matches!(path.name(), b".pnp.cjs" | b".pnp.js" | b".pnp.data.json" | b".pnp.loader.mjs");
        return plugged.then(|| {
            let root = joined(&parts, last);
            ModulesUnit { folder: root.join(b".yarn"), root }
        });
    };
    let last = parts.iter().rposition(|p| *p == MODULES).unwrap_or(first);
    let is_site = |p: &&[u8]| matches!(*p, b"site-packages" | b"dist-packages");
    if parts.get(last..).unwrap_or_default().iter().any(is_site) || is_cache(&parts, first) {
        return None;
    }
    let before = |back: usize| first.checked_sub(back).and_then(|at| parts.get(at)).copied().unwrap_or_default();
    if let Some(links) = global_store(&parts, first) {
        return unit(links + 1, links);
    }
    if before(2) == b"unplugged" && before(3) == b".yarn" {
        return unit(first - 2, first - 3);
    }
    if matches!(before(2), b".pnpm" | b".bun" | b".store" | b".deno") {
        return unit(first - 1, first - 2);
    }
    if before(1) == b"lib" && is_prefix(parts.get(..first - 1).unwrap_or_default()) {
        return unit(first + 1, first - 1);
    }
    unit(first + 1, first)
}

/// Whether what stands at a path is a package manager's stored copy, which nothing loads from there.
pub fn is_stored(path: &TreePath) -> bool {
    let parts: Vec<&[u8]> = path.components().collect();
    parts.iter().position(|p| *p == MODULES).is_some_and(|first| is_cache(&parts, first))
}

/// Entries of yarn classic's cache hold a `node_modules` of their own; bundled packages lie in those of bun's.
fn is_cache(parts: &[&[u8]], first: usize) -> bool {
    let above = parts.get(..first).unwrap_or_default();
    let entry = above.last().copied().unwrap_or_default();
    is_entry_of_yarn(entry) || !is_bunx(above) && above.windows(3).any(|w| matches!(w, [b".bun", b"install", b"cache"]))
}

/// `npm-axios-1.14.1-<40 hex>-integrity`
fn is_entry_of_yarn(entry: &[u8]) -> bool {
    entry.starts_with(b"npm-") && {
        let hash = entry.strip_suffix(b"-integrity").unwrap_or(entry).rsplit(|b| *b == b'-').next().unwrap_or_default();
        hash.len() == 40 && hash.iter().all(u8::is_ascii_hexdigit)
    }
}

/// `bunx` installs what it runs beside the entries of the cache.
fn is_bunx(above: &[&[u8]]) -> bool {
    let runs = |w: &[&[u8]]| matches!(w, [b"cache", folder] if folder.starts_with(b".bunx-"));
    above.windows(2).any(runs)
}

/// The entry of a store that a file lies in: `npm-axios-1.14.1-<40 hex>-integrity` of yarn classic, `axios@1.14.1@@@1` of bun,
/// `deno/npm/<host>/axios/1.14.1`, `side-effects-v1/axios@1.14.1` of aube.
pub fn store_entry(path: &TreePath) -> Option<TreePath> {
    let parts: Vec<&[u8]> = path.components().collect();
    let first = parts.iter().position(|p| *p == MODULES);
    if let Some(at) =
        first.and_then(|first| first.checked_sub(1)).filter(|at| parts.get(*at).is_some_and(|e| is_entry_of_yarn(e)))
    {
        return Some(joined(&parts, at + 1));
    }
    let of_bun = parts.iter().position(|p| memchr::memmem::find(p, b"@@@").is_some_and(|at| at > 0));
    if let Some(at) = of_bun.filter(|_| !is_bunx(&parts)) {
        return Some(joined(&parts, at + 1));
    }
    if let Some(at) = parts.iter().position(|p| *p == b"side-effects-v1").filter(|at| parts.len() > at + 2) {
        return Some(joined(&parts, at + 2));
    }
    let end = deno_entry(&parts)?;
    Some(joined(&parts, end))
}

/// How many parts of a path lead to a package in Deno's cache.
pub fn deno_entry(parts: &[&[u8]]) -> Option<usize> {
    let is_cache = |w: &[&[u8]]| matches!(w, [b"deno" | b".deno" | b"deno-dir" | b"deno_dir", b"npm"]);
    let host = parts.windows(2).position(is_cache)? + 2;
    let end = if parts.get(host + 1)?.starts_with(b"@") { host + 4 } else { host + 3 };
    let version = parts.get(end - 1).filter(|_| parts.len() >= end)?;
    version.first().is_some_and(u8::is_ascii_digit).then_some(end)
}

/// Position of `links` in `pnpm/store/v10/links`, `.pnpm-store/v11/links`.
fn global_store(parts: &[&[u8]], first: usize) -> Option<usize> {
    let of = |w: &[&[u8]]| match w {
        [store, version, b"links"] => matches!(*store, b"store" | b".pnpm-store") && is_digits(version, b"v"),
        _ => false,
    };
    parts.get(..first).unwrap_or_default().windows(3).position(of).map(|at| at + 2)
}

fn is_digits(text: &[u8], prefix: &[u8]) -> bool {
    text.strip_prefix(prefix).is_some_and(|d| !d.is_empty() && d.iter().all(u8::is_ascii_digit))
}

/// Whether `lib` in this folder is that of an installed Node, or of a prefix that somebody set: `lib` of a project is one itself.
fn is_prefix(prefix: &[&[u8]]) -> bool {
    let Some((name, above)) = prefix.split_last() else {
        return true;
    };
    let text = String::from_utf8_lossy(name).to_lowercase();
    let version = || {
        let digits = text.strip_prefix('v').unwrap_or(&text);
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.contains('.')
    };
    matches!(text.as_str(), "usr" | "local" | "installation" | "libexec" | "homebrew" | "sw" | "prefix" | "current")
        || above == [b"opt".as_slice()]
        || text.contains("npm")
        || text.contains("node")
        || text.contains("linuxbrew")
        || version()
        // Version managers and prefixes of one user: `~/.npm-global`, `~/.volta/tools/image/packages/typescript`.
        || prefix.iter().any(|p| p.len() > 1 && p.starts_with(b".") && *p != b".github")
        || prefix.iter().any(|p| matches!(*p, b"envs" | b"installs" | b"miniconda3" | b"anaconda3" | b"miniforge3"))
}

fn joined(parts: &[&[u8]], end: usize) -> TreePath {
    let bytes = parts.get(..end).unwrap_or_default().join(&b'/');
    TreePath::new(&bytes).unwrap_or_else(TreePath::root)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> TreePath {
        TreePath::new(path.as_bytes()).unwrap()
    }

    fn package(path: &str) -> Option<(String, String)> {
        package_of(&at(path)).map(|p| (p.folder.text().into_owned(), p.name.into()))
    }

    fn unit(path: &str) -> Option<(String, String)> {
        unit_of(&at(path)).map(|u| (u.folder.text().into_owned(), u.root.text().into_owned()))
    }

    #[test]
    fn the_innermost_package_owns_a_path() {
        for (path, folder, name) in [
            ("a/node_modules/axios/package.json", "/a/node_modules/axios", "axios"),
            ("node_modules/axios", "/node_modules/axios", "axios"),
            ("a/node_modules/@s/x/lib/i.js", "/a/node_modules/@s/x", "@s/x"),
            ("a/node_modules/b/node_modules/c/x.js", "/a/node_modules/b/node_modules/c", "c"),
            ("a/node_modules/b/node_modules/.bin/c", "/a/node_modules/b", "b"),
            ("a/node_modules/b/node_modules", "/a/node_modules/b", "b"),
            (
                "a/node_modules/.pnpm/@s+x@1.0.0_p@2/node_modules/@s/x/i.js",
                "/a/node_modules/.pnpm/@s+x@1.0.0_p@2/node_modules/@s/x",
                "@s/x",
            ),
            (
                "a/node_modules/.store/axios-npm-1.14.1-0a1b2c3d4e/package/i.js",
                "/a/node_modules/.store/axios-npm-1.14.1-0a1b2c3d4e/package",
                "axios",
            ),
            (
                "a/node_modules/.store/@s-x-y-virtual-0a1b2c3d4e/package/i.js",
                "/a/node_modules/.store/@s-x-y-virtual-0a1b2c3d4e/package",
                "@s/x-y",
            ),
            (
                "a/.yarn/unplugged/esbuild-npm-0.1.0-0a1b2c3d4e/node_modules/esbuild/bin/e",
                "/a/.yarn/unplugged/esbuild-npm-0.1.0-0a1b2c3d4e/node_modules/esbuild",
                "esbuild",
            ),
        ] {
            assert_eq!(package(path), Some((folder.into(), name.into())), "{path}");
        }
    }

    #[test]
    fn what_belongs_to_no_package_is_left_alone() {
        for path in [
            "",
            "a/node_modules",
            "a/node_modules/.bin/axios",
            "a/node_modules/.package-lock.json",
            "a/node_modules/@s",
            "a/node_modules/@s/.DS_Store",
            "a/node_modules/.pnpm/lock.yaml",
            "a/node_modules/.pnpm/x@1/node_modules/.bin/y",
            "a/my_node_modules/axios/package.json",
            "a/node_modules.bak/axios",
            "a/src/axios",
        ] {
            assert_eq!(package(path), None, "{path}");
        }
        let unreadable = TreePath::new(b"a/node_modules/\xff/package.json").unwrap();
        assert_eq!(package_of(&unreadable), None);
    }

    #[test]
    fn a_unit_is_the_project_that_holds_the_outermost_folder() {
        for (path, folder, root) in [
            ("srv/app/node_modules/axios/i.js", "/srv/app/node_modules", "/srv/app"),
            ("srv/app/node_modules", "/srv/app/node_modules", "/srv/app"),
            ("srv/app/node_modules/.package-lock.json", "/srv/app/node_modules", "/srv/app"),
            ("srv/app/node_modules/a/node_modules/b/i.js", "/srv/app/node_modules", "/srv/app"),
            ("node_modules/a/i.js", "/node_modules", "/"),
            // pnpm, bun, Deno and yarn link into one folder; members of a workspace own theirs.
            ("srv/app/node_modules/.pnpm/x@1/node_modules/x", "/srv/app/node_modules", "/srv/app"),
            ("srv/app/node_modules/.bun/x@1/node_modules/x", "/srv/app/node_modules", "/srv/app"),
            ("srv/app/node_modules/.store/x-npm-1-0a/package", "/srv/app/node_modules", "/srv/app"),
            ("srv/app/.pnpm/x@1/node_modules/x", "/srv/app/.pnpm", "/srv/app"),
            ("srv/app/packages/web/node_modules/x", "/srv/app/packages/web/node_modules", "/srv/app/packages/web"),
            ("srv/app/.yarn/unplugged/x-npm-1-0a/node_modules/x/i.js", "/srv/app/.yarn", "/srv/app"),
            ("srv/app/.pnp.cjs", "/srv/app/.yarn", "/srv/app"),
            // One run, one tool.
            ("h/.npm/_npx/1a2b/node_modules/cowsay", "/h/.npm/_npx/1a2b/node_modules", "/h/.npm/_npx/1a2b"),
            (
                "h/.bun/install/cache/.bunx-0/x@latest/node_modules/x",
                "/h/.bun/install/cache/.bunx-0/x@latest/node_modules",
                "/h/.bun/install/cache/.bunx-0/x@latest",
            ),
            ("tmp/bunx-0-x@latest/node_modules/x", "/tmp/bunx-0-x@latest/node_modules", "/tmp/bunx-0-x@latest"),
            (
                "h/.cache/pnpm/dlx/1a2b/19-x/node_modules/.pnpm/c@1/node_modules/c",
                "/h/.cache/pnpm/dlx/1a2b/19-x/node_modules",
                "/h/.cache/pnpm/dlx/1a2b/19-x",
            ),
            ("h/.bun/install/global/node_modules/x", "/h/.bun/install/global/node_modules", "/h/.bun/install/global"),
            ("h/.config/yarn/global/node_modules/x", "/h/.config/yarn/global/node_modules", "/h/.config/yarn/global"),
            (
                "h/.local/share/pnpm/global/5/node_modules/x",
                "/h/.local/share/pnpm/global/5/node_modules",
                "/h/.local/share/pnpm/global/5",
            ),
            (
                "h/.local/share/pnpm/store/v10/links/@/x/1.0.0/0a/node_modules/x",
                "/h/.local/share/pnpm/store/v10/links",
                "/h/.local/share/pnpm/store/v10",
            ),
            (
                "mnt/.pnpm-store/v11/links/@s/x/1/0a/node_modules/@s/x",
                "/mnt/.pnpm-store/v11/links",
                "/mnt/.pnpm-store/v11",
            ),
            ("u/AppData/Roaming/npm/node_modules/x", "/u/AppData/Roaming/npm/node_modules", "/u/AppData/Roaming/npm"),
            (
                "usr/share/code/resources/app/node_modules/x",
                "/usr/share/code/resources/app/node_modules",
                "/usr/share/code/resources/app",
            ),
            // A program of Node that a Python package ships.
            ("v/site-packages/drv/node_modules/x", "/v/site-packages/drv/node_modules", "/v/site-packages/drv"),
        ] {
            assert_eq!(unit(path), Some((folder.into(), root.into())), "{path}");
        }
    }

    #[test]
    fn a_global_installation_belongs_to_its_prefix() {
        for prefix in [
            "/usr",
            "/usr/local",
            "/opt/homebrew",
            "/opt/tools",
            "/home/linuxbrew/.linuxbrew",
            "/opt/homebrew/Cellar/typescript/5.4.5/libexec",
            "/h/.nvm/versions/node/v20.1.0",
            "/h/.local/share/fnm/node-versions/v20.1.0/installation",
            "/h/.volta/tools/image/node/20.1.0",
            "/h/.volta/tools/image/packages/typescript",
            "/h/.asdf/installs/nodejs/20.1.0",
            "/h/.local/share/mise/installs/npm-prettier/3.0.0",
            "/usr/local/n/versions/node/20.1.0",
            "/h/.npm-global",
            "/h/.local",
            "/h/npm-packages",
            "/opt/conda/envs/web",
            "/h/miniconda3",
            "/var/lib/docker/overlay2/1a/diff/usr/local",
        ] {
            let path = format!("{prefix}/lib/node_modules/npm/node_modules/x/i.js");
            assert_eq!(unit(&path), Some((format!("{prefix}/lib/node_modules"), prefix.into())), "{path}");
        }
        assert_eq!(unit("lib/node_modules/x"), Some(("/lib/node_modules".into(), "/".into())));
        // A part of a project that is called so.
        for root in ["/h/code/shop/lib", "/srv/shop/packages/lib"] {
            let path = format!("{root}/node_modules/x");
            assert_eq!(unit(&path), Some((format!("{root}/node_modules"), root.into())), "{path}");
        }
    }

    #[test]
    fn what_lies_in_a_store_belongs_to_an_entry() {
        let sha1 = "0123456789abcdef0123456789abcdef01234567";
        let yarn = format!("c/v6/npm-axios-1.14.1-{sha1}-integrity");
        for (path, entry) in [
            (format!("{yarn}/node_modules/axios/lib/i.js"), Some(yarn.as_str())),
            ("h/.bun/install/cache/@s/x@1.0.0@@@1/i.js".into(), Some("h/.bun/install/cache/@s/x@1.0.0@@@1")),
            (
                "h/.cache/deno/npm/registry.example/axios/1.14.1/i.js".into(),
                Some("h/.cache/deno/npm/registry.example/axios/1.14.1"),
            ),
            (
                "deno-dir/npm/registry.example/@s/x/1.0.0/package.json".into(),
                Some("deno-dir/npm/registry.example/@s/x/1.0.0"),
            ),
            ("c/aube/side-effects-v1/x@1.0.0/linux-x86_64/0a/i.js".into(), Some("c/aube/side-effects-v1/x@1.0.0")),
            ("c/aube/side-effects-v1/x@1.0.0".into(), None),
            ("h/.cache/deno/npm/registry.example/axios/registry.json".into(), None),
            ("h/.bun/install/cache/.bunx-0/x@latest/node_modules/x/i.js".into(), None),
            ("a/node_modules/axios/i.js".into(), None),
            ("a/npm-axios/node_modules/axios/i.js".into(), None),
            ("a/@@@1/i.js".into(), None),
        ] {
            let found = store_entry(&at(&path)).map(|e| e.text().into_owned());
            assert_eq!(found, entry.map(|e| format!("/{e}")), "{path}");
        }
    }

    #[test]
    fn caches_and_python_environments_are_no_units() {
        let sha1 = "0123456789abcdef0123456789abcdef01234567";
        let yarn = format!("h/.cache/yarn/v6/npm-axios-1.14.1-{sha1}-integrity/node_modules/axios/package.json");
        let old = format!("c/v4/npm-axios-1.14.1-{sha1}/node_modules/axios/package.json");
        for path in [yarn.as_str(), &old, "h/.bun/install/cache/x@1@@@1/node_modules/y/package.json"] {
            assert_eq!((unit(path), is_stored(&at(path))), (None, true), "{path}");
        }
        for path in [
            "",
            "h/src/app.js",
            "h/.npm/_cacache/index-v5/aa/bb/cc",
            "v/lib/python3.12/site-packages/six.py",
            "a/node_modules/x/venv/lib/python3.12/site-packages/six.py",
        ] {
            assert_eq!((unit(path), is_stored(&at(path))), (None, false), "{path}");
        }
        assert!(!is_stored(&at("a/npm-axios/node_modules/axios/package.json")));
    }
}
