//! Recipes of packages of Arch Linux, as a git clone of the Arch User Repository holds them, and the folders of the programs that build them.
//!
//! ```text
//! ~/.cache/yay/NAME/            ~/.cache/paru/clone/NAME/, ~/.cache/pikaur/{aur_repos,build}/NAME/, ~/.cache/trizen/sources/NAME/
//! ├── PKGBUILD                  shell: pkgname=(a b), pkgver=1.0, pkgrel=1, epoch=1
//! ├── .SRCINFO                  the same without a shell: `pkgbase = x`, `pkgver = 1.0`, `pkgname = a`
//! └── NAME-1.0-1-any.pkg.tar.zst
//! ```
//!
//! A hit proves that the recipe was fetched, in the state of the file's time; not that it was built. `.SRCINFO` says more than the shell
//! text beside it, of which lines that need a shell are passed over: nothing is run. Documented in PKGBUILD(5) and in makepkg's source.

use super::{fact, is_name};
use crate::{
    ecosystem::{is_version, normal_name},
    fact::{Ecosystem, Placement, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// A recipe of a whole desktop has less.
const FILE: usize = 4 << 20;
/// More than any recipe makes.
const NAMES: usize = 2_000;

/// Programs that fetch recipes and build them, by their folder among the caches.
const HELPERS: &[&[u8]] = &[
    b"yay",
    b"paru",
    b"pikaur",
    b"trizen",
    b"aura",
    b"aurutils",
    b"pacaur",
    b"pakku",
    b"pamac",
    b"bauerbill",
    b"rua",
    b"pat-aur",
];

/// `.SRCINFO`, `PKGBUILD`.
pub struct Recipe;

static META: Meta = Meta {
    id: "system/recipe",
    title: "recipes of the Arch User Repository",
    proves: "the recipe was fetched; not that it was built",
};

impl Surface for Recipe {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name(".SRCINFO"), Claim::name("PKGBUILD")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the recipe");
        let path = &file.entry.path;
        let interest = file.interest;
        let placement = if is_built_in(path) { Placement::Cached } else { Placement::Listed };
        let text = String::from_utf8_lossy(file.all(FILE)?);
        let said = if path.name() == b"PKGBUILD" { shell(&text) } else { info(&text) };
        let Some(version) = said.version() else {
            return Ok(());
        };
        let known = |name: &&str| interest.knows_package(Ecosystem::Aur, &normal_name(Ecosystem::Aur, name));
        let base = said.base.filter(|base| known(base) && !said.names.contains(base));
        for name in said.names.iter().copied().chain(base) {
            let found = fact(Ecosystem::Aur, name, &version, placement);
            found.into_iter().for_each(|found| out.push(at.clone(), found));
        }
        Ok(())
    }
}

/// Whether a path lies in the folder of a program that builds recipes.
pub fn is_built_in(path: &TreePath) -> bool {
    let parts = || path.components();
    let cached = |above: &[u8], part: &[u8]| matches!(above, b".cache" | b"cache") && HELPERS.contains(&part);
    parts().zip(parts().skip(1)).any(|(above, part)| cached(above, part))
        || parts().any(|part| part.starts_with(b"pamac-build"))
}

/// What a recipe says.
#[derive(Default)]
struct Said<'t> {
    base: Option<&'t str>,
    names: Vec<&'t str>,
    version: Option<&'t str>,
    release: Option<&'t str>,
    epoch: Option<&'t str>,
}

impl<'t> Said<'t> {
    fn add(&mut self, key: &str, value: &'t str) {
        let value = value.trim();
        match key {
            "pkgbase" => self.base = self.base.or(Some(value).filter(|n| is_name(n))),
            "pkgver" => self.version = self.version.or(Some(value)),
            "pkgrel" => self.release = self.release.or(Some(value)),
            "epoch" => self.epoch = self.epoch.or(Some(value)),
            "pkgname" if self.names.len() < NAMES && is_name(value) => self.names.push(value),
            _ => {}
        }
    }

    /// As pacman writes it, where nothing of it needs a shell.
    fn version(&self) -> Option<String> {
        let (version, release) = (self.version?, self.release.unwrap_or("1"));
        let whole = match self.epoch.filter(|e| !e.is_empty() && *e != "0") {
            Some(epoch) => format!("{epoch}:{version}-{release}"),
            None => format!("{version}-{release}"),
        };
        is_version(Ecosystem::Aur, &whole).then_some(whole)
    }
}

fn info(text: &str) -> Said<'_> {
    let mut said = Said::default();
    for (key, value) in text.lines().filter_map(|line| line.split_once(" = ")) {
        said.add(key.trim(), value);
    }
    said
}

/// Plain assignments at the start of a line; lists may go on over lines.
fn shell(text: &str) -> Said<'_> {
    let mut said = Said::default();
    let mut in_names = false;
    for line in text.lines() {
        if in_names {
            in_names = list(line, &mut said);
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        match (key, value.strip_prefix('(')) {
            ("pkgname", Some(first)) => in_names = list(first, &mut said),
            _ => said.add(key, word(value)),
        }
    }
    said
}

/// Adds the names of one line of a list; whether the list goes on.
fn list<'t>(line: &'t str, said: &mut Said<'t>) -> bool {
    let line = line.split(" #").next().unwrap_or(line);
    let (names, more) = line.split_once(')').map_or((line, true), |(names, _)| (names, false));
    names.split_ascii_whitespace().for_each(|name| said.add("pkgname", word(name)));
    more
}

/// Without quotes, and without what stands behind it.
fn word(value: &str) -> &str {
    let value = value.trim();
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value.get(1..).and_then(|v| v.split(quote).next()).unwrap_or_default(),
        _ => value.split([' ', '\t', ';', '#']).next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    // Written by makepkg 6.0.2.
    const INFO: &str = "pkgbase = alvr\n\tpkgdesc = x\n\tpkgver = 20.13.0\n\tpkgrel = 2\n\tinstall = x.install\n\tarch = any\n\tlicense = MIT\n\n\
        pkgname = alvr\n\npkgname = alvr-server\n";
    const AT: &str = "2026-03-24T11:00:00Z";

    fn of(path: &str, text: &str) -> Vec<String> {
        said(&Recipe, path, text.as_bytes(), &[(Ecosystem::Aur, "alvr")])
    }

    #[test]
    fn a_recipe_names_its_packages_with_their_version() {
        let in_cache = [format!("alvr 20.13.0-2 Cached {AT}"), format!("alvr-server 20.13.0-2 Cached {AT}")];
        for folder in [
            "home/a/.cache/yay/alvr",
            "root/.cache/paru/clone/alvr",
            "var/tmp/pamac-build-a/alvr",
            "var/cache/aura/alvr",
        ] {
            assert_eq!(of(&format!("{folder}/.SRCINFO"), INFO), in_cache, "{folder}");
        }
        assert_eq!(of("home/a/src/yay/alvr/.SRCINFO", INFO)[0], format!("alvr 20.13.0-2 Listed {AT}"));
        // A package of it with another name, an epoch.
        let split =
            INFO.replace("pkgname = alvr\n", "pkgname = alvr-libs\n").replace("pkgrel = 2", "pkgrel = 2\n\tepoch = 1");
        let names = of("x/.SRCINFO", &split);
        assert_eq!(names[2], format!("alvr 1:20.13.0-2 Listed {AT}"));
        assert_eq!(of("x/.SRCINFO", &split.replace("pkgbase = alvr", "pkgbase = other")).len(), 2);
    }

    #[test]
    fn shell_text_is_read_without_a_shell() {
        let recipe = |names: &str, version: &str| {
            of(
                "x/PKGBUILD",
                &format!(
                    "# Maintainer: a\npkgbase=alvr\npkgname={names}\npkgver={version}\npkgrel=1 # first\nepoch=\n"
                ),
            )
        };
        let one = format!("alvr 20.1-1 Listed {AT}");
        for (names, version) in
            [("alvr", "20.1"), ("'alvr'", "\"20.1\""), ("(alvr)", "20.1;"), ("(\n  'alvr' # the program\n)", "20.1")]
        {
            assert_eq!(recipe(names, version), std::slice::from_ref(&one), "{names} {version}");
        }
        assert_eq!(recipe("(alvr \"alvr-server\")", "20.1").len(), 2);
        // The base stands for names that need a shell; a version that needs one is none.
        assert_eq!(recipe("(\"$_name\")", "20.1"), [one]);
        for version in ["$_version", "${_v/-/.}", "$(git describe)", "", "`date`", "20.1-1-1"] {
            assert_eq!(recipe("alvr", version), [""; 0], "{version}");
        }
    }

    #[test]
    fn other_texts_name_nothing() {
        for text in [
            "",
            "pkgname",
            "=",
            "pkgname = alvr",
            "pkgver = 1",
            "\0\0",
            "pkgname=(",
            "pkgname = a/../b\n\tpkgver = 1\n",
        ] {
            assert_eq!(of("x/.SRCINFO", text), [""; 0], "{text}");
            assert_eq!(of("x/PKGBUILD", text), [""; 0], "{text}");
        }
        let many = format!("pkgver = 1\n{}", "pkgname = a\n".repeat(10_000));
        assert_eq!(of("x/.SRCINFO", &many).len(), NAMES);
        let large = said(&Recipe, "x/PKGBUILD", &vec![b'x'; FILE + 1], &[]);
        assert_eq!(large, [format!("flaw: larger than {FILE} bytes")]);
    }
}
